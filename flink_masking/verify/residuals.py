"""Tests the noise of published figures against the raw records, and the thresholds of groups."""

import hashlib
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flink_masking.policy.segments import AggregatedSegment, Metric
from flink_masking.verify.budget import Budget, Quantity
from flink_masking.verify.contributions import Contributions, Figure
from flink_masking.verify.noise import ERROR, Tested, held_against, statistics
from flink_masking.verify.passed_on import COMPARED, MANY, NOISE
from flink_masking.verify.report import Report, Verdict

_BLURRED = 0.25
"""Of the noise's variance (or square of its scale): where choices of records blur a raw figure more, only its range is used."""
_FEW_PEOPLE = 20
"""Scales of noise that a mean's divisor must hold to be read off it."""
_MOST = 20_000
"""Figures of a kind that are tested."""
_KEY = secrets.token_bytes(32)
"""Of the draws: the same figures are judged alike in one process, and who tries residuals cannot make the draws that go with them."""
HALVED = math.log(2) - 0.5
"""What a figure tells, in logarithms of probability, of noise that is half as large as promised."""


@dataclass
class Published:
    """The figures of one quantity.

    Attributes:
        rows: int64, rows that show it.
        values: float64, by these rows, in units.
        censored: bool, a count of 0 stands for 0 or less.
    """

    rows: np.ndarray
    values: np.ndarray
    censored: np.ndarray


def published(segment: AggregatedSegment, budget: Budget, columns: Mapping[str, Sequence[Any]]) -> dict[Quantity, list[Published]]:
    """The noisy figures that rows show, or that can be read off them.

    Args:
        segment: as in the policy.
        budget: of it.
        columns: metric → its value in each row.
    """
    found: dict[Quantity, list[Published]] = {}
    for name, metric in segment.metrics.items():
        quantity = budget.used_by(metric)[0]
        if quantity in found or metric.kind in ("mean", "variance", "quantiles"):
            continue
        if metric.kind == "histogram":
            counts = [_bins(value, len(metric.bins) - 1) for value in columns[name]]
            found[quantity] = [_counts([one[at] for one in counts], segment.clip) for at in range(len(metric.bins) - 1)]
        elif metric.kind == "sum":
            rows, values = _numbers(columns[name])
            found[quantity] = [Published(rows, np.rint(values * 10 ** budget.scale_of(metric.field)), np.zeros(len(rows), np.bool_))]
        else:
            found[quantity] = [_counts(columns[name], segment.clip)]
    for name, metric in segment.metrics.items():
        if metric.kind == "mean":
            _read_off(metric, columns[name], budget, found)
    return found


def _bins(value: Any, size: int) -> list[Any]:
    counts = value.get("counts") if isinstance(value, dict) else None
    return counts if isinstance(counts, list) and len(counts) == size else [None] * size


def _read_off(metric: Metric, values: Sequence[Any], budget: Budget, found: dict[Quantity, list[Published]]) -> None:
    """Of sum, mean and number of values, the third from the other two."""
    total, divisor = Quantity("sum", metric.field), budget.divisor(metric)
    known = found.get(total) or found.get(divisor)
    if (total in found) == (divisor in found) or known is None:
        return
    rows, means = _numbers(values)
    rows, at, of = np.intersect1d(rows, known[0].rows, assume_unique=True, return_indices=True)
    means = means[at] * 10 ** budget.scale_of(metric.field)
    low, high = budget.bounds(metric.field or "")
    inside = (means > low) & (means < high) & (means != 0)
    read = np.rint(known[0].values[of][inside] / means[inside] if total in found else known[0].values[of][inside] * means[inside])
    counts = read if total in found else known[0].values[of][inside]
    sure = counts >= _FEW_PEOPLE * budget.noise(divisor).scale
    found[divisor if total in found else total] = [Published(rows[inside][sure], read[sure], np.zeros(int(sure.sum()), np.bool_))]


