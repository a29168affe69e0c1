# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Exact samplers of the discrete Laplace and the discrete Gaussian distribution, from a stream of uniform 64-bit words.

Whole numbers only: every decision is a comparison of a uniform whole number with another, so that the distributions are exact for a
scale of the form t / 2**shift. A probability such as (f/t)²/2k is a product of independent events of probability f/t, f/t, 1/2 and
1/k, so that nothing exceeds 64 bits.

Source: Canonne, Kamath and Steinke 2020, Algorithms 1 to 3; the Gaussian's proposals have its own scale, t / 2**shift, so that a
proposal y is taken with probability exp(-(d/t)²/2), d = | |y|·2**shift - t |.
"""

import numpy as np

from flink_masking.kernels import I64, JIT, U64, W64, njit

_0, _1 = np.uint64(0), np.uint64(1)
_LONGEST = np.int64(511)
"""A geometric variable above this, of probability exp(-512), is cut to it."""


@njit(**JIT)
def _below(n, words, at):
    """A uniform whole number below n. `at` is the position in the words, whether they have run out (then it is 0), and where they end."""
    mask = n - _1
    mask |= mask >> _1
    mask |= mask >> np.uint64(2)
    mask |= mask >> np.uint64(4)
    mask |= mask >> np.uint64(8)
    mask |= mask >> np.uint64(16)
    mask |= mask >> np.uint64(32)
    while at[0] < at[2]:
        x = words[at[0]] & mask
        at[0] += 1
        if x < n:
            return x
    at[1] = 1
    return _0


@njit(**JIT)
def _exp(f, t, squared, halved, words, at):
    """True with probability exp(-γ) for γ = f/t, or its square, or half of that; f is at most t."""
    k = _1
    while at[1] == 0:
        yes = k == _1 or _below(k, words, at) == _0
        if yes and halved:
            yes = _below(np.uint64(2), words, at) == _0
        if yes and f < t:
            yes = _below(t, words, at) < f
            if yes and squared:
                yes = _below(t, words, at) < f
        if not yes:
            return k & _1 == _1
        k += _1
    return False


@njit(**JIT)
def _laplace(t, shift, words, at):
    """A discrete Laplace variable of scale t / 2**shift."""
    while at[1] == 0:
        u = _below(t, words, at)
        if not _exp(u, t, False, False, words, at):
            continue
        v = I64(0)
        while v < _LONGEST and _exp(t, t, False, False, words, at):
            v += 1
        y = (I64(u) + I64(t) * v) >> shift
        negative = _below(np.uint64(2), words, at) == _1
        if negative and y == 0:
            continue
        return -y if negative else y
    return I64(0)


@njit(**JIT)
def _takes(d, t, words, at):
    """True with probability exp(-(d/t)²/2)."""
    a, f = d // t, d % t
    for _ in range(a * a):
        if at[1] or not _exp(t, t, False, True, words, at):
            return False
    for _ in range(a):
        if at[1] or not _exp(f, t, False, False, words, at):
            return False
    return _exp(f, t, True, True, words, at)


@njit(**JIT)
def _gaussian(t, shift, words, at):
    """A discrete Gaussian variable whose parameter σ is t / 2**shift."""
    while at[1] == 0:
        y = _laplace(t, shift, words, at)
        d = (abs(y) << shift) - I64(t)
        if _takes(np.uint64(abs(d)), t, words, at):
            return y
    return I64(0)


@njit(I64(U64, I64, I64, I64, W64, W64, W64), **JIT)
def laplace(words, each, t, shift, draws, out, at):
    """Draw `out[draw]` of scale t / 2**shift, t below 2**53, for every draw in `draws`.

    Args:
        words: uint64, uniform; those of draw number i in `draws` are ``words[i * each:(i + 1) * each]``.
        each: words of a draw.
        t: numerator.
        shift: at most 52.
        draws: int64; at the end begins with the places in `draws` whose words did not suffice.
        out: int64.
        at: scratch, int64[3].

    Returns:
        How many draws are left to be made with more words.
    """
    left = I64(0)
    for i in range(draws.size):
        at[0], at[1], at[2] = i * each, 0, (i + 1) * each
        x = _laplace(np.uint64(t), shift, words, at)
        if at[1]:
            draws[left] = i
            left += 1
        else:
            out[draws[i]] = x
    return left


@njit(I64(U64, I64, I64, I64, W64, W64, W64), **JIT)
def gaussian(words, each, t, shift, draws, out, at):
    """As `laplace`, for the discrete Gaussian whose parameter σ is t / 2**shift."""
    left = I64(0)
    for i in range(draws.size):
        at[0], at[1], at[2] = i * each, 0, (i + 1) * each
        x = _gaussian(np.uint64(t), shift, words, at)
        if at[1]:
            draws[left] = i
            left += 1
        else:
            out[draws[i]] = x
    return left


__all__ = ["gaussian", "laplace"]
