"""The audit of an aggregated view: its rows, and its figures beside the raw records.

Rows state the epsilon of the policy, no window and group is published twice (two draws would average the noise out), windows lie where the
policy puts them, and public groups are all there. Figures are as far from those of the raw records as the promised noise takes them: no
closer, so that exact ones are found, and no further; groups are published where their people reach the threshold. One output cannot show
whether its noise was drawn at random: that is what the tests of the mechanisms are for.
"""

import itertools
from pathlib import Path

import numpy as np

from flink_masking.documents.document import cut
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment
from flink_masking.verify.figures import instant, judge_figures, window_of
from flink_masking.verify.grouping import text_of
from flink_masking.verify.lines import Column, Table, member
from flink_masking.verify.records import Held, Records
from flink_masking.verify.report import Report, unreadable


def verify_aggregated(name: str, segment: AggregatedSegment, policy: Policy, raw_path: Path | Held, released: Path | Held) -> Report:
    """Hold the rows of a view against the policy and the raw records.

    Raises:
        InputError: there are no such files.
    """
    report = Report(name, "aggregated")
    keys = [key.field for key in segment.group_by]
    names = ["window_start", "window_end", "epsilon", *keys, *segment.metrics]
    columns = [Column() for _ in names]
    getters = [(member(one), column) for one, column in zip(names, columns, strict=True)]
    rows = Table(Records(released, policy, flat=True, literals=["epsilon", *segment.metrics], once=True), getters, frozenset(names))
    starts, ends = (np.array([instant(value) for value in column.values] or [0], np.int64)[codes]
                    for column, codes in zip(columns[:2], rows.codes[:2], strict=True))
    report.counts = {"rows": rows.size, "windows": len(np.unique(starts))}
    unexpected = ", ".join(cut(one) for one in sorted(rows.unexpected)[:3])
    report.add("members", "windows, groups, metrics, epsilon", f"besides: {unexpected}" if unexpected else "nothing else",
               not rows.unexpected and not rows.unreadable, unreadable(rows))
    epsilon = segment.privacy.epsilon
    stated = np.array([value == epsilon and not isinstance(value, bool) for value in columns[2].values] or [True])[rows.codes[2]]
    report.add("epsilon", f"{epsilon:g} stated in every row", f"{int((~stated).sum()):,} rows state another", bool(stated.all()))
    size, step = window_of(segment)
    off = (ends - starts != size) | (starts % step != 0)
    report.add("windows", f"of {size:,} ms, one each {step:,} ms", f"{int(off.sum()):,} rows lie elsewhere", not off.any())
    groups = np.array(rows.codes[3 : 3 + len(keys)], np.int64).reshape(len(keys), rows.size)
    twice = rows.size - np.unique(np.vstack((starts[None], groups)), axis=1).shape[1] if rows.size else 0
    report.add("once", "each window and group once", f"{twice:,} rows more", twice == 0)
    labels = [[text_of(value) for value in column.values] for column in columns[3 : 3 + len(keys)]]
    if segment.group_by and all(key.groups is not None for key in segment.group_by):
        _public(report, segment, starts, groups, labels)
    shown = {name: [column.values[code] for code in codes.tolist()]
             for name, column, codes in zip(names[3 + len(keys) :], columns[3 + len(keys) :], rows.codes[3 + len(keys) :], strict=True)}
    judge_figures(report, segment, policy, raw_path, starts, groups, labels, shown)
    return report


def _public(report: Report, segment: AggregatedSegment, starts: np.ndarray, groups: np.ndarray, labels: list[list[str]]) -> None:
    wanted = set(itertools.product(*([text_of(value) for value in key.groups or ()] for key in segment.group_by)))
    found: dict[int, set[tuple[str, ...]]] = {}
    for start, *codes in zip(starts.tolist(), *groups.tolist(), strict=True):
        found.setdefault(start, set()).add(tuple(texts[code] for texts, code in zip(labels, codes, strict=True)))
    short = sum(there != wanted for there in found.values())
    report.add("groups", f"the {len(wanted):,} public groups in every window", f"{short:,} windows with others", short == 0)
