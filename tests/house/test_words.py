"""Docstrings, messages and pages of the documentation use standard terms; phrases that were replaced do not come back."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("flink_masking", "jobs", "udfs")
BANNED = {
    r"\bleav(e|ing)\b.{1,40}\baway\b": "omit",
    r"fault of flink-masking": "internal error",
    r"text is withheld": "the message is hidden because it may contain data",
    r"whole story": "see Flink's log",
    r"(?<!-)\bmend(s|ed|ing)?\b": "correct, fix, repair",
    r"\baccounts (that )?(must )?(do not )?add up\b|\bthe accounts\b": "record counts, reconcile",
    r"counts? no longer": "is no longer counted",
    r"\blets? go of\b": "release, close",
    r"\bway back\b": "decrypt, inverse, reverse",
    r"told, but not judged": "reported, not checked",
    r"there already|is there twice": "already exists, duplicate",
    r"left as it is\b": "is not changed",
    r"looks? (at|into) (a|the) key ring|be looked at": "check",
    r"nobody planned for": "unexpected",
    r"\baffairs?\b": "responsibility",
    r"\bhears\b": "receives",
    r"keep an eye on": "watch",
    r"look(s|ed)? after": "manage",
    r"made[- ]up\b": "synthetic",
}
"""A regular expression of a phrase, and what to write instead."""


@functools.cache
def texts() -> list[tuple[str, int, str]]:
    """File, line and text of every string in the sources, and of every line of the documentation."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                    found.append((str(path.relative_to(ROOT)), node.lineno, " ".join(node.value.split())))
    for path in [*sorted((ROOT / "flink_masking" / "docs").glob("*.md")), ROOT / "k8s" / "README.md"]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found.append((str(path.relative_to(ROOT)), number, line))
    return found


@pytest.mark.parametrize("phrase", BANNED)
def test_replaced_phrases_do_not_come_back(phrase):
    """No docstring, message or page contains the phrase."""
    wrong = re.compile(phrase, re.IGNORECASE)
    found = [f"{file}:{line}: …{text[max(0, m.start() - 30):m.end() + 30]}…" for file, line, text in texts() if (m := wrong.search(text))]
    assert found == [], f"write: {BANNED[phrase]}"
