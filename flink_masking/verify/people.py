"""Bounds on the number of people behind the lines of an equivalence class."""

from typing import NamedTuple

import numpy as np


class Matched(NamedTuple):
    """What the raw records say of one class.

    Attributes:
        least: people that it holds at least.
        most: people that it holds at most; the same as `least` where the lines tell their records apart.
        uncovered: lines that no raw record fits.
        surplus: lines beyond the number of raw records that fit them.
        lines: positions within the class of lines whose records are known.
        records: the record of each of them.
    """

    least: int
    most: int
    uncovered: int
    surplus: int
    lines: np.ndarray
    records: np.ndarray


def match(marks: np.ndarray, records: np.ndarray, record_marks: np.ndarray, people: np.ndarray) -> Matched:
    """Hold the lines of a class against the raw records in its box.

    Lines and records of the same mark (the combination of released values) fit each other. Which record a line comes from is known where
    there are no more records than lines of a mark; else `least` and `most` are bounds, whichever records the lines come from.

    Args:
        marks: int64, a line.
        records: int64, the raw records in the box.
        record_marks: int64, a record.
        people: int64, the person of each record.
    """
    kinds, line_kind, wanted = np.unique(marks, return_inverse=True, return_counts=True)
    at = np.searchsorted(kinds, record_marks)
    at[at == len(kinds)] = 0
    fits = kinds[at] == record_marks
    kind, records, people = at[fits], records[fits], people[fits]
    found = np.bincount(kind, minlength=len(kinds))
    uncovered = int(wanted[found == 0].sum())
    surplus = int(np.maximum(0, wanted - found)[found > 0].sum())
    settled = found <= wanted
    sure = settled[kind]
    lines, sources = _pair(line_kind, kind[sure], records[sure])
    if settled.all() or len(np.unique(people)) == len(people):
        exact = len(np.unique(people[sure])) + int(wanted[~settled].sum())
        return Matched(exact, exact, uncovered, surplus, lines, sources)
    pairs, times = np.unique(kind * (int(people.max()) + 1) + people, return_counts=True)
    pair_kind, pair_person = pairs // (int(people.max()) + 1), pairs % (int(people.max()) + 1)
    usable = np.minimum(wanted, found)
    different = np.bincount(pair_kind, minlength=len(kinds))
    most = min(len(np.unique(people)), int(np.minimum(usable, different).sum()))
    everyone = np.unique(pair_person, return_inverse=True)[1]
    shares = np.bincount(everyone, np.minimum(times, wanted[pair_kind])).astype(np.int64)
    least = max(len(np.unique(people[sure])), _fewest(shares, int(usable.sum())),
                *(_fewest(times[pair_kind == one], int(usable[one])) for one in np.flatnonzero(~settled)))
    return Matched(least, most, uncovered, surplus, lines, sources)


def _fewest(shares: np.ndarray, needed: int) -> int:
    """The fewest people who together can bring so many records."""
    return int(np.searchsorted(np.cumsum(np.sort(shares)[::-1]), needed)) + 1 if needed else 0


def _pair(line_kind: np.ndarray, kind: np.ndarray, records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lines and records of the same kind, one to one, in any order."""
    by_line, by_record = np.argsort(line_kind, kind="stable"), np.argsort(kind, kind="stable")
    starts = np.searchsorted(line_kind[by_line], kind[by_record])
    rank = np.arange(len(kind)) - np.searchsorted(kind[by_record], kind[by_record])
    return by_line[starts + rank], records[by_record]
