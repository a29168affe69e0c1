"""Intersects several releases of one person: candidates that remain, and shared sensitive values."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from flink_masking.documents.document import cut
from flink_masking.policy.model import Policy
from flink_masking.verify.release import Classes, Release, corner

SEQUENCE = ("whoever knows which lines of a view are one person's is left with the people who fit all of them; where lines do not "
            "tell their records apart, of an assignment of records that fits all lines")
ATTRIBUTE = "whoever knows which classes hold one person's lines is left with the sensitive values that all of them show"


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


def sequence(view: Release, found: Classes) -> Join:
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


def attributes(view: Release, found: Classes, policy: Policy) -> list[Join]:
    """People with several lines, of one sensitive value, whose classes together show that value only, though none of them does alone."""
    known = np.flatnonzero(found.source >= 0)
    people = view.raw.people[found.source[known]]
    joins = []
    for path in view.segment.release:
        if policy.fields[path].role != "sensitive":
            continue
        codes = view.table.codes[len(view.attributes) + view.segment.release.index(path)]
        own = np.unique(np.stack((people, codes[known].astype(np.int64))), axis=1)
        constant = set(own[0][np.bincount(own[0], minlength=1)[own[0]] == 1].tolist())
        shown = np.unique(np.stack((found.of, codes.astype(np.int64))), axis=1)
        edges = np.searchsorted(shown[0], np.arange(len(found.size) + 1))
        pairs = np.unique(np.stack((people, found.of[known])), axis=1)
        starts = np.flatnonzero(np.concatenate(([True], pairs[0][1:] != pairs[0][:-1]))) if pairs.size else np.zeros(0, np.int64)
        alone = few = lines = 0
        for start, end in zip(starts.tolist(), [*starts.tolist()[1:], pairs.shape[1]], strict=True):
            if end - start < 2 or int(pairs[0][start]) not in constant:
                continue
            lines += end - start
            sets = [set(shown[1][edges[one] : edges[one + 1]].tolist()) for one in pairs[1][start:end].tolist()]
            left = len(set.intersection(*sets))
            alone += left == 1 and min(map(len, sets)) > 1
            few += left < min(map(len, sets))
        joins.append(Join((view.name,), (cut(path),), lines, int(alone), int(few), ATTRIBUTE))
    return joins
