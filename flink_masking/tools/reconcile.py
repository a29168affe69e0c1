"""Compares the audit counts of a finished run with the records in the output: input = released + suppressed + quarantined."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from flink_masking.audit.reports import BatchReport, read_report
from flink_masking.engine.aggregated import AggregatedPlan
from flink_masking.engine.plan import Plan
from flink_masking.engine.quarantine import Entry
from flink_masking.errors import InputError, JobError
from flink_masking.files.opened import data_files
from flink_masking.records.inputs import count_records
from flink_masking.tools.member_faults import FieldFaults, MemberFaults

OF_MEMBERS = {"unknown_field", "type_mismatch", "contract", "refused_value"}
"""Reasons of records whose entries list members."""


@dataclass(frozen=True)
class SegmentAccount:
    """What became of the accepted records in one segment.

    Attributes:
        released: records in the view (aggregated: in published groups; with hopping windows once for each window that they lie in).
        suppressed: records left out by the segment's own rules (no group of k people, contribution bound, group below the threshold).
        rows: lines of the view.
        late: of the suppressed, those that came too late for their window.
    """

    released: int
    suppressed: int
    rows: int
    late: int = 0


@dataclass(frozen=True)
class Summary:
    """A run in figures.

    Attributes:
        input: raw records read.
        quarantined: records that no view holds.
        segments: accounts by segment.
        reasons: quarantined records by reason.
        fields: undeclared and mistyped members of quarantined records, by path; undeclared keys as ``?``.
        unlisted: such members that are counted only, of records with more than a hundred of them.
    """

    input: int
    quarantined: int
    segments: dict[str, SegmentAccount]
    reasons: dict[str, int]
    fields: list[FieldFaults] = field(default_factory=list)
    unlisted: int = 0

    def encode(self) -> bytes:
        """As ``summary.json``."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def summarize(plan: Plan, output: Path) -> Summary:
    """Compare the audit counts of a finished run with the records in its output.

    Args:
        plan: the compiled policy.
        output: the run's directory.

    Raises:
        JobError: records are missing or too many.
    """
    records = erased = 0
    reasons: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {s.name: Counter() for s in plan.stateful}
    copies = {s.name: s.spec.windows_per_record if isinstance(s, AggregatedPlan) else 1 for s in plan.stateful}
    for line in lines(output / "audit"):
        try:
            report = read_report(line)
        except InputError:
            raise JobError("audit: a line is no audit event, so counts cannot be compared. "
                           "Hint: run again into an empty directory") from None
        if isinstance(report, BatchReport):
            records += report.records
            erased += report.erased
            reasons.update(report.quarantined)
            for name in counts.keys() & report.stateful.keys():
                counts[name]["suppressed"] += copies[name] * report.stateful[name].suppressed
        elif report is not None and report.segment in counts:
            counts[report.segment].update(report.counts)
    quarantined = reasons.total()
    accepted = records - quarantined - erased
    _agree("quarantine", quarantined, count_lines(output / "quarantine"))
    accounts = {}
    for masked in plan.masked:
        rows = _rows(plan, output / masked.name)
        _agree(masked.name, accepted, rows)
        accounts[masked.name] = SegmentAccount(rows, 0, rows)
    for stateful in plan.stateful:
        count, rows = counts[stateful.name], _rows(plan, output / stateful.name)
        suppressed = sum(count[name] for name in ("suppressed", "bounded", "late"))
        _agree(stateful.name, accepted * copies[stateful.name], count["released"] + suppressed)
        _agree(stateful.name, count["rows"] if stateful.has_time else count["released"], rows)
        accounts[stateful.name] = SegmentAccount(count["released"], suppressed, rows, count["late"])
    faults = member_faults(output / "quarantine") if reasons.keys() & OF_MEMBERS else MemberFaults()
    return Summary(records, quarantined, accounts, dict(reasons), faults.fields, faults.unlisted)


def member_faults(quarantine: Path) -> MemberFaults:
    """What is wrong with the members of the records in a quarantine directory."""
    faults = MemberFaults()
    for line in lines(quarantine):
        if b',"members":[' in line or b',"unlisted":' in line:
            entry = Entry.decode(line)
            faults.add(entry.members, entry.unlisted)
    return faults


def _rows(plan: Plan, view: Path) -> int:
    """Records in a view that has no header yet: lines, unless a record may hold line breaks."""
    return count_records(data_files(view), plan.policy.format) if plan.codec.columns else count_lines(view)


def _agree(what: str, expected: int, found: int) -> None:
    if expected != found:
        raise JobError(f"{what}: the counts do not reconcile: {expected} records expected, {found} found. Hint: do not use this output; "
                       "run again into an empty directory, and report it if it happens again")


def lines(directory: Path) -> Iterator[bytes]:
    """All lines of the finished files below a directory, without their ends."""
    for file in data_files(directory):
        with file.open("rb") as opened:
            for line in opened:
                yield line.rstrip(b"\n")


def count_lines(directory: Path) -> int:
    """Number of lines below a directory; one that lacks its end was cut off and does not count."""
    total = 0
    for file in data_files(directory):
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                total += block.count(b"\n")
    return total