def _numbers(values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    rows = [at for at, value in enumerate(values) if isinstance(value, int | float) and not isinstance(value, bool)]
    return np.array(rows, np.int64), np.array([values[at] for at in rows], np.float64)


def _counts(values: Sequence[Any], clip: bool) -> Published:
    """Counts; 0 stands for anything below, too, where the policy says so, or no count of the column is below 0, as in earlier releases."""
    rows, numbers = _numbers(values)
    return Published(rows, numbers, (numbers == 0) & (clip or not (numbers < 0).any()))


class Residuals:
    """Tests of a view's figures; each promise is tested at the error rate `flink_masking.verify.noise.ERROR`."""

    def __init__(self, budget: Budget, raw: Contributions, cells: np.ndarray) -> None:
        """Take what is compared.

        Args:
            budget: what the policy promises.
            raw: what the raw records add up to.
            cells: int64, for each row its cell among those of `raw`; -1 where no record is in it.
        """
        self._budget, self._raw, self._cells = budget, raw, cells
        self._found: dict[str, list[np.ndarray]] = {}
        self._ranges: list[np.ndarray] = []

    def add(self, name: str, quantity: Quantity, shown: Published, figure: Figure) -> None:
        """Compare the figures of one quantity (one of its bins), under a name for people."""
        noise, cell = self._budget.noise(quantity), self._cells[shown.rows]
        there = cell >= 0

        def at(column: np.ndarray) -> np.ndarray:
            return np.where(there, column[np.maximum(cell, 0)], 0.0) if len(column) else np.zeros(len(cell))

        mean, variance, low, high = (at(column) for column in (figure.mean, figure.variance, figure.low, figure.high))
        exact = (variance == 0) | ((variance <= _BLURRED * noise.scale**2) & (noise.scale >= 2))
        exact &= ~at(self._raw.unsure.astype(np.float64)).astype(np.bool_)
        residual = np.clip(np.rint(shown.values - mean), -(2.0**62), 2.0**62).astype(np.int64)
        least = None
        if quantity.kind == "subjects" and not self._budget.public:
            least = self._budget.threshold - np.rint(mean).astype(np.int64)
        seed = hashlib.blake2b(residual.tobytes(), key=_KEY).digest()
        draw = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big"))).random(len(residual))
        some = np.flatnonzero(exact)[:_MOST]
        found = statistics(noise, residual[some], draw[some], variance[some], None if least is None else least[some], shown.censored[some])
        self._found.setdefault(name, []).append(found)
        beyond = np.maximum(0, np.maximum(np.ceil(low) - shown.values, shown.values - np.floor(high))).astype(np.int64)
        far = noise.log_beyond(beyond[~exact]) + math.log(2)
        if least is None:  # a group is published because its noisy number of people is large: no sign of anything
            self._ranges.append(-np.minimum(0.0, far))

    def judge(self, report: Report, promised: str) -> None:
        """Report whether the noise is as promised."""
        tested = {name: held_against(np.concatenate(parts)) for name, parts in self._found.items()}
        if len(tested) > 1:
            tested["all figures"] = held_against(np.concatenate([part for parts in self._found.values() for part in parts]))
        ranges = np.concatenate([np.zeros(0), *self._ranges])
        tests = 2 * len(tested) + 2
        limit = ERROR / tests
        wrong = [_smaller(name, one) for name, one in tested.items() if one.too_small < limit]
        wrong += [(f"{name}: further off than noise explains, p = {min(one.too_large, one.farthest):.1g}",
                   f"{name}: further off than noise explains")
                  for name, one in tested.items() if min(one.too_large, one.farthest / 2) < limit]
        if len(ranges) and len(ranges) * math.exp(-float(ranges.max())) < limit:
            wrong.append(("a figure lies outside of what the records can add up to and noise explains",) * 2)
        size = max((one.size for one in tested.values()), default=0)
        report.figures[NOISE] = {name: one.ratio for name, one in tested.items() if one.size}
        report.figures[COMPARED] = {name: one.size for name, one in tested.items() if one.size}
        verdict: Verdict = "broken" if wrong else "held" if size else "open"
        exact, rough = "no figure whose raw value is known", "no figure whose raw value is known"
        if size:
            exact = f"{size:,} figures beside their raw values"
            rough = f"{MANY} figures or more" if size >= MANY else f"fewer than {MANY} figures"
            rough += " beside their raw values"
        notes = ["; ".join(texts) for texts in zip(*wrong, strict=True)] or ["", ""]
        report.add("noise", promised, exact, verdict, notes[0], (rough, notes[1]))
        if size and not wrong and size * HALVED < -math.log(limit):
            enough = math.ceil(-math.log(limit) / HALVED)
            report.notes.append(f"among fewer than {enough} figures, noise of half the size can go unnoticed")

    def judge_groups(self, report: Report) -> None:
        """Note whether groups that few people share are published more often than the promised noise lifts them over the threshold."""
        budget, raw = self._budget, self._raw
        most = raw.subjects().high
        people = np.where(self._cells >= 0, most[np.maximum(self._cells, 0)], 0.0) if len(most) else np.zeros(len(self._cells))
        needed = budget.threshold - np.floor(people).astype(np.int64)
        chance = np.exp(np.minimum(0.0, budget.noise(Quantity("subjects")).log_beyond(needed)))
        limit = ERROR / max(1, len(most), len(self._cells))
        rare = chance < limit
        shared = [(raw.people[cell] if cell >= 0 else 0) < 2 for cell in self._cells.tolist()]
        alone = int(np.sum(shared)) if shared else 0
        bad = int((rare | np.array(shared, np.bool_)).sum())
        note = f"{alone:,} about nobody, or one person" if alone else ""
        lifted = "rows that noise does not lift so far"
        report.add("groups", f"from {budget.threshold:,} people on, noise included", f"{bad:,} {lifted}", bad == 0, note,
                   (f"{'some' if bad else 'no'} {lifted}", ""))
        report.figures["people behind a row"] = {"least": float(people.min()) if len(people) else 0.0}


def _smaller(name: str, one: Tested) -> tuple[str, str]:
    """What is said of too little noise, exactly and to people who do not hold the raw records."""
    ratio = 0 if one.ratio < 0.005 else one.ratio
    rough = f"noise {ratio:.1f} of the promised, p < {ERROR:.0e}" if one.size >= MANY else "noise smaller than promised"
    return f"{name}: noise {ratio:.2f} of the promised, p = {one.too_small:.1g}", f"{name}: {rough}"
