"""The audit of an aggregated view: what noisy figures still allow to be verified.

Noise cannot be measured from one output, so epsilon itself is not: that is what the tests of the mechanisms are for. What can be seen is
that rows state the epsilon of the policy, that no window and group is published twice (two draws would average the noise out), that windows
lie where the policy puts them, that public groups are all there, and that no published group is one person's own.
"""

import datetime
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flink_masking.policy.document import cut
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment, GroupKey
from flink_masking.verify.lines import ABSENT, Column, Table, lines_of, member
from flink_masking.verify.release import Raw
from flink_masking.verify.report import Report

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MILLISECOND = datetime.timedelta(milliseconds=1)
NOBODY = -(1 << 62)


def verify_aggregated(name: str, segment: AggregatedSegment, policy: Policy, raw_path: Path, released: Path) -> Report:
    """Hold the rows of a view against the policy and the raw records.

    Raises:
        InputError: there are no such files.
    """
    report = Report(name, "aggregated")
    keys = [key.field for key in segment.group_by]
    names = ["window_start", "window_end", "epsilon", *keys]
    columns = [Column() for _ in names]
    known = frozenset([*names, *segment.metrics])
    rows = Table(lines_of(released), [(member(one), column) for one, column in zip(names, columns, strict=True)], known)
    starts, ends = (np.array([instant(value) for value in column.values] or [0], np.int64)[codes]
                    for column, codes in zip(columns[:2], rows.codes[:2], strict=True))
    report.counts = {"rows": rows.size, "windows": len(np.unique(starts))}
    unexpected = ", ".join(cut(one) for one in sorted(rows.unexpected)[:3])
    report.add("members", "windows, groups, metrics, epsilon", f"besides: {unexpected}" if unexpected else "nothing else",
               not rows.unexpected and not rows.unreadable, f"{rows.unreadable:,} lines are no JSON objects" if rows.unreadable else "")
    epsilon = segment.privacy.epsilon
    stated = np.array([value == epsilon and not isinstance(value, bool) for value in columns[2].values] or [True])[rows.codes[2]]
    report.add("epsilon", f"{epsilon:g} stated in every row", f"{int((~stated).sum()):,} rows state another", bool(stated.all()))
    tumbling, hopping = segment.window.tumbling, segment.window.hopping
    size, step = (hopping.size, hopping.every) if hopping is not None else (tumbling or 0, tumbling or 1)
    off = (ends - starts != size) | (starts % step != 0)
    report.add("windows", f"of {size:,} ms, one each {step:,} ms", f"{int(off.sum()):,} rows lie elsewhere", not off.any())
    groups = np.array(rows.codes[3:], np.int64).reshape(len(keys), rows.size)
    twice = rows.size - np.unique(np.vstack((starts[None], groups)), axis=1).shape[1] if rows.size else 0
    report.add("once", "each window and group once", f"{twice:,} rows more", twice == 0)
    labels = [[_text(value) for value in column.values] for column in columns[3:]]
    if segment.group_by and all(key.groups is not None for key in segment.group_by):
        _public(report, segment, starts, groups, labels)
    elif segment.group_by:
        _crowds(report, segment, policy, raw_path, starts, size, groups, labels)
    report.notes.append("epsilon is stated, not measured: one output does not show how its noise was drawn")
    return report


def instant(value: Any) -> int:
    """Milliseconds since 1970 of ISO 8601 text (UTC where nothing else is said) or of a number; far in the past for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        moment = datetime.datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return NOBODY
    return ((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)) - EPOCH) // MILLISECOND


def _text(value: Any) -> str:
    return "null" if value is None or value is ABSENT else json.dumps(value)


def _public(report: Report, segment: AggregatedSegment, starts: np.ndarray, groups: np.ndarray, labels: list[list[str]]) -> None:
    wanted = set(itertools.product(*([_text(value) for value in key.groups or ()] for key in segment.group_by)))
    found: dict[int, set[tuple[str, ...]]] = {}
    for start, *codes in zip(starts.tolist(), *groups.tolist(), strict=True):
        found.setdefault(start, set()).add(tuple(texts[code] for texts, code in zip(labels, codes, strict=True)))
    short = sum(there != wanted for there in found.values())
    report.add("groups", f"the {len(wanted):,} public groups in every window", f"{short:,} windows with others", short == 0)


def _crowds(report: Report, segment: AggregatedSegment, policy: Policy, raw_path: Path, starts: np.ndarray, size: int, groups: np.ndarray,
            labels: list[list[str]]) -> None:
    """People behind each published group, by the raw records: a group of one person is published with a probability below delta."""
    promised = "published only where people share them"
    ways = [_way(key, policy) for key in segment.group_by]
    if any(way is None for way in ways) or policy.event_time is None or policy.subject is None:
        report.add("groups", promised, "unknown", "open", "groups that are generalised otherwise than by a prefix are not made again here")
        return
    raw = Raw.read(raw_path, policy.subject, [policy.event_time.field, *(key.field for key in segment.group_by)])
    report.counts["raw"] = raw.table.size
    clock = policy.event_time.field
    times = np.array([instant(value) for value in raw.columns[clock].values] or [0], np.int64)[raw.codes(clock)]
    numbers, there = [], np.ones(raw.table.size, np.bool_)
    for key, way, texts in zip(segment.group_by, ways, labels, strict=True):
        assert way is not None
        known = {text: at for at, text in enumerate(texts)}
        at = np.array([known.get(way(value), -1) for value in raw.columns[key.field].values] or [-1], np.int64)[raw.codes(key.field)]
        there &= at >= 0
        numbers.append(at)
    there &= (raw.people >= 0) & (times != NOBODY)
    width = [len(texts) for texts in labels]
    row_group = np.ravel_multi_index(tuple(groups), width) if groups.shape[1] else np.zeros(0, np.int64)
    group = np.ravel_multi_index(tuple(one[there] for one in numbers), width)
    order = np.lexsort((times[there], group))
    group, time, person = group[order], times[there][order], raw.people[there][order]
    base = int(min(time.min(initial=0), starts.min(initial=0)))
    span = int(max(time.max(initial=0), starts.max(initial=0) + size)) - base + 1
    key_of = group * span + (time - base) if int(np.prod(width, dtype=object)) * span < 1 << 62 else None
    small = 0
    for start, one in zip(starts.tolist(), row_group.tolist(), strict=True):
        if key_of is not None:
            first, last = np.searchsorted(key_of, (one * span + start - base, one * span + start - base + size))
            behind = person[first:last]
        else:
            behind = person[(group == one) & (time >= start) & (time < start + size)]
        small += len(behind) < 2 or (behind == behind[0]).all()
    report.add("groups", promised, f"{small:,} rows about nobody, or one person", small == 0)


def _way(key: GroupKey, policy: Policy) -> Callable[[Any], str] | None:
    """How a raw value becomes the group that rows show; None for ways that are not made again here."""
    parameters = dict(key.parameters)
    field = policy.fields[key.field]
    numeric = field.role == "measure" or field.type == "number" or (field.domain is not None and not isinstance(field.domain[0], str))
    if "generalize" in parameters and not numeric:
        parameters = {"prefix": parameters["generalize"]}
    if not parameters:
        return _text
    if set(parameters) != {"prefix"}:
        return None
    kept = int(parameters["prefix"])

    def shortened(value: Any) -> str:
        if not isinstance(value, str):
            return _text(value)
        return _text(value[:kept] + "*" * (len(value) - kept) if len(value) > kept else "*" * len(value))

    return shortened
