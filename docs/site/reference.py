"""Makes the pages under reference/ from the installed package, so that none of them can be out of date."""

import html
import re
from typing import Any

from mkdocs.structure.files import File, Files

CLI = """\
# Commands

Every command with its arguments and options, as `--help` prints them.
"""
TECHNIQUES = """\
# Techniques

What a rule can name. Which one for which field: [choosing a technique](../choosing-a-technique.md). Types and ranges of parameters:
[grammar](../grammar.md#techniques). `flink-masking techniques NAME` shows what one promises with which parameters.

| technique | effect on a value | parameters (default) | same result again | row by row |
|---|---|---|---|---|
"""
TECHNIQUES_END = """
*Same result again*: the same value under the same key has the same result. *Row by row*: the result does not depend on other records of
the batch.
"""
DEPLOYMENT = """\
# Deployment

The keys of a deployment file. `flink-masking schema --deployment` prints the same as JSON Schema, for editors.
"""
SQL = """\
# SQL functions

The declaration of every function, as `flink-masking sql functions` prints them. How to use them: [Flink SQL](../sql.md).

```sql
{declarations}```
"""
METRICS = """\
# Metrics

All in the group `flink_masking` of Flink's metrics. Prometheus, logs and probes: [monitoring](../monitoring.md).

{table}
"""
PYTHON = """\
# Python

What `from flink_masking import …` gives. Below 1.0 a minor release may change it and says so in the [changelog](../changelog.md); all else
is private.

"""
ERRORS = """\
## Errors

What each error means, and what a command ends with that meets it. 0 is success, and 128 and above are signals.

| class | also a | exit code | what to do |
|---|---|---|---|
| `FlinkMaskingError` | `Exception` | 1 | the base of all |
"""


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made from the code."""
    for make in (cli, techniques, deployment, sql, metrics, python):
        files.append(File.generated(config, f"reference/{make.__name__}.md", content=make()))
    return files


def cli() -> str:
    """Every command with its arguments and options, from the command tree."""
    from typer.main import get_command

    from flink_masking.cli.app import app

    commands = sorted(get_command(app).commands.items())  # type: ignore[attr-defined]
    return "\n".join([CLI, *(part for name, command in commands for part in _command(command, name, 2))])


def techniques() -> str:
    """The registry of techniques: parameters, defaults and promises."""
    from flink_masking.techniques.registry import table

    rows = []
    for row in table():
        parameters = ", ".join(f"`{name}` ({default})" if default != "–" else f"`{name}`" for name, default in row.parameters)
        name = f"[`{row.name}`](../grammar.md#{row.name})"
        rows.append(f"| {name} | {_cell(row.summary)} | {_cell(parameters)} | {row.deterministic} | {'yes' if row.row_local else 'no'} |\n")
    return TECHNIQUES + "".join(rows) + TECHNIQUES_END


def deployment() -> str:
    """The keys of a deployment file, from its models."""
    from flink_masking.deployment.model import Deployment

    schema = Deployment.model_json_schema()
    lines = [DEPLOYMENT]
    for name, definition in {"Deployment": schema, **schema.get("$defs", {})}.items():
        if "properties" not in definition:
            continue
        lines += [f"## {name}", "", definition.get("description", "").partition("\n\n")[0], ""]
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for key, described in definition["properties"].items():
            default = f"`{described['default']}`" if "default" in described else "required" if key in definition.get("required", ()) else ""
            lines.append(f"| `{key}` | {_cell(_type(described))} | {_cell(default)} | {_cell(described.get('description', ''))} |")
        lines.append("")
    return "\n".join(lines)


def sql() -> str:
    """The functions for Flink SQL."""
    from flink_masking.sql.script import declarations

    return SQL.format(declarations=declarations())


def metrics() -> str:
    """The table of metrics."""
    from flink_masking.telemetry.metrics import as_markdown

    return METRICS.format(table=as_markdown())


def python() -> str:
    """The public names of the package, each by its docstring."""
    import flink_masking
    import flink_masking.errors

    public = [getattr(flink_masking, name) for name in flink_masking.__all__ if name != "__version__"]
    places = [f"::: {thing.__module__}.{thing.__name__}" for thing in public if thing.__module__ != "flink_masking.errors"]
    rows = re.findall(r"^`(\w+)` +(\w+) +(\d+) +(.+)$", flink_masking.errors.__doc__ or "", re.MULTILINE)
    table = "".join(f"| `{name}` | `{kind}` | {code} | {todo} |\n" for name, kind, code, todo in rows)
    return PYTHON + "\n\n".join([*places, ERRORS + table])


def _command(command: Any, path: str, level: int) -> list[str]:
    """The part of a command, or of a group and all of its commands."""
    parts = [f"{'#' * level} {path}", "", html.escape((command.help or "").replace("\b\n", "").strip(), quote=False), ""]
    if inside := getattr(command, "commands", None):
        return parts + [part for name, inner in sorted(inside.items()) for part in _command(inner, f"{path} {name}", level + 1)]
    context = command.context_class(command, info_name=f"flink-masking {path}")
    parts += ["```", f"flink-masking {path} {' '.join(command.collect_usage_pieces(context))}", "```", ""]
    records = [parameter.get_help_record(context) for parameter in command.get_params(context) if parameter.name != "help"]
    rows = [f"| <code>{_cell(record[0])}</code> | {_cell(record[1])} |" for record in records if record is not None]
    return parts + (["| argument or option | meaning |", "|---|---|", *rows, ""] if rows else [])


def _cell(text: str) -> str:
    """A text for a cell of a table."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "&#124;")


def _type(described: dict[str, Any]) -> str:
    """A type in words, from JSON Schema."""
    if "$ref" in described:
        name = described["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    choices = [choice for several in ("anyOf", "oneOf", "allOf") for choice in described.get(several, ())]
    if choices:
        return " or ".join(dict.fromkeys(map(_type, choices)))
    if "enum" in described or "const" in described:
        return ", ".join(f"`{value}`" for value in described.get("enum", [described.get("const")]))
    if described.get("type") == "array":
        return f"list of {_type(described.get('items', {}))}"
    if described.get("type") == "object" and isinstance(described.get("additionalProperties"), dict):
        return f"mapping to {_type(described['additionalProperties'])}"
    return str(described.get("type", "any"))
