"""Zero-concentrated differential privacy (zCDP), in which Gaussian noise is accounted for, and what it means as epsilon and delta.

Losses rho add up over everything published about a person; only the total is converted. Every figure errs towards promising less.

Sources: Bun and Steinke 2016 (zCDP); Canonne, Kamath and Steinke 2020 (the discrete Gaussian, and the conversion of their Corollary 13,
which is OpenDP's, too).
"""

import math

_HALVINGS = 200
_MARGIN = 1e-9
"""Relative amount that a budget is left unspent by, for the rounding of logarithms."""


def delta_of(rho: float, epsilon: float) -> float:
    """The delta at which rho-zCDP is (epsilon, delta)-differential privacy.

    Args:
        rho: above 0.
        epsilon: 0 or more.

    Returns:
        The bound exp((α - 1)(αρ - ε)) / (α - 1) · (1 - 1/α)^α at its best order α > 1, or 1.
    """
    # the logarithm of the bound is convex in α, and its derivative is 2αρ - ρ - ε + ln(1 - 1/α)
    low, high = 1.0, max(2.0, (epsilon + 1) / rho + 2)
    for _ in range(_HALVINGS):
        alpha = (low + high) / 2
        if not low < alpha < high:
            break
        if (2 * alpha - 1) * rho - epsilon + math.log1p(-1 / alpha) < 0:
            low = alpha
        else:
            high = alpha
    log_delta = (high - 1) * (high * rho - epsilon) + alpha_term(high)
    return math.exp(min(0.0, log_delta))


def alpha_term(alpha: float) -> float:
    """The part of the bound's logarithm that depends on the order alone."""
    return alpha * math.log1p(-1 / alpha) - math.log(alpha - 1)


def epsilon_of(rho: float, delta: float) -> float:
    """The epsilon at which rho-zCDP is (epsilon, delta)-differential privacy.

    >>> round(epsilon_of(0.5, 1e-9), 1)
    6.5
    """
    low, high = 0.0, rho + 2 * math.sqrt(rho * math.log(1 / delta)) + 1e-12  # Bun and Steinke, Proposition 1.3
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if delta_of(rho, middle) <= delta else (middle, high)
    return high * (1 + _MARGIN)


def rho_for(epsilon: float, delta: float) -> float:
    """The largest rho that keeps (epsilon, delta).

    Args:
        epsilon: above 0.
        delta: between 0 and 1.
    """
    low, high = 0.0, epsilon + 2 * math.log(1 / delta) + 1  # beyond what any delta below 1 allows
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return low * (1 - _MARGIN)
