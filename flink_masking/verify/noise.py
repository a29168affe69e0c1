"""Tests residuals of published figures against the noise distribution that the policy promises.

Each residual is turned into the probability of one as far out on its side, by the promised distribution (discrete, so a uniform draw
splits the probability of the residual itself: the probability integral transform of a discrete variable, Czado et al. 2009). Under the
promise, minus the logarithm of twice that probability is exponentially distributed, and sums of n of them follow the gamma distribution:
a small sum is noise that is missing or too small, a large one figures that noise does not explain.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

ERROR = 1e-6
"""The probability with which an honest release is called broken, for each promise that is tested."""
_LEAST = 1e-300
"""Smaller probabilities are not told apart."""
_TABLE = 50.0
"""Below this scale a discrete Gaussian is summed up; above it differs from the normal distribution by less than rounding."""


@dataclass(frozen=True)
class Noise:
    """Noise on whole numbers.

    Attributes:
        kind: discrete Laplace, or discrete Gaussian.
        scale: its b or sigma, in units.
    """

    kind: Literal["laplace", "gaussian"]
    scale: float

    def widened(self, variance: float | np.ndarray) -> "np.ndarray":
        """The scale of noise whose variance is larger by `variance`, as much of each as there are."""
        extra = np.asarray(variance, np.float64)
        return np.sqrt(self.scale**2 + (extra / 2 if self.kind == "laplace" else extra))

    def log_beyond(self, x: np.ndarray, scale: np.ndarray | None = None) -> np.ndarray:
        """ln P(X ≥ x) for whole x."""
        b = np.full(x.shape, self.scale) if scale is None else scale
        x = x.astype(np.float64)
        if self.kind == "gaussian":
            return _log_normal_beyond(x, b)
        p = np.exp(-1 / b)
        upper = -np.maximum(x, 0) / b - np.log1p(p)
        lower = np.log1p(-np.exp(-np.maximum(1 - x, 0) / b) / (1 + p))
        return np.where(x > 0, upper, lower)


def _log_normal_beyond(x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """ln P(X ≥ x) of discrete Gaussians; those of one small sigma are summed up."""
    if sigma.size and sigma.min() == sigma.max() and sigma[0] < _TABLE:
        reach = math.ceil(38 * sigma[0]) + 1
        ks = np.arange(-reach, reach + 1)
        mass = np.exp(-(ks.astype(np.float64) ** 2) / (2 * sigma[0] ** 2))
        beyond = np.append(np.cumsum(mass[::-1])[::-1] / mass.sum(), 0.0)
        found = beyond[np.clip(x + reach, 0, len(ks)).astype(np.int64)]
        return np.log(np.maximum(found, _LEAST))
    tail = np.array([math.erfc(z) / 2 for z in ((x - 0.5) / sigma / math.sqrt(2)).tolist()])
    return np.log(np.maximum(tail, _LEAST))


def statistics(noise: Noise, residual: np.ndarray, draw: np.ndarray, variance: np.ndarray, least: np.ndarray | None = None,
               censored: np.ndarray | None = None) -> np.ndarray:
    """How far out each residual is: exponentially distributed under the promise.

    Args:
        noise: as promised.
        residual: int64, published figure minus raw figure.
        draw: uniform numbers from 0 to 1, which split the probability of the residual itself.
        variance: of the raw figure, where it is not exactly known.
        least: int64, the smallest residual with which the figure is published; None where it always is.
        censored: bool, whether the residual stands for itself and all below it, as that of a count of 0 does.

    Returns:
        float64, -ln(2 · the smaller tail), 0 to 690.
    """
    scale = noise.widened(variance)
    from_it, past_it = (np.exp(noise.log_beyond(x, scale)) for x in (residual, residual + 1))
    before_it, up_to_it = (np.exp(noise.log_beyond(x, scale)) for x in (1 - residual, -residual))  # the distribution is symmetric
    log_above = np.log(np.maximum(past_it + draw * (from_it - past_it), _LEAST))
    log_below = np.log(np.maximum(before_it + (1 - draw) * (up_to_it - before_it), _LEAST))
    if censored is not None and censored.any():
        log_below = np.where(censored, np.log(np.maximum((1 - draw) * up_to_it, _LEAST)), log_below)
        log_above = np.where(censored, np.log(np.maximum(-np.expm1(np.minimum(log_below, -1e-300)), _LEAST)), log_above)
    if least is not None:
        log_published = noise.log_beyond(least, scale)
        log_above = np.minimum(0.0, log_above - log_published)
        cut = log_published < -1e-15
        log_below = np.where(cut, np.log(np.maximum(-np.expm1(log_above), _LEAST)), log_below)
    found: np.ndarray = np.clip(-math.log(2) - np.minimum(log_above, log_below), 0.0, 690.0)
    return found


class Tested(NamedTuple):
    """How well residuals go with the promised noise.

    Attributes:
        size: residuals.
        ratio: their mean distance, 1 as promised: 0 is no noise at all.
        too_small: probability of so little noise, by the promise.
        too_large: probability of so much.
        farthest: probability of a single one so far out.
    """

    size: int
    ratio: float
    too_small: float
    too_large: float
    farthest: float


def held_against(found: np.ndarray) -> Tested:
    """Hold exponential statistics against the promise; probabilities are 1 where there are none."""
    n, total = len(found), float(found.sum())
    if not n:
        return Tested(0, 1.0, 1.0, 1.0, 1.0)
    return Tested(n, total / n, gamma_below(n, total), gamma_beyond(n, total), min(1.0, n * math.exp(-float(found.max()))))


def gamma_beyond(n: int, total: float) -> float:
    """P(the sum of n exponential variables ≥ total): fewer than n events of a Poisson process by then."""
    return _poisson(0, n, total)


def gamma_below(n: int, total: float) -> float:
    """P(the sum of n exponential variables ≤ total)."""
    return _poisson(n, int(max(n, total) * 2 + 200), total)


def _poisson(first: int, last: int, rate: float) -> float:
    """P(first ≤ N < last) for a Poisson variable N."""
    if rate <= 0:
        return 1.0 if first == 0 else 0.0
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, last)))))[first:]
    terms = np.arange(first, last) * math.log(rate) - rate - logs
    top = float(terms.max())
    return min(1.0, math.exp(min(0.0, top + math.log(float(np.exp(terms - top).sum())))))
