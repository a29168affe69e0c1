"""The views of one run held against each other: who can be found by joining them."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from flink_masking.errors import InputError
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment, MaskedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.verify.attributes import OUTSIDE
from flink_masking.verify.files import read_policy
from flink_masking.verify.lines import Column, Table, getter, lines_of
from flink_masking.verify.population import Population, combined
from flink_masking.verify.release import Classes, Raw, Release, corner, read_trees

STANDING_IN = ("keep", "pseudonym", "encrypt_deterministic", "fpe", "tokenize")
"""Techniques that leave a person the same in every record."""
AGAINST = "a line that fits the records of one pseudonym (or one record, where a view has none) gives that one's masked records away"
TOGETHER = "lines of two views that belong together leave only those people whose records fit both"
SEQUENCE = "whoever knows which lines of a view are one person's is left with the people who fit all of them"


@dataclass(frozen=True)
class Join:
    """What joining two views, or the lines of one, tells.

    Attributes:
        views: segments.
        fields: that they have in common.
        lines: lines of the first view that the join leads from.
        singled_out: people who are left alone.
        narrowed: people who are left among fewer than k, those counted.
        note: what was tried.
    """

    views: tuple[str, ...]
    fields: tuple[str, ...]
    lines: int
    singled_out: int
    narrowed: int
    note: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def verify_joint(source: PolicySource, raw: Path, output: Path) -> list[Join]:
    """Try every join of the masked and anonymized views of an output directory.

    Args:
        source: of the policy.
        raw: what the job read.
        output: holds a directory for each segment.

    Raises:
        InputError: there are no such files, or no anonymized view.
        PolicyError: the policy cannot be used.
    """
    policy = read_policy(source)
    assert policy.subject is not None
    trees = read_trees(policy, source.file)
    wanted = {name: segment for name, segment in policy.segments.items() if isinstance(segment, AnonymizedSegment)}
    fields = dict.fromkeys(path for segment in wanted.values() for path in (*segment.quasi_identifiers, *segment.release))
    records = Raw.read(raw, policy.subject, list(fields))
    views = [Release(name, segment, policy, records, output / name, trees) for name, segment in wanted.items() if (output / name).is_dir()]
    if not views:
        raise InputError(f"{output}: it holds no anonymized view. Hint: with --joint, --released is the output directory of a run")
    classes = [view.classes() for view in views]
    joins = []
    for view, found in zip(views, classes, strict=True):
        for name, segment in policy.segments.items():
            if isinstance(segment, MaskedSegment) and (output / name).is_dir():
                join = _masked(view, found, name, segment, policy, output / name)
                joins += [join] if join is not None else []
        joins.append(_sequence(view, found))
    joins += [_together(*pair) for pair in combinations(zip(views, classes, strict=True), 2)]
    return [join for join in joins if join.lines]


def _masked(view: Release, found: Classes, name: str, segment: MaskedSegment, policy: Policy, path: Path) -> Join | None:
    """Lines of an anonymized view, and the masked records that they fit by what both views show."""
    shown = {one for one, rule in segment.rules.items() if rule.technique == "keep"}
    if "*" in shown:
        shown |= set(policy.fields) - set(segment.rules)
    quasi, released = [one for one in view.attributes if one in shown], [one for one in view.segment.release if one in shown]
    if not quasi and not released:
        return None
    subject = policy.subject or ""
    rule = segment.rules.get(subject, segment.rules.get("*"))
    lasting = rule is not None and rule.technique in STANDING_IN
    who = Column()
    places = [Column() for _ in quasi]
    columns: list[tuple[Callable[[dict[str, Any]], Any], Column]] = [(getter(subject), who)]
    columns += [(getter(one), column) for one, column in zip(quasi, places, strict=True)]
    columns += [(getter(one), view.raw.columns[one]) for one in released]
    table = Table(lines_of(path), columns)
    people = table.codes[0].astype(np.int64) if lasting else np.arange(table.size)
    points = [view.attributes[one].positions(column.values)[codes] if table.size else np.zeros((0, 2), np.int64)
              for one, column, codes in zip(quasi, places, table.codes[1:], strict=False)]
    inside = np.ones(table.size, np.bool_)
    for place in points:
        inside &= place[:, 0] != OUTSIDE
    population = Population(points, np.flatnonzero(inside), people)
    mine = [view.table.codes[len(view.attributes) + view.segment.release.index(one)] for one in released]
    theirs = table.codes[1 + len(quasi) :]
    both = combined([np.concatenate(pair) for pair in zip(mine, theirs, strict=True)], view.table.size + table.size)
    marks, their_marks = both[: view.table.size], both[view.table.size :]
    at = [list(view.attributes).index(one) for one in quasi]
    alone: set[int] = set()
    few: set[int] = set()
    for number, lines in _lines_by_class(found):
        boxes = found.boxes[number]
        if boxes is None:
            continue
        fitting = population.within(corner([boxes[i] for i in at]))
        rows, behind = population.rows[fitting], population.people[fitting]
        for mark in np.unique(marks[lines]).tolist():
            left = np.unique(behind[their_marks[rows] == mark])
            if len(left) == 1:
                alone.add(int(left[0]))
            if 0 < len(left) < view.segment.k:
                few.update(left.tolist())
    note = AGAINST
    return Join((view.name, name), (*quasi, *released), view.table.size, len(alone), len(few), note)


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


def _sequence(view: Release, found: Classes) -> Join:
    """People with several lines in one view: who fits all of their boxes."""
    known = np.flatnonzero(found.source >= 0)
    people = view.raw.people[found.source[known]]
    pairs = np.unique(np.stack((people, found.of[known])), axis=1)
    times = np.bincount(pairs[0], minlength=1)
    several = np.flatnonzero(times > 1)
    edges = np.searchsorted(pairs[0], several)
    alone = few = lines = 0
    for person, edge in zip(several.tolist(), edges.tolist(), strict=True):
        lines += int(times[person])
        left: np.ndarray | None = None
        for number in pairs[1][edge : edge + times[person]].tolist():
            boxes = found.boxes[number]
            if boxes is None:
                continue
            fitting = np.unique(view.points.people[view.points.within(corner(boxes))])
            left = fitting if left is None else np.intersect1d(left, fitting, assume_unique=True)
        alone += left is not None and len(left) == 1
        few += left is not None and len(left) < view.segment.k
    return Join((view.name,), tuple(view.attributes), lines, int(alone), int(few), SEQUENCE)


def _released(view: Release, path: str) -> np.ndarray:
    return view.table.codes[len(view.attributes) + view.segment.release.index(path)]


def _lines_by_class(found: Classes) -> Iterator[tuple[int, np.ndarray]]:
    order = np.argsort(found.of, kind="stable")
    edges = np.concatenate(([0], np.cumsum(found.size)))
    return ((number, order[edges[number] : edges[number + 1]]) for number in range(len(found.size)))
