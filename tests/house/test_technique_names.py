"""Techniques are known by their promises: outside their own folder nobody lists them by name."""

import ast
from pathlib import Path

from flink_masking.techniques.registry import OWN

ROOT = Path(__file__).resolve().parents[2]


def lists(path: Path) -> list[int]:
    """The lines of collections and patterns that name two techniques or more; types such as Literal["keep", "drop"] are none."""
    found = []
    tree = ast.parse(path.read_text())
    types = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Subscript) for inner in ast.walk(node.slice)}
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.List | ast.Set | ast.Tuple):
            parts = list(node.elts)
        elif isinstance(node, ast.Dict):
            parts = [key for key in node.keys if key is not None]
        elif isinstance(node, ast.MatchOr):
            parts = [pattern.value for pattern in node.patterns if isinstance(pattern, ast.MatchValue)]
        elif isinstance(node, ast.Match):
            parts = [case.pattern.value for case in node.cases if isinstance(case.pattern, ast.MatchValue)]
        named = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
        if len(named & set(OWN)) > 1 and id(node) not in types:
            found.append(node.lineno)
    return found


def test_nobody_lists_techniques():
    """No list, set, tuple, dictionary or match outside flink_masking/techniques names two techniques."""
    paths = [path for folder in ("flink_masking", "jobs", "udfs") for path in sorted((ROOT / folder).rglob("*.py"))]
    outside = [path for path in paths if "flink_masking/techniques/" not in path.as_posix()]
    assert len(outside) > 100
    assert [f"{path.relative_to(ROOT)}:{line}" for path in outside for line in lists(path)] == []


def test_a_list_is_found(tmp_path):
    """The rule above sees lists where they are."""
    path = tmp_path / "module.py"
    path.write_text('HIDDEN = frozenset({"drop", "nullify"})\nmatch x:\n    case "fpe" | "keep":\n        pass\n')
    assert lists(path) == [1, 3]
