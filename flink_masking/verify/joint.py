"""Joins the views of one run and counts the people who are re-identified."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from flink_masking.errors import InputError
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment, MaskedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.verify.assignment import assigned
from flink_masking.verify.files import read_policy
from flink_masking.verify.fitting import fit
from flink_masking.verify.masked_view import MaskedView, read_masked
from flink_masking.verify.population import combined
from flink_masking.verify.records import Held, place
from flink_masking.verify.release import Classes, Raw, Release, corner, read_trees
from flink_masking.verify.report import unreadable
from flink_masking.verify.sequences import Join, attributes, sequence

AGAINST = ("a line that fits the masked records of one person only (of one stand-in, one combination of partly shown identifiers, or one "
           "record, where a view has neither) gives these away; ranges and noise count as intervals")
ORDER = "lines at the same place of two views are about the same record, so whatever either shows of it belongs together"
TOGETHER = "lines of two views that belong together leave only those people whose records fit both"


def verify_joint(source: PolicySource, raw: Path, output: Path) -> list[Join]:
    """Try every join of the masked and anonymized views of an output directory.

    Args:
        source: of the policy.
        raw: what the job read.
        output: holds a directory for each segment.

    Raises:
        InputError: there are no such files, no anonymized view, or lines that have a member twice.
        PolicyError: the policy cannot be used.
    """
    policy = read_policy(source)
    views = {name: output / name for name in policy.segments if (output / name).is_dir()}
    if not any(isinstance(policy.segments[name], AnonymizedSegment) for name in views):
        raise InputError(f"{output}: it holds no anonymized view. Hint: with --joint, --released is the output directory of a run")
    return join_views(policy, source, raw, views)


def join_views(policy: Policy, source: PolicySource, raw: Path | Held, released: Mapping[str, Path | Held]) -> list[Join]:
    """Try every join of some masked and anonymized views; others are passed over.

    Args:
        policy: of `read_policy`; it names a subject.
        source: for the files that the policy names.
        raw: the raw records.
        released: by segment, the view.

    Raises:
        InputError: there are no such files, or lines that have a member twice.
        PolicyError: a file that the policy names cannot be used.
    """
    trees = read_trees(policy, source.file)
    wanted = {name: segment for name, segment in policy.segments.items() if isinstance(segment, AnonymizedSegment) and name in released}
    fields = dict.fromkeys(path for segment in wanted.values() for path in (*segment.quasi_identifiers, *segment.release))
    records = Raw.read(raw, policy, list(fields))
    views = [Release(name, segment, policy, records, released[name], trees) for name, segment in wanted.items()]
    for view in views:
        if view.table.twice:
            raise InputError(f"{place(released[view.name])}: {unreadable(view.table)}. Hint: which of two values counts is up to their "
                             "readers")
    classes = [view.classes() for view in views]
    masked = [read_masked(name, segment, policy, released[name], records.columns) for name, segment in policy.segments.items()
              if isinstance(segment, MaskedSegment) and name in released]
    joins, joined = _by_order(masked)
    for view, found in zip(views, classes, strict=True):
        joins += [join for one in (*masked, *joined) if (join := _against(view, found, one)) is not None]
        chosen = None if (found.source >= 0).all() else assigned(view, found)
        told = found if chosen is None else replace(found, source=chosen)
        joins += [sequence(view, told), *attributes(view, told, policy)]
    joins += [_together(*pair) for pair in combinations(zip(views, classes, strict=True), 2)]
    return [join for join in joins if join.lines]


def _by_order(masked: list[MaskedView]) -> tuple[list[Join], list[MaskedView]]:
    """Masked views whose lines belong together by their places, and what they are as one view."""
    joins, joined = [], []
    for one, other in combinations(masked, 2):
        if one.agrees(other):
            people = len(np.unique(one.with_lines_of(other).people))
            joins.append(Join((*one.names, *other.names), ("the order of lines",), one.size, people, people, ORDER))
            joined.append(one.with_lines_of(other))
    return joins, joined


def _against(view: Release, found: Classes, masked: MaskedView) -> Join | None:
    """Lines of an anonymized view, and the masked records that they fit by what both views show."""
    fitting = fit(view, found, masked)
    if fitting is None:
        return None
    return Join((view.name, *masked.names), fitting.fields, view.table.size, len(fitting.alone), len(fitting.few), AGAINST)


def _together(one: tuple[Release, Classes], other: tuple[Release, Classes]) -> Join:
    """Lines of two anonymized views of which each is the only one that fits the other: people whose records fit both boxes."""
    (first, found), (second, found_too) = one, other
    shared = [path for path in first.segment.release if path in second.segment.release]
    common = [path for path in first.attributes if path in second.attributes]
    columns = [np.concatenate((_released(first, path), _released(second, path))) for path in shared]
    both = combined(columns, first.table.size + second.table.size)
    mine, theirs = both[: first.table.size], both[first.table.size :]
    order = np.argsort(theirs, kind="stable")
    begin, end = np.searchsorted(theirs[order], mine), np.searchsorted(theirs[order], mine, "right")
    once = np.bincount(mine, minlength=1)[mine] == 1
    paired = np.flatnonzero((end - begin == 1) & once) if shared else np.zeros(0, np.int64)
    alone, few, lines = set(), 0, 0
    k = min(first.segment.k, second.segment.k)
    for line in paired.tolist():
        boxes, boxes_too = found.boxes[found.of[line]], found_too.boxes[found_too.of[order[begin[line]]]]
        if boxes is None or boxes_too is None:
            continue
        lines += 1
        inside = first.points.rows[first.points.within(corner(boxes))]
        inside = np.intersect1d(inside, second.points.rows[second.points.within(corner(boxes_too))])
        left = np.unique(first.raw.people[inside])
        alone |= set(left.tolist()) if len(left) == 1 else set()
        few += 0 < len(left) < k
    return Join((first.name, second.name), (*common, *shared), lines, len(alone), few, TOGETHER)


def _released(view: Release, path: str) -> np.ndarray:
    return view.table.codes[len(view.attributes) + view.segment.release.index(path)]
