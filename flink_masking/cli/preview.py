"""``flink-masking preview``: shows events before and after protection, without a Java virtual machine."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from flink_masking.cli.addresses import named_vault
from flink_masking.cli.completion import segments
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    import pyarrow as pa

    from flink_masking.engine.quarantine import Entry
    from flink_masking.engine.record import RecordPlan
    from flink_masking.policy.load import LoadedPolicy
    from flink_masking.protector import Protector, Result

SAMPLE = 100_000
"""Records read for a segment that needs many people before it shows anything."""

UNGRANTED = "granted; no record leaves without a grant, and a preview has none"


class Refused(NamedTuple):
    """A record that goes to quarantine.

    Attributes:
        reason: as in the entry.
        path: of the member, printable; empty where it is the whole record.
        members: all members that it is refused for, a line each.
        raw: the record, with --show-raw.
    """

    reason: str
    path: str
    members: tuple[str, ...]
    raw: str | None

    def told(self) -> str:
        """Lines for a terminal."""
        more = [*self.members, *([self.raw] if self.raw is not None else [])]
        return "".join([f"to quarantine, {self.reason}{f' ({self.path})' if self.path else ''}", *(f"\n  {line}" for line in more)])


def preview(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    events: Annotated[Path, typer.Argument(help="Records: a file, a directory of files, or - for standard input.", show_default=False)],
    segment: Annotated[str | None, typer.Option("--segment", help="Only this segment.",
        show_default="all", autocompletion=segments)] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Events (or lines of an anonymized or aggregated view) to show.")] = 5,
    keys: Annotated[
        str | None, typer.Option("--keys", help="Address of the key ring; without it, throw-away keys.", show_default=False)
    ] = None,
    vault: Annotated[
        str | None, typer.Option("--vault", metavar="ADDRESS", help="Token vault; without it, throw-away tokens.", show_default=False)
    ] = None,
    show_raw: Annotated[bool, typer.Option("--show-raw", help="Show personal values on the 'before' side, too.")] = False,
    json_: Json = False,
) -> None:
    """Show EVENTS before and after protection by POLICY, side by side.

    Personal values are left out of the "before" side unless --show-raw is given.
    """

    import pyarrow as pa

    from flink_masking.cli.console import err, print_json, show_faults
    from flink_masking.cli.progress import first, waiting
    from flink_masking.cli.quarantine import printable
    from flink_masking.engine.quarantine import Entry
    from flink_masking.errors import InputError
    from flink_masking.keys.providers import open_ring
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.protector import Protector
    from flink_masking.records.inputs import Input
    from flink_masking.tools.preview import why_empty
    from flink_masking.vault.memory import MemoryVault

    source = PolicySource.read(policy)
    loaded = load(source)
    if segment is not None and segment not in loaded.policy.segments:
        raise InputError(f"{policy}: there is no segment of that name. Hint: segments are {', '.join(loaded.policy.segments)}")
    show_faults(source.name, loaded.warnings)
    if keys is None:
        err.print("no --keys: pseudonyms and substitutes are made with throw-away keys")
    if vault is not None and keys is None:
        raise InputError("--vault: tokens of a vault are made with its key ring. Hint: give --keys, too")
    records = Input.of(events, loaded.policy.format, loaded.policy.columns, blank=True, each=loaded.policy.each)
    loaded = loaded.of_files(None) if records.columns is None else loaded.for_header(records.columns, str(events))
    ring = KeyRing.ephemeral() if keys is None else open_ring(keys)
    protector = Protector(loaded.in_order(), ring, MemoryVault() if vault is None else named_vault(vault))
    chosen = [segment] if segment else list(loaded.policy.segments)
    stateful = any(s.name in chosen for s in protector.plan.stateful)
    payloads = pa.array(list(first("Reading a sample", records, SAMPLE if stateful else limit, records.files)), pa.binary())
    if not len(payloads):
        raise InputError(f"{events}: there is no record. Hint: name files that hold records")
    with waiting("Protecting the sample"):
        result = protector.protect(payloads)
        final = protector.finish()
    if any(Entry.decode(line).reason in ("unknown_field", "type_mismatch") for _, line in result.quarantine):
        err.print(f"The policy does not fit all events; this names every field: flink-masking scan {events} --against {policy}",
                  soft_wrap=True)
    before = _before(protector, payloads.slice(0, limit), result, show_raw) if any(s.name in chosen for s in protector.plan.masked) else []
    if json_:
        found = _masked(loaded, protector, chosen, before, result)
        found |= _published(loaded, protector, chosen, result, final, len(payloads), limit)
        print_json({"records": len(payloads), "views": {name: found[name] for name in chosen if name in found}})
        return
    write = sys.stdout.write
    for masked in protector.plan.masked:
        if loaded.policy.segments[masked.name].view == "granted":
            write(f"{masked.name}: {UNGRANTED}\n\n" if masked.name in chosen else "")
        elif masked.name in chosen:
            mixed = getattr(loaded.policy.segments[masked.name], "order", "") == "shuffled"
            write(f"{masked.name} (masked{', shown in the order read' if mixed else ''})\n{_beside(masked.record)}\n")
            members = partial(protector.plan.codec.members, columns=protector.plan.columns(masked.name))
            write("".join(_blocks(before, result.views[masked.name], members)))
    for published in protector.plan.stateful:
        if published.name in chosen:
            rows = [*result.released[published.name], *final[published.name]]
            write(f"{published.name}: {len(rows):,} lines from {len(payloads):,} events\n\n")
            if not rows:
                write(f"  {why_empty(loaded, published.name, len(payloads) - len(result.quarantine))}\n\n")
            write("".join(f"  {printable(row)}\n" for row in rows[:limit]) + "\n")


def _beside(record: "RecordPlan") -> str:
    """What becomes of Kafka's own parts of a record, which a file of events does not have; nothing where none of them leaves."""
    if not record:
        return ""
    parts = [("key", record.key.technique)] if record.key else []
    parts += [(f"header {part.header}", part.technique) for part in record.headers] + ([("timestamp", "keep")] if record.timestamp else [])
    return f"in Kafka, beside the value: {', '.join(f'{name} {technique}' for name, technique in parts)}\n"


def _before(protector: "Protector", payloads: "pa.BinaryArray", result: "Result", show_raw: bool) -> "list[Refused | dict[str, str]]":
    """For each record its members as they may be shown, or why it is in quarantine."""
    from flink_masking.cli.console import counted
    from flink_masking.cli.quarantine import printable
    from flink_masking.engine.quarantine import Entry
    from flink_masking.tools.preview import hidden

    entries = {row: Entry.decode(line) for row, line in result.quarantine if row < len(payloads)}
    codec = protector.plan.codec
    shown, undeclared, columns = (payloads, [0] * len(payloads), codec.columns) if show_raw else hidden(protector.plan, payloads)
    found: list[Refused | dict[str, str]] = []
    for number, record in enumerate(shown.to_pylist()):
        if (entry := entries.get(number)) is not None:
            raw = printable(record or b"") if show_raw else None
            found.append(Refused(entry.reason, printable(entry.path or ""), _members(entry), raw))
        else:
            members = codec.members(record, columns) if record is not None else {}
            found.append({**members, f"({counted(undeclared[number], 'undeclared member')})": ""} if undeclared[number] else members)
    return found


def _masked(loaded: "LoadedPolicy", protector: "Protector", chosen: list[str], before: "list[Refused | dict[str, str]]",
            result: "Result") -> dict[str, Any]:
    """Masked segments for --json: of each record its members before and after, or why it is in quarantine."""
    found: dict[str, Any] = {}
    for masked in protector.plan.masked:
        if loaded.policy.segments[masked.name].view == "granted":
            found[masked.name] = {"view": "granted", "note": UNGRANTED}
        elif masked.name in chosen:
            columns, rows = protector.plan.columns(masked.name), result.views[masked.name].slice(0, len(before)).to_pylist()
            found[masked.name] = {"view": "masked", "events": [
                {"quarantine": left._asdict()} if isinstance(left, Refused) else
                {"before": left, "after": protector.plan.codec.members(row, columns=columns)}
                for left, row in zip(before, rows, strict=True)]}
    return found


def _published(loaded: "LoadedPolicy", protector: "Protector", chosen: list[str], result: "Result", final: "Mapping[str, Sequence[bytes]]",
               count: int, limit: int) -> dict[str, Any]:
    """Anonymized and aggregated segments for --json: how many lines the events gave, and the first of them as text."""
    from flink_masking.cli.quarantine import printable
    from flink_masking.tools.preview import why_empty

    found: dict[str, Any] = {}
    for published in protector.plan.stateful:
        if published.name in chosen:
            rows = [*result.released[published.name], *final[published.name]]
            note = "" if rows else why_empty(loaded, published.name, count - len(result.quarantine))
            found[published.name] = {"view": loaded.policy.segments[published.name].view, "lines": len(rows),
                                     "first": [printable(row) for row in rows[:limit]], "note": note}
    return found


def _members(entry: "Entry") -> tuple[str, ...]:
    """All members that a record is refused for."""
    from flink_masking.cli.quarantine import printable
    from flink_masking.tools.member_faults import MemberFaults

    faults = MemberFaults()
    faults.add(entry.members, entry.unlisted)
    more = [f"and {entry.unlisted:,} more"] if entry.unlisted else []
    return (*(printable(fault.of_one()) for fault in faults.fields), *more)


def _blocks(before: "list[Refused | dict[str, str]]", view: "pa.BinaryArray",
            members: "Callable[[bytes], dict[str, str]]") -> Iterator[str]:
    """One text block a record: a heading and a line for each member."""
    from flink_masking.cli.quarantine import printable
    from flink_masking.tools.preview import side_by_side

    for number, (left, after) in enumerate(zip(before, view.slice(0, len(before)).to_pylist(), strict=True), 1):
        if isinstance(left, Refused):
            yield f"event {number}: {left.told()}\n\n"
            continue
        rows = list(side_by_side(left, members(after)))
        if not all("".join(row).isprintable() for row in rows):
            rows = [(printable(path), printable(one), printable(other)) for path, one, other in rows]
        first, second = (min(60, max((len(row[i]) for row in rows), default=0)) for i in (0, 1))
        yield f"event {number}\n" + "".join(f"  {path:<{first}}  {one:<{second}}  →  {other}\n" for path, one, other in rows) + "\n"
