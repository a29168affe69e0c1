"""Lines of an anonymized view, and the masked records that they fit by all that both views show."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from flink_masking.techniques.promises import Bounds, Promises, Shows
from flink_masking.verify.masked_view import MaskedView, Shown
from flink_masking.verify.release import Classes, Release
from flink_masking.verify.shown import positions

CELLS = 1 << 22
"""Pairs of lines and records that are compared at a time."""
BLOCK = 256
"""Lines that are looked at together."""
AS_IT_IS = Promises(shows=Shows.EXACT, deterministic=True, lasting=True, bounds=Bounds("either"))
"""Of a raw value."""
MANY = 512
"""Records that fit a line, from which on it leads to nobody."""


class Condition(NamedTuple):
    """What a line's released value and a masked record must have in common: the value of the one lies in the range of the other.

    Attributes:
        value: float64, a line; not a number where nothing fits it.
        low: float64, a record; not a number where it fits nothing.
        high: float64, a record.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Fitting(NamedTuple):
    """Whom lines lead to.

    Attributes:
        fields: that both views show.
        alone: people of the masked view who are left alone by a line.
        few: people who are left among fewer than k, those counted.
    """

    fields: tuple[str, ...]
    alone: set[int]
    few: set[int]


def fit(view: Release, found: Classes, masked: MaskedView) -> Fitting | None:
    """Hold every line of a view against every masked record.

    Args:
        view: an anonymized view.
        found: its classes.
        masked: a masked view.

    Returns:
        Whom lines lead to; None where the views show nothing in common.
    """
    quasi = [path for path in view.attributes if path in masked.shown]
    released = [path for path in view.segment.release if path in masked.shown]
    if not quasi and not released:
        return None
    names = list(view.attributes)
    ranges = [(names.index(path), _positions(view, shown)) for path in quasi for shown in masked.shown[path]]
    # A value of which no bounds are promised tells nothing of a number, and must not count as one that fits nothing.
    conditions = [_condition(view, shown) for path in released for shown in masked.shown[path] if shown.promises.bounds is not None]
    alone: set[int] = set()
    few: set[int] = set()
    everybody = np.arange(masked.size)
    for number, lines in _lines_by_class(found) if ranges else [(-1, np.arange(view.table.size))]:
        rows = everybody
        if ranges:
            boxes = found.boxes[number]
            if boxes is None:
                continue
            inside = np.ones(masked.size, np.bool_)
            for at, places in ranges:
                inside &= (places[:, 0] <= boxes[at].high) & (places[:, 1] >= boxes[at].low)
            rows = np.flatnonzero(inside)
        if not conditions:
            lines = lines[:1]
        for people in _left(lines, rows, conditions, masked.people):
            if len(people) == 1:
                alone.add(int(people[0]))
            if 0 < len(people) < view.segment.k:
                few.update(people.tolist())
    return Fitting((*quasi, *released), alone, few)


def _positions(view: Release, shown: Shown) -> np.ndarray:
    places = positions(shown.promises, view.attributes[shown.path], shown.values)
    return places[shown.codes] if len(shown.codes) else np.zeros((0, 2), np.int64)


def _condition(view: Release, shown: Shown) -> Condition:
    """Equal values by their numbers, which both files share; ranges by what the line's value is as a number."""
    codes = view.table.codes[len(view.attributes) + view.segment.release.index(shown.path)]
    if shown.promises.shows is Shows.EXACT:
        exact = shown.codes.astype(np.float64)
        return Condition(codes.astype(np.float64), exact, exact)
    line = Shown(shown.path, None, AS_IT_IS, view.raw.columns[shown.path].values, codes)
    mine, theirs = line.intervals(), shown.intervals()
    unread = np.isinf(mine[:, 0]), np.isinf(theirs[:, 0])  # redacted, because it was none of the values that the field may have
    return Condition(np.where(unread[0], np.nan, mine[:, 0]), np.where(unread[1], np.nan, theirs[:, 0]), theirs[:, 1])


def _left(lines: np.ndarray, rows: np.ndarray, conditions: list[Condition], people: np.ndarray) -> Iterator[np.ndarray]:
    """For each line that few records fit, the people of these."""
    if not len(rows):
        return
    if not conditions:
        if len(rows) <= MANY:
            yield np.unique(people[rows])
        return
    value, low, high = conditions[0]
    lines = lines[~np.isnan(value[lines])]
    lines = lines[np.argsort(value[lines], kind="stable")]  # so that records that fit none of a block's lines are many
    for start in range(0, len(lines), BLOCK):
        some = lines[start : start + BLOCK]
        near = rows[(low[rows] <= value[some[-1]]) & (high[rows] >= value[some[0]])]
        for part in np.array_split(some, max(1, len(some) * len(near) // CELLS)):
            yield from _few(part, near, conditions, people)


def _few(lines: np.ndarray, rows: np.ndarray, conditions: list[Condition], people: np.ndarray) -> Iterator[np.ndarray]:
    fits = np.ones((len(lines), len(rows)), np.bool_)
    for value, low, high in conditions:
        fits &= (low[rows] <= value[lines, None]) & (value[lines, None] <= high[rows])
    often = fits.sum(1)
    line, row = np.nonzero(fits[(often > 0) & (often <= MANY)])
    pairs = np.unique(np.stack((line, people[rows[row]])), axis=1)
    yield from np.split(pairs[1], np.flatnonzero(np.diff(pairs[0])) + 1) if pairs.size else ()


def _lines_by_class(found: Classes) -> Iterator[tuple[int, np.ndarray]]:
    order = np.argsort(found.of, kind="stable")
    edges = np.concatenate(([0], np.cumsum(found.size)))
    return ((number, order[edges[number] : edges[number + 1]]) for number in range(len(found.size)))
