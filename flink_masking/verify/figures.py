"""Compares the rows of an aggregated view with the figures of the raw records."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flink_masking.documents.document import cut
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment
from flink_masking.verify.budget import Budget, Quantity
from flink_masking.verify.contributions import Contributions, Figure
from flink_masking.verify.grouping import Grouping, grouping, text_of
from flink_masking.verify.lines import ABSENT
from flink_masking.verify.records import Held
from flink_masking.verify.refused import refusing
from flink_masking.verify.release import Raw
from flink_masking.verify.report import Report
from flink_masking.verify.residuals import Residuals, published

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MILLISECOND = datetime.timedelta(milliseconds=1)
NOBODY = -(1 << 62)
MOST_PLACES = 50_000_000
"""Records times windows at most."""


def instant(value: Any) -> int:
    """Milliseconds since 1970 of ISO 8601 text (UTC where nothing else is said) or of a number; far in the past for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        moment = datetime.datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return NOBODY
    return ((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)) - EPOCH) // MILLISECOND


def judge_figures(report: Report, segment: AggregatedSegment, policy: Policy, raw_path: Path | Held, starts: np.ndarray, groups: np.ndarray,
                  labels: list[list[str]], columns: dict[str, list[Any]]) -> None:
    """Hold figures and groups against the raw records: noise as promised, and no group that too few people share.

    Args:
        report: where promises are noted.
        segment: as in the policy.
        policy: that it belongs to.
        raw_path: the raw records.
        starts: int64, the window's start of each row.
        groups: int64 (group fields, rows), the number of each row's value among `labels`.
        labels: by group field, values as text.
        columns: by metric, the value of each row.

    Raises:
        InputError: there are no such files.
    """
    ways = [grouping(key, policy) for key in segment.group_by]
    budget = Budget(segment, policy.fields)
    promised = f"discrete {segment.privacy.mechanism.capitalize()} in every figure, drawn by the policy's epsilon"
    if any(way is None for way in ways) or policy.event_time is None or policy.subject is None:
        why = "groups by week, quarter, hierarchy, geohash, rounding, or ranges of numbers with decimals are not made again here"
        report.add("noise", promised, "unknown", "open", why)
        if not budget.public:
            report.add("groups", f"from {budget.threshold:,} people on, noise included", "unknown", "open", why)
        return
    clock, measures = policy.event_time.field, list(dict.fromkeys(m.field for m in segment.metrics.values() if m.field is not None))
    raw = Raw.read(raw_path, policy, [clock, *(key.field for key in segment.group_by), *measures],
                   refusing(policy) if policy.format == "json" else None)
    report.counts["raw"] = raw.table.size
    time = np.array([instant(value) for value in raw.columns[clock].values] or [0], np.int64)[raw.codes(clock)]
    there = (raw.people >= 0) & (time != NOBODY)
    numbers = {path: _measured(raw, path, budget) for path in measures}
    for path, number in numbers.items():
        there &= ~np.isnan(number) | (policy.fields[path].optional & _absent(raw, path))
    group, row_group = _numbered(raw, segment, ways, labels, groups, budget.public)
    there &= group >= 0
    held = _Compared(segment, policy, budget, raw, time, numbers, starts, group, row_group, columns)
    known = held.against(report, there & ~raw.refused, promised)
    if known.broken and raw.refused.any() and not (every := held.against(report, there, promised)).broken:
        known = every  # figures of all records fit: the run took those that look refused here
    elif (there & raw.refused).any():
        known.notes.append("records that the policy sends to quarantine for their members are left out")
    report.counts, report.promises, report.figures, report.notes = known.counts, known.promises, known.figures, known.notes


class _Compared(NamedTuple):
    """Rows and raw records of a view, to be held against each other.

    Attributes:
        segment: as in the policy.
        policy: that it belongs to.
        budget: of the segment.
        raw: the raw records.
        time: int64, ms, the event time of each record.
        numbers: the clipped values of each measure, a record.
        starts: int64, the window's start of each row.
        group: int64, the group of each record.
        row_group: int64, the group of each row.
        columns: by metric, the value of each row.
    """

    segment: AggregatedSegment
    policy: Policy
    budget: Budget
    raw: Raw
    time: np.ndarray
    numbers: dict[str, np.ndarray]
    starts: np.ndarray
    group: np.ndarray
    row_group: np.ndarray
    columns: dict[str, list[Any]]

    def against(self, so_far: Report, there: np.ndarray, promised: str) -> Report:
        """The report so far, and what the figures are beside the records that are `there`."""
        report = replace(so_far, counts=dict(so_far.counts), promises=list(so_far.promises), figures=dict(so_far.figures),
                         notes=list(so_far.notes))
        _judge(report, self, there, promised)
        return report


