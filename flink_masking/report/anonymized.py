"""One anonymized view: classes, promises, loss and risk, and each quasi-identifier before and after."""

import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.verify.anonymized import verify_anonymized
from flink_masking.verify.attributes import Attribute, Box, Dates, Labels, Numbers, Prefixes
from flink_masking.verify.lines import ABSENT
from flink_masking.verify.passed_on import beside_noise, passed_on
from flink_masking.verify.records import Held
from flink_masking.verify.release import Raw, Release, read_trees
from flink_masking.verify.report import Report
from flink_masking.verify.sensitive import Sensitive

BINS = 12
"""Most bins of a distribution."""


class Bin(NamedTuple):
    """A public part of an attribute's range.

    Attributes:
        label: for people.
        low: first position.
        high: last position.
    """

    label: str
    low: int
    high: int


class Labelled(NamedTuple):
    """What the lines of a view say of an attribute.

    Attributes:
        boxes: n labels; None where one is none of the policy's.
        lines: int64, n: how many lines have it.
    """

    boxes: list[Box | None]
    lines: np.ndarray


def anonymized(name: str, segment: AnonymizedSegment, policy: Policy, source: PolicySource, raw: Path | Held,
               released: Path | Held) -> tuple[dict[str, Any], Report]:
    """Measure a view.

    Args:
        name: of the segment.
        segment: as in the policy.
        policy: that it belongs to.
        source: for the files that the policy names.
        raw: raw records.
        released: the view.

    Returns:
        Plain values, and the verifier's report as it may be passed on.
    """
    trees = read_trees(policy, source.file)
    records = Raw.read(raw, policy, list(dict.fromkeys([*segment.quasi_identifiers, *segment.release, *segment.sensitive])))
    release = Release(name, segment, policy, records, released, trees)
    report = passed_on(verify_anonymized(release, policy, Sensitive(policy, trees)), policy)
    places = 2 if beside_noise(policy) else 6  # exact shares lead to the counts that the other view's noise is there to hide
    told = report.as_dict()
    told |= {"k": segment.k, "mode": segment.mode, "quasi_identifiers": list(segment.quasi_identifiers), "release": list(segment.release),
             "class_sizes": [], "distributions": []}
    found = release.classes() if segment.mode == "buffered" else None
    if found is not None:
        sizes, counts = np.unique(found.size, return_counts=True)
        told["class_sizes"] = [{"lines": int(size), "classes": int(count)} for size, count in zip(sizes, counts, strict=True)]
    for at, (path, attribute) in enumerate(release.attributes.items()):
        labels = _by_value(release, at, path, attribute) if found is None else Labelled(
            [one[at] if one else None for one in found.boxes], found.size)
        told["distributions"].append(_distribution(release, labels, path, attribute, policy.fields[path], segment.k, places))
    return told, report


def bins_of(attribute: Attribute, field: Field) -> list[Bin]:
    """Public bins over the whole range of an attribute: of its domain, its hierarchy or its first character."""
    if isinstance(attribute, Labels):
        tops: dict[str, list[int]] = {}
        for number, path in enumerate(attribute.tree.paths):
            tops.setdefault(path[-1], []).append(number)
        return [Bin(label, below[0], below[-1]) for label, below in tops.items()]
    if isinstance(attribute, Prefixes):
        width = 8 * (attribute.length - 1)
        return [Bin(f"{first}{'*' * (attribute.length - 1)}", ord(first) << width, (ord(first) << width) | ((1 << width) - 1))
                for first in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"]
    if field.derive is not None:
        low, high = field.derive.range
    elif isinstance(attribute, Numbers | Dates):
        low, high = attribute.low, attribute.high
    else:
        return []
    step = _round_step((high - low + 1) / BINS) if not isinstance(attribute, Dates) else -(-(high - low + 1) // BINS)
    found = []
    for start in range(low, high + 1, step):
        end = min(high, start + step - 1)
        found.append(Bin(_written(start, end, attribute, field), start - low, end - low))
    return found


def _round_step(width: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size >= width:
                return factor * size
        size *= 10


def _written(start: int, end: int, attribute: Attribute, field: Field) -> str:
    if isinstance(attribute, Dates):
        return f"{datetime.date.fromordinal(start)}"
    scale = 0 if field.derive is not None else field.scale or 0
    if scale == 0:
        return f"{start}" if start == end else f"{start}–{end}"
    return f"{start / 10**scale:g}–{end / 10**scale:g}"


def _by_value(release: Release, at: int, path: str, attribute: Attribute) -> Labelled:
    """The labels of a view without classes."""
    labels = release.labels[path].values
    return Labelled([None if label is ABSENT else attribute.box(label) for label in labels],
                    np.bincount(release.table.codes[at], minlength=len(labels)))


def _distribution(release: Release, labels: Labelled, path: str, attribute: Attribute, field: Field, k: int, places: int) -> dict[str, Any]:
    """People by public bin in the raw records, and lines by the same bins in the view; each line counts evenly over what its label says."""
    positions = release.raw.positions(path, attribute)[release.candidates]
    people = release.raw.people[release.candidates]
    bins = bins_of(attribute, field)
    before = [_people(positions, people, one) for one in bins]
    lines = _lines(labels, bins, np.array(before) > 0 if isinstance(attribute, Prefixes) else None)
    records = [int(((positions[:, 0] >= one.low) & (positions[:, 0] <= one.high)).sum()) for one in bins]
    whole, released = max(1, len(positions)), max(1, int(labels.lines.sum()))
    withheld = _withheld(positions, people, bins, before, k)
    rows = [{"label": one.label, "before": round(number / whole, places), "after": after / released}
            for at_bin, (one, number, after) in enumerate(zip(bins, records, lines.tolist(), strict=True))
            if at_bin not in withheld and (number or after >= 1)]
    return {"path": path, "bins": rows, "bins_of_fewer_people": sum(before[at_bin] > 0 for at_bin in withheld)}


def _lines(labels: Labelled, bins: list[Bin], counted: np.ndarray | None) -> np.ndarray:
    """Lines by bin, float64.

    Args:
        labels: of the lines.
        bins: n of them.
        counted: bool, n; of texts, whose positions are no measure: a label counts alike in each of these bins that it covers.
    """
    known = np.array([box is not None for box in labels.boxes], np.bool_)
    low = np.array([box.low for box in labels.boxes if box is not None], np.float64)
    high = np.array([box.high for box in labels.boxes if box is not None], np.float64)
    size = labels.lines[known].astype(np.float64)
    common = [np.maximum(0.0, np.minimum(high, one.high) - np.maximum(low, one.low) + 1) for one in bins]
    shares = np.array(common).reshape(len(bins), len(low))
    if counted is not None:
        shares = (shares > 0) & counted[:, None]
        shares = shares / np.maximum(1, shares.sum(axis=0))
    else:
        shares = shares / (high - low + 1)
    made: np.ndarray = shares @ size
    return made


def _withheld(positions: np.ndarray, people: np.ndarray, bins: list[Bin], before: list[int], k: int) -> set[int]:
    """Bins whose label and share are not told: of fewer than k people; and the smallest other one where these together are still fewer.

    Otherwise their share would be what is missing from 100 %.
    """
    withheld = {at for at, count in enumerate(before) if count < k}
    told = sorted((at for at, count in enumerate(before) if count >= k), key=lambda at: before[at])
    while told:
        inside = np.zeros(len(positions), np.bool_)
        for at in withheld:
            inside |= (positions[:, 0] >= bins[at].low) & (positions[:, 0] <= bins[at].high)
        if not 0 < len(np.unique(people[inside])) < k:
            break
        withheld.add(told.pop(0))
    return withheld


def _people(positions: np.ndarray, people: np.ndarray, one: Bin) -> int:
    if not len(positions):
        return 0
    return len(np.unique(people[(positions[:, 0] >= one.low) & (positions[:, 0] <= one.high)]))
