"""What the README shows is what the library does."""

import re
from pathlib import Path

from flink_masking.cli.app import app
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.techniques.registry import table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def technique_rows() -> str:
    """The table of techniques as the registry has it."""
    again = {"yes": "yes", "no": "no", "by parameters": "by parameters"}
    lines = ["| technique | what it makes of a value | parameters (default) | same result again | row by row |", "|---|---|---|---|---|"]
    for row in table():
        parameters = ", ".join(f"`{name}` ({default})" if default != "–" else f"`{name}`" for name, default in row.parameters)
        lines.append(f"| `{row.name}` | {row.summary} | {parameters} | {again[row.deterministic]} | {'yes' if row.row_local else 'no'} |")
    return "\n".join(lines)


def test_the_table_of_techniques_is_the_registry():
    """Techniques, parameters, defaults and promises in the README are those of the registry."""
    assert technique_rows() in README


def test_policies_shown_are_sound():
    """Every policy shown loads without a fault or a warning."""
    shown = [block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if block.startswith("version:")]
    assert shown
    for text in shown:
        assert load(PolicySource("README.md", text)).warnings == []


def test_the_example_policy_is_sound():
    """The policy of the demonstration loads without a fault or a warning."""
    assert load(PolicySource.read(ROOT / "flink_masking" / "examples" / "customer_events.yaml")).warnings == []


def test_commands_shown_exist():
    """Every command of flink-masking that the README shows is one."""
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    shown = set(re.findall(r"^flink-masking ([a-z-]+)", README, re.MULTILINE))
    assert shown
    assert shown <= known


def test_targets_shown_exist():
    """Every make target that the README names is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets
