"""``flink-masking quarantine show`` and ``summary``: the reasons of quarantined records, and for key holders the records."""

import getpass
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.accountable import Grants
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.engine.quarantine import Entry, QuarantineReader
    from flink_masking.tools.member_faults import MemberFaults

Source = Annotated[
    Path, typer.Argument(help="The quarantine directory of a run, or the deployment (YAML) of a job.", show_default=False)
]
Keys = Annotated[
    str | None,
    typer.Option("--keys", help="Address of the key ring that the run used; of a deployment its own unless given.", show_default=False),
]
Audit = Annotated[Path | None, typer.Option(
    "--audit", help="Where events are noted: a file, an audit directory, or a deployment, whose sink audit it is.",
    show_default="the deployment's, or SOURCE.audit.jsonl")]
DayVault = Annotated[str | None, typer.Option(
    "--vault", metavar="ADDRESS", help="Vault with the keys of days, where the policy says quarantine: {keep: …}.",
    show_default="the deployment's")]
Config = Annotated[
    Path | None,
    typer.Option("--command-config", help="Properties of a Kafka user, as Kafka's tools take them; else the deployment's own.",
                 show_default=False),
]  # fmt: skip


NO_PURPOSE = "not given"
"""The purpose in the audit if none was given."""


def login() -> str:
    """The account that runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return f"uid {os.getuid()}"


def show(
    source: Source,
    keys: Keys = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Decrypt and print the records themselves: clear personal data.")] = False,
    actor: Annotated[
        str | None, typer.Option("--actor", help="With --keys: who runs the command; written to the audit.", show_default="the login name")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="With --keys: purpose of the command; written to the audit.", show_default=NO_PURPOSE)
    ] = None,
    audit: Audit = None,
    vault: DayVault = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Entries to print; 0 for all.")] = 1000,
    command_config: Config = None,
    grants: Grants = None,
) -> None:
    """Show the entries of a quarantine: reason, field and position; for the key holder, undeclared keys and with --reveal the records.

    Who opens records, why and how many is appended to the audit, before the first of them is opened and again at the end.
    """
    from contextlib import ExitStack

    from flink_masking.audit.accountable import audited
    from flink_masking.cli.console import counted, err, out
    from flink_masking.cli.quarantined import Quarantine

    quarantine = Quarantine.at(source, command_config)
    reasons: Counter[str] = Counter()
    shown = _Shown()
    with ExitStack() as held:
        reader, end = None, None
        if reveal or keys is not None:
            who = quarantine.who(login() if actor is None else actor, NO_PURPOSE if purpose is None else purpose)
            ring = quarantine.ring(keys)
            facts = {**who, "quarantine": str(source), "shown": "records" if reveal else "undeclared keys"}
            log = quarantine.log(ring, audit)
            reader = quarantine.reader(ring, vault, quarantine.under_grant(ring, grants, log, "reveal", facts))
            end = held.enter_context(audited(log, "reveal", facts))
        for number, entry in enumerate(quarantine.entries()):
            reasons[entry.reason] += 1
            if limit and number >= limit:
                continue
            named = shown.undeclared(reader, entry) if reader is not None and not reveal else None
            out.print(printable(_line(entry) + (f": {named}" if named else "")), soft_wrap=True)
            if reader is not None and reveal:
                out.print("    " + shown.record(reader, entry), soft_wrap=True)
        if end is not None:
            end(shown.counts())
    if not reasons:
        out.print("no record is in quarantine")
        return
    totals = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
    out.print(printable(f"{counted(reasons.total(), 'record')}: {totals}"), soft_wrap=True)
    if limit and reasons.total() > limit:
        err.print(f"the first {limit:,} are shown; --limit 0 shows all")
    if reveal and (shown.closed or shown.unopened):
        shown.refuse()


def summary(
    source: Source,
    keys: Annotated[
        str | None,
        typer.Option("--keys", help="Address of the key ring: names the undeclared fields and prints the lines that declare them.",
                     show_default=False),
    ] = None,
    actor: Annotated[
        str | None, typer.Option("--actor", help="With --keys: who runs the command; written to the audit.", show_default="the login name")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="With --keys: purpose of the command; written to the audit.", show_default=NO_PURPOSE)
    ] = None,
    audit: Audit = None,
    vault: DayVault = None,
    command_config: Config = None,
    grants: Grants = None,
    json_: Json = False,
) -> None:
    """Count the entries of a quarantine by reason and field, with the first and the last time, and all undeclared or mistyped fields.

    No keys are needed. For the key holder, undeclared fields are named, down to the values of undeclared objects, and the lines that
    declare them in a policy are printed; that is noted in the audit as by show.
    """
    from contextlib import ExitStack
    from dataclasses import asdict

    from flink_masking.audit.accountable import audited
    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.progress import each
    from flink_masking.cli.quarantined import Quarantine
    from flink_masking.tools.member_faults import MemberFaults

    groups: dict[tuple[str, str], list[str]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    faults, quarantine, shown = MemberFaults(), Quarantine.at(source, command_config), _Shown()
    with ExitStack() as held:
        reader, end = None, None
        if keys is not None:
            who = quarantine.who(login() if actor is None else actor, NO_PURPOSE if purpose is None else purpose)
            ring = quarantine.ring(keys)
            facts = {**who, "quarantine": str(source), "shown": "undeclared keys"}
            log = quarantine.log(ring, audit)
            reader = quarantine.reader(ring, vault, quarantine.under_grant(ring, grants, log, "reveal", facts))
            end = held.enter_context(audited(log, "reveal", facts))
        for entry in each("Counting", quarantine.entries(), "entries"):
            group = entry.reason, entry.path or ""
            counts[group] += 1
            times = groups.setdefault(group, [entry.time, entry.time])
            times[:] = min(times[0], entry.time), max(times[1], entry.time)
            faults.add(entry.members, entry.unlisted)
            if reader is not None:
                shown.undeclared(reader, entry)
        if end is not None:
            end(shown.counts())
    if json_:
        groups_ = [{"records": count, "reason": reason, "field": path or None, "first": groups[reason, path][0],
                    "last": groups[reason, path][1]} for (reason, path), count in counts.most_common()]
        print_json({"records": counts.total(), "groups": groups_, "fields": [asdict(fault) for fault in faults.fields],
                    "unlisted": faults.unlisted, "proposed": [one.line() for one in shown.names.fields()] if keys is not None else [],
                    "unopened": shown.unopened + shown.closed.total()})
    elif not counts:
        out.print("no record is in quarantine")
    else:
        _show_summary(counts, groups, faults, shown if keys is not None else None)
    if shown.closed or shown.unopened:
        shown.refuse()


def _show_summary(counts: "Counter[tuple[str, str]]", groups: dict[tuple[str, str], list[str]], faults: "MemberFaults",
                  shown: "_Shown | None") -> None:
    """Print the summary; with the names of undeclared fields for the key holder."""
    from flink_masking.cli.console import counted, out

    rows = [(f"{count:,}", printable(reason), printable(path) or "-", *map(printable, groups[reason, path]))
            for (reason, path), count in counts.most_common()]
    heading = ("records", "reason", "field", "first", "last")
    widths = [max(len(row[place]) for row in (heading, *rows)) for place in range(len(heading))]
    for row in (heading, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        out.print("  ".join([row[0].rjust(widths[0]), *cells[1:]]).rstrip(), soft_wrap=True)
    out.print(f"{counted(counts.total(), 'record')} in quarantine", soft_wrap=True)
    if not faults.fields:
        return
    out.print("\nfields")
    for found in faults.fields:
        out.print(f"  {printable(found.told())}", soft_wrap=True)
    if faults.unlisted:
        out.print(f"  and {counted(faults.unlisted, 'member')} of records with more than are listed", soft_wrap=True)
    if shown is None:
        out.print("Hint: --keys names the undeclared fields, and prints the lines that declare them in the policy", soft_wrap=True)
    elif proposed := shown.names.fields():
        out.print("\nlines for 'fields' of the policy:")
        for field in proposed:
            out.print(printable(field.line()), soft_wrap=True)


class _Shown:
    """What became of the entries that were to be opened."""

    def __init__(self) -> None:
        from flink_masking.tools.undeclared import Names

        self.names = Names()
        self.opened = self.unopened = 0
        self.closed: Counter[str] = Counter()
        self._streams: set[str] = set()

    def record(self, reader: "QuarantineReader", entry: "Entry") -> str:
        """The record as it may be printed, or why there is none."""
        from flink_masking.errors import DecryptionError, KeyRingError

        try:
            text = printable(reader.payload(entry))
        except DecryptionError:
            self.unopened += 1
            return "(these keys do not open it)"
        except KeyRingError as error:  # of one version: entries of others open all the same
            self.closed[str(error)] += 1
            return printable(f"({str(error).partition('. Hint')[0]})")
        self.opened += 1
        self._streams.add(entry.stream)  # authenticated by the seal, unlike that of an entry that does not open
        return text

    def undeclared(self, reader: "QuarantineReader", entry: "Entry") -> str | None:
        """The members that no policy declares, where the entry is about any and these keys open it."""
        from flink_masking.errors import DecryptionError, KeyRingError

        if not entry.members and (entry.position is None or "?" not in (entry.path or "")):
            return None
        try:
            record = reader.payload(entry)
        except DecryptionError:
            self.unopened += 1
            return None
        except KeyRingError as error:
            self.closed[str(error)] += 1
            return None
        self.opened += 1
        self._streams.add(entry.stream)
        return ", ".join(path[:60] for path in self.names.add(entry, record)) or None

    def refuse(self) -> None:
        """Raise what says how many entries these keys do not open.

        Raises:
            KeyRingError: a key of the ring cannot be used.
            DecryptionError: otherwise.
        """
        from flink_masking.cli.console import counted
        from flink_masking.errors import DecryptionError, KeyRingError

        if self.closed:
            told = self.closed.most_common(1)[0][0]
            raise KeyRingError(f"{counted(self.closed.total() + self.unopened, 'record')} could not be opened: {told}")
        raise DecryptionError(f"{counted(self.unopened, 'record')} could not be opened. Hint: --keys must be the key ring that the run "
                              "used")

    def counts(self) -> dict[str, object]:
        """For the audit."""
        return {"streams": sorted(self._streams), "revealed": self.opened, "unopened": self.unopened + self.closed.total()}


def _line(entry: "Entry") -> str:
    found = f"at byte {entry.position}" if entry.position is not None else None
    cut = f"(the beginning of {entry.size:,} bytes)" if entry.size is not None else None
    place = " ".join(part for part in (entry.path, found, cut) if part)
    return f"{entry.time}  {entry.reason}  {place}".rstrip()


def printable(record: bytes | str) -> str:
    """A record as text that cannot do anything to a terminal: control characters and broken UTF-8 are shown as escapes."""
    text = record if isinstance(record, str) else record.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