def _judge(report: Report, held: _Compared, there: np.ndarray, promised: str) -> None:
    segment, policy, budget, raw, time, numbers, starts, group, row_group, columns = held
    size, step = window_of(segment)
    record, start = _in_windows(time, there, size, step)
    if len(record) > MOST_PLACES:
        report.add("noise", promised, "unknown", "open", f"records lie in more than {MOST_PLACES:,} windows")
        return
    assert policy.event_time is not None
    late = start + size <= _come(time, there, policy.event_time.max_out_of_orderness)[record]
    worn = _worn(segment, start, raw.people[record])
    found = Contributions(start, group[record], raw.people[record], budget.groups, budget.records, late | worn)
    keys = {(int(s), int(g)): at for at, (s, g) in enumerate(found.cells.T.tolist())}
    cells = np.array([keys.get(key, -1) for key in zip(starts.tolist(), row_group.tolist(), strict=True)], np.int64)
    residuals = Residuals(budget, found, cells)
    for quantity, parts in published(segment, budget, columns).items():
        values = None if quantity.field is None else numbers[quantity.field][record]
        for bin, shown in enumerate(parts):
            residuals.add(_named(quantity), quantity, shown, _raw_figure(found, quantity, bin, values, budget))
    residuals.judge(report, promised)
    if not budget.public:
        residuals.judge_groups(report)
    if bool(found.unsure.any()):
        report.figures["windows and groups of the raw records"] = {"all": len(found.unsure), "held against ranges": int(found.unsure.sum())}
        report.notes.append("some windows and groups may lack late records, or people whose lifetime budget is spent: their figures are "
                            "held against ranges only")
    report.notes.append("records that the job put into quarantine for what is not known here, such as a member twice, count")


def window_of(segment: AggregatedSegment) -> tuple[int, int]:
    """Length of a window and time from one to the next, ms."""
    hopping = segment.window.hopping
    return (hopping.size, hopping.every) if hopping is not None else (segment.window.tumbling or 0, segment.window.tumbling or 1)


def _in_windows(time: np.ndarray, there: np.ndarray, size: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Records and the starts of the windows that they lie in, each pair once."""
    record, each = np.flatnonzero(there), size // step
    last = np.floor_divide(time[record], step) * step
    return np.repeat(record, each), (last[:, None] - np.arange(each) * step).ravel()


def _come(time: np.ndarray, there: np.ndarray, disorder: int) -> np.ndarray:
    """The watermark before each record, if they come in the order of the file."""
    latest = np.maximum.accumulate(np.where(there, time, NOBODY))
    return np.concatenate(([NOBODY], latest[:-1]))[: len(time)] - disorder


def _worn(segment: AggregatedSegment, start: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Which records are of people in windows beyond those that their lifetime budget reaches for."""
    privacy = segment.privacy
    if privacy.lifetime_epsilon is None:
        return np.zeros(len(start), np.bool_)
    pairs, of = np.unique(np.stack((person, start)), axis=1, return_inverse=True)
    rank = np.arange(pairs.shape[1]) - np.searchsorted(pairs[0], pairs[0])
    worn: np.ndarray = (rank >= int(privacy.lifetime_epsilon / privacy.epsilon + 1e-9))[of.reshape(-1)]
    return worn


def _numbered(raw: Raw, segment: AggregatedSegment, ways: Sequence[Grouping | None], labels: list[list[str]],
              groups: np.ndarray, public: bool) -> tuple[np.ndarray, np.ndarray]:
    """A number for the group of each raw record (-1: of none that counts), and of each row."""
    record = np.zeros(raw.table.size, np.int64)
    row = np.zeros(groups.shape[1], np.int64)
    for number, (key, way, texts) in enumerate(zip(segment.group_by, ways, labels, strict=True)):
        assert way is not None
        texts = [way.label(text) for text in texts]
        known: dict[str, int] = {}
        for text in [way.label(text_of(value)) for value in key.groups or ()] if public else texts:
            known.setdefault(text, len(known))
        of = [way.raw(value) for value in raw.columns[key.field].values] or ["null"]
        of_value = [known.get(text, -1) if public else known.setdefault(text, len(known)) for text in of]
        at = np.array(of_value, np.int64)[raw.codes(key.field)]
        rows = np.array([known.get(text, len(known)) for text in texts] or [0], np.int64)[groups[number]]
        width = len(known) + 1
        record = np.where((record < 0) | (at < 0), -1, record * width + at)
        row = row * width + rows
    return record, row


def _measured(raw: Raw, path: str, budget: Budget) -> np.ndarray:
    """The clipped values of a measure in units, float64; not a number where there is none."""
    numbers = [value if isinstance(value, int | float) and not isinstance(value, bool) else np.nan for value in raw.columns[path].values]
    units = np.rint(np.array(numbers or [np.nan], np.float64) * 10 ** budget.scale_of(path))
    return np.clip(units, *budget.bounds(path))[raw.codes(path)]


def _absent(raw: Raw, path: str) -> np.ndarray:
    absent: np.ndarray = np.array([value is None or value is ABSENT for value in raw.columns[path].values] or [True])[raw.codes(path)]
    return absent


def _raw_figure(found: Contributions, quantity: Quantity, bin: int, values: np.ndarray | None, budget: Budget) -> Figure:
    if quantity.kind == "subjects":
        return found.subjects()
    if values is None:
        return found.sums(np.ones(found.records))
    if quantity.kind == "sum":
        return found.sums(np.nan_to_num(values))
    if quantity.kind == "values":
        return found.sums(~np.isnan(values))
    edges = [budget.units(quantity.field or "", edge) for edge in quantity.bins]
    at = np.clip(np.searchsorted(edges[:-1], np.nan_to_num(values), "right") - 1, 0, len(edges) - 2)
    return found.sums((at == bin) & ~np.isnan(values))


def _named(quantity: Quantity) -> str:
    words = {"subjects": "people", "records": "records", "sum": "sum of {}", "values": "values of {}", "bins": "bins of {}"}
    return words[quantity.kind].format(cut(quantity.field or ""))
