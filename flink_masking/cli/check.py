"""``flink-masking check``: finds every fault of a policy before a job starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flink_masking.cli.exits import verdict
from flink_masking.cli.options import Json
from flink_masking.errors import ExitCode

if TYPE_CHECKING:
    from flink_masking.dp.spec import AggregateSpec
    from flink_masking.policy.load import LoadedPolicy


@verdict(ExitCode.FAILED.text)
def check(policies: Annotated[list[Path], typer.Argument(metavar="POLICY...", help="Policy files (YAML), one for each stream.",
                                                          show_default=False)],
          json_: Json = False) -> None:
    """Find every fault of a POLICY, each with its line, its column and a hint; of several, also what keeps their views from being joined.

    Ends with 0 when all of them can be used (warnings included), with 2 when one cannot.
    """
    from flink_masking.cli.console import err, print_json
    from flink_masking.policy.check_streams import differences
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    found = [load(PolicySource.read(policy)) for policy in policies]
    if json_:
        print_json({"policies": [_facts(policy, loaded) for policy, loaded in zip(policies, found, strict=True)],
                    "warnings": [{"message": message, "hint": hint} for message, hint in differences(found)]})
        return
    for policy, loaded in zip(policies, found, strict=True):
        _show(policy, loaded)
    for message, hint in differences(found):
        err.print(f"warning: {message}. Hint: {hint}", soft_wrap=True, markup=False, highlight=False)


def _facts(policy: Path, loaded: "LoadedPolicy") -> dict[str, Any]:
    """What the policy is, for programs."""
    from dataclasses import asdict

    model = loaded.written
    segments = [{"name": name, "view": view, "releases": released, "protection": protection}
                for name, view, released, protection in _segments(loaded)]
    return {"policy": str(policy), "stream": model.stream, "version": model.version, "digest": loaded.source.digest,
            "fields": len(model.fields), "segments": segments, "warnings": [asdict(one) for one in loaded.warnings]}


def _show(policy: Path, loaded: "LoadedPolicy") -> None:
    """Warnings, and what the policy does in a few lines."""
    from flink_masking.cli.console import counted, out, show_faults

    show_faults(str(policy), loaded.warnings)
    model = loaded.written
    facts = f"{counted(len(model.fields), 'field')}, {counted(len(model.segments), 'segment')}, {counted(len(loaded.warnings), 'warning')}"
    out.print(f"{policy}: stream {model.stream}, version {model.version}; {facts}", soft_wrap=True)
    _show_segments(loaded)
    for file, segment, text, differs in loaded.schemas_of_views():
        told = f"records keep the schema {file}" if not differs else f"{file} becomes {text}"
        out.print(f"{segment}: {told}", soft_wrap=True, markup=False, highlight=False)
    _show_tagged(loaded)


def _people(spec: "AggregateSpec") -> str:
    """How many people a group needs."""
    return f"groups of {spec.threshold:,} people or more" if spec.groups is None else f"{len(spec.groups):,} public groups"


def _show_segments(loaded: "LoadedPolicy") -> None:
    """A table: each segment, its view, what leaves, and under which protection."""
    from rich import box
    from rich.table import Column, Table

    from flink_masking.cli.console import out

    columns = (Column(name, overflow="fold") for name in ("segment", "view", "releases", "protection"))  # no name of a field is cut
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in _segments(loaded):
        table.add_row(*row)
    out.print(table)


def _segments(loaded: "LoadedPolicy") -> Iterator[tuple[str, str, str, str]]:
    """Each segment, its view, what leaves, and under which protection."""
    for name, segment in loaded.written.segments.items():
        if segment.view == "granted":
            shown = ", ".join(f"{path} ({rule.technique})" for path, rule in segment.may_show.items())
            released, protection = f"{shown}; all else as {segment.of}", "by signed grants"
        elif segment.view == "masked":
            released, protection = _techniques([rule.technique for rule in segment.rules.values()]), "by field"
        elif segment.view == "anonymized":
            released, protection = ", ".join((*segment.quasi_identifiers, *segment.release)), _groups(segment.mode, segment.k)
        else:
            groups = ", ".join(key.field for key in segment.group_by)
            released = ", ".join(segment.metrics) + (f" by {groups}" if groups else "")
            protection = f"epsilon = {segment.privacy.epsilon:g}, {_people(loaded.aggregate(name))}"
        yield name, segment.view, released, protection


def _show_tagged(loaded: "LoadedPolicy") -> None:
    """What tags and rules by class or tag were resolved to, where there are any."""
    from rich import box
    from rich.table import Column, Table

    from flink_masking.cli.console import out

    tagged = loaded.tagged
    if tagged.fields:
        columns = (Column(name, overflow="fold") for name in ("field", "tags", "class", "type", "from"))
        table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
        for one in tagged.fields:
            role = one.role or "not declared"
            table.add_row(one.path, ", ".join(one.tags) or "–", role, one.type or "–", one.by or "–")
        out.print(table)
    for segment, rules in tagged.rules.items():
        for key, paths in rules.items():
            technique = loaded.rules(segment)[paths[0]].technique.name if paths else ""
            told = f"{technique}: {', '.join(paths)}" if paths else "no field"
            out.print(f"{segment}: {key} → {told}", soft_wrap=True)


def _groups(mode: str, k: int) -> str:
    """What an anonymized segment promises: groups of k people, or values that z people showed, each by itself."""
    return f"k = {k}" if mode == "buffered" else f"z = {k} by value, no groups"


def _techniques(names: list[str]) -> str:
    """Techniques and how many rules use each, the commonest first."""
    from collections import Counter

    return ", ".join(name if count == 1 else f"{name} x{count}" for name, count in Counter(names).most_common())
