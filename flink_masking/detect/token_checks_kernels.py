# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Checks of credentials: entropy (Shannon 1948), GitHub's checksum, the header of a JSON web token."""

import numpy as np

from flink_masking.detect.digit_kernels import NOT, STRONG, WEAK
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at

ENTROPY_OVER = 64
"""Bytes that entropy is measured over, at most: cost stays bounded whatever comes."""
LOGARITHMS = np.log2(np.maximum(np.arange(ENTROPY_OVER + 1), 1).astype(np.float64))


@njit(**JIT)
def entropy(p, e):
    """Bits a character of the first bytes of p…e."""
    n = min(e - p, np.int64(ENTROPY_OVER))
    if n <= 0:
        return 0.0
    low, high = np.uint64(0), np.uint64(0)  # bytes that have been counted
    total = 0.0
    for k in range(n):
        c = at(p + k)
        bit = np.uint64(1) << np.uint64(c & 63)
        seen = (low if c < 64 else high) & bit if c < 128 else np.uint64(0)
        if seen:
            continue
        if c < 64:
            low |= bit
        elif c < 128:
            high |= bit
        count = 0
        for j in range(k, n):
            count += at(p + j) == c
        total += count * LOGARITHMS[count]
    return LOGARITHMS[n] - total / n


@njit(**JIT)
def random_text(p, e, least):
    """Whether p…e looks random: entropy, and a digit among its letters or both cases."""
    digits, lower, capital = 0, 0, 0
    for k in range(min(e - p, np.int64(ENTROPY_OVER))):
        c = at(p + k)
        digits += digit(c)
        lower += 97 <= c <= 122
        capital += 65 <= c <= 90
    return (digits > 0 or (lower > 0 and capital > 1)) and entropy(p, e) >= least


@njit(**JIT)
def base62(c):
    """The value of a digit, capital or small letter in GitHub's order; -1 otherwise."""
    if digit(c):
        return c - 48
    if letter(c):
        return c - 55 if c <= 90 else c - 61
    return np.int64(-1)


@njit(**JIT)
def github(p, e):
    """A GitHub token ``ghp_`` and the like: STRONG where the last six characters are the CRC-32 of the thirty before in base 62."""
    if e - p != 40:
        return WEAK
    crc = np.uint32(0xFFFFFFFF)
    for k in range(4, 34):
        crc ^= np.uint32(at(p + k))
        for _ in range(8):
            crc = (crc >> np.uint32(1)) ^ (np.uint32(0xEDB88320) if crc & np.uint32(1) else np.uint32(0))
    wanted, found = np.int64(crc ^ np.uint32(0xFFFFFFFF)), np.int64(0)
    for k in range(34, 40):
        found = found * 62 + base62(at(p + k))
    return STRONG if wanted == found else WEAK


@njit(**JIT)
def base64_value(c):
    """The value of a character of base64 or base64url; -1 otherwise."""
    if letter(c):
        return c - 65 if c <= 90 else c - 71
    if digit(c):
        return c + 4
    if c == 45 or c == 43:
        return np.int64(62)
    return np.int64(63) if c == 95 or c == 47 else np.int64(-1)


ALG = 0x22616C6722  # "alg" with its quotes
HEADER = 512


@njit(**JIT)
def jwt_header(p, e):
    """STRONG where the base64 of p…e is an object with a member "alg", else WEAK (RFC 7515)."""
    bits, have, window = np.int64(0), 0, np.int64(0)
    for k in range(min(e - p, np.int64(HEADER))):
        v = base64_value(at(p + k))
        if v < 0:
            return NOT
        bits = ((bits << 6) | v) & 0xFFFF
        have += 6
        if have >= 8:
            have -= 8
            window = ((window << 8) | ((bits >> have) & 0xFF)) & 0xFFFFFFFFFF
            if window == ALG:
                return STRONG
    return WEAK


@njit(**JIT)
def basic_or_bearer(p, e):
    """The credentials of an Authorization header p…e: what comes after the first space is long, or random, or ends like base64."""
    q = p
    while q < e and at(q) != 32:
        q += 1
    q += 1
    if e - q >= 16 and random_text(q, e, 3.0):
        return STRONG
    return WEAK if e - q >= 16 and at(e - 1) == 61 else NOT


@njit(**JIT)
def random_tail(p, e):
    """STRONG where a token with a known prefix looks random, else NOT: examples such as ``AKIAXXXXXXXXXXXXXXXX`` are not secrets."""
    return STRONG if entropy(p, e) >= 2.5 else NOT
