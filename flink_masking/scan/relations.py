"""Values that recur: a value of one path that is also one of another, or a part of it, such as an identifier in a reference."""

from typing import NamedTuple

import numpy as np

from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.sketch import NOTHING
from flink_masking.scan.statistics import Statistics

LEAST = 5
"""Different values in common, at least."""
SHARE = 0.1
"""Part of either path's different values that is in common, at least."""
BYTES = 4
"""Mean length of values that may be identifiers."""
_NEVER = (kernels.BOOLEAN, kernels.DECIMAL, kernels.DATE, kernels.DATETIME, kernels.TIME, kernels.TEXT, kernels.EPOCH_S, kernels.EPOCH_MS,
          kernels.EPOCH_US, kernels.EPOCH_NS)  # fmt: skip


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
    hashes = np.concatenate([statistics.values.of(path) for path in able])
    owners = np.repeat(np.array(able), [len(statistics.values.of(path)) for path in able])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    found = []
    for path in paths:
        if path in able:
            found += _of(statistics, path, True, statistics.values.of(path), statistics.values.below, hashes, owners)
        found += _of(statistics, path, False, statistics.parts.of(path), statistics.parts.below, hashes, owners)
    best: dict[tuple[int, int], Recurrence] = {}
    for one in found:
        if one.whole and (one.path, one.source) in best:
            continue
        best.setdefault((one.source, one.path), one)
    return sorted(best.values())


def _of(statistics: Statistics, path: int, whole: bool, mine: np.ndarray, below: np.ndarray, hashes: np.ndarray,
        owners: np.ndarray) -> list[Recurrence]:  # fmt: skip
    first, last = np.searchsorted(hashes, mine, "left"), np.searchsorted(hashes, mine, "right")
    if not (last > first).any():
        return []
    results = []
    hit = np.concatenate([owners[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True) if b > a])
    for source in np.unique(hit).tolist():
        limit = min(below[path], statistics.values.below[source])
        theirs, ours = _below(statistics.values.of(source), limit), _below(mine, limit)
        common = len(np.intersect1d(theirs, ours, assume_unique=True))
        if source == path or common < LEAST or common < SHARE * min(len(theirs), len(ours)):
            continue
        if whole and (len(theirs), -source) < (len(ours), -path):
            continue  # told by the other one
        marks = statistics.marks.get(path, {})
        mark = "" if whole or not marks else max(marks, key=lambda sign: marks[sign])
        results.append(Recurrence(source, path, whole, chr(mark) if isinstance(mark, int) and mark else "", common, len(theirs), len(ours)))
    return results


def _below(hashes: np.ndarray, limit: np.uint64) -> np.ndarray:
    return hashes[hashes < limit] if len(hashes) else NOTHING


def _may_identify(statistics: Statistics, path: int) -> bool:
    """Whether a path's values are long, different and no dates or decimals."""
    counts, shapes = statistics.counts[path], statistics.shapes[path]
    values = int(shapes.sum())
    different = len(statistics.values.of(path))
    return (values > 0 and different >= LEAST and counts[kernels.BYTES] >= BYTES * values
            and shapes[list(_NEVER)].sum() < 0.5 * values and different >= 0.02 * min(values, 20_000))
