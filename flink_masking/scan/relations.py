"""Values that recur: a value of one path that is also one of another, or a part of it, such as an identifier in a reference."""

from typing import NamedTuple

import numpy as np

from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.statistics import MARK, Statistics

LEAST = 5
"""Different values in common, at least."""
SHARE = 0.1
"""Part of either path's different values that is in common, at least."""
BYTES = 4
"""Mean length of values that may be identifiers."""
WORDS = 16
"""Different words that say no more than a list does, at most."""
LONG = 6
"""Mean length of numbers that may be identifiers even where few of them come back often."""
_CODES = (kernels.INTEGER, kernels.UUID, kernels.HEX, kernels.ARN)
_MARK = np.uint64(8)
_NEVER = (kernels.BOOLEAN, kernels.DECIMAL, kernels.DATE, kernels.DATETIME, kernels.TIME, kernels.TEXT, kernels.EPOCH_S, kernels.EPOCH_MS,
          kernels.EPOCH_US, kernels.EPOCH_NS, kernels.MONTH, kernels.YEAR)  # fmt: skip


class Recurrence(NamedTuple):
    """Values of one path that were found in another.

    Attributes:
        source: number of the path whose values recur: the one with more of them.
        path: number of the path in which they were found.
        whole: whether they are its values, or parts of them.
        mark: the separator that stands in front of most parts, "" for none.
        common: different values in common, among those compared.
        of_source: different values of `source` that were compared.
        of_path: different values, or parts, of `path` that were compared.
    """

    source: int
    path: int
    whole: bool
    mark: str
    common: int
    of_source: int
    of_path: int


def recurrences(statistics: Statistics, paths: list[int]) -> list[Recurrence]:
    """The values that recur among some paths, the strongest relation of each pair of paths."""
    able = [path for path in paths if _may_identify(statistics, path)]
    if not able:
        return []
    values = {path: np.unique(statistics.values.of(path) >> _MARK) for path in able}
    hashes, owners = np.concatenate(list(values.values())), np.repeat(able, [len(found) for found in values.values()])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    found = []
    for path in paths:
        for whole in (True, False):
            if whole and path not in values:
                continue
            sketch = statistics.values if whole else statistics.parts
            mine = values[path] if whole else np.unique(sketch.of(path) >> _MARK)
            for source in _sources(mine, hashes, owners):
                limit = min(sketch.below[path], statistics.values.below[source]) >> _MARK
                theirs, ours = values[source][values[source] < limit], mine[mine < limit]
                common = np.intersect1d(theirs, ours, assume_unique=True)
                told_there = whole and (len(theirs), -source) < (len(ours), -path)
                if source != path and not told_there and len(common) >= max(LEAST, SHARE * min(len(theirs), len(ours))):
                    mark = "" if whole else _mark(sketch.of(path), common)
                    found.append(Recurrence(source, path, whole, mark, len(common), len(theirs), len(ours)))
    equal = {(one.source, one.path) for one in found if one.whole}
    return sorted(one for one in found if one.whole or not {(one.source, one.path), (one.path, one.source)} & equal)


def _sources(mine: np.ndarray, hashes: np.ndarray, owners: np.ndarray) -> list[int]:
    """The paths that have one of the hashes `mine`; `hashes` ascend, `owners` are their paths."""
    first, last = np.searchsorted(hashes, mine, "left"), np.searchsorted(hashes, mine, "right")
    hit = np.flatnonzero(last > first)
    if not len(hit):
        return []
    found: list[int] = np.unique(np.concatenate([owners[first[k] : last[k]] for k in hit.tolist()])).tolist()
    return found


def _mark(parts: np.ndarray, common: np.ndarray) -> str:
    """The separator in front of most of the parts in common."""
    marks = (parts[np.isin(parts >> _MARK, common)] & MARK).astype(np.int64)
    mark = int(np.bincount(marks).argmax())
    return chr(mark) if mark else ""


def _may_identify(statistics: Statistics, path: int) -> bool:
    """Whether a path's values are long, different and no dates or decimals."""
    counts, shapes = statistics.counts[path], statistics.shapes[path]
    values = int(shapes.sum())
    different = len(statistics.values.of(path))
    long_ = counts[kernels.BYTES] >= LONG * values
    if different <= WORDS and shapes[kernels.WORD] >= 0.9 * values:  # a list of words, such as levels of severity
        return False
    return (values > 0 and different >= LEAST and counts[kernels.BYTES] >= BYTES * values
            and shapes[list(_NEVER)].sum() < 0.5 * values
            and (different >= 0.02 * min(values, 20_000) or (long_ and shapes[list(_CODES)].sum() >= 0.9 * values)))
