"""The forms of tokens: random texts of each, from the operating system's generator."""

import os
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import assemble, output, parts
from flink_masking.techniques.pseudonym import ENCODINGS
from flink_masking.techniques.tokenize import kernels

ALPHABET = ENCODINGS["base62"].alphabet
_DIGITS = np.frombuffer(ALPHABET.encode(), np.uint8)

Propose = Callable[[pa.StringArray], pa.StringArray]
"""Random tokens for n values, drawn anew with every call."""


def _random(size: int) -> np.ndarray:
    return np.frombuffer(os.urandom(size), np.uint8)


def _below(limit: int, n: int) -> np.ndarray:
    """n independent numbers from 0 to limit - 1, each as likely: uint8. Bytes beyond the last whole multiple are thrown away."""
    whole = 256 - 256 % limit
    found = np.zeros(0, np.uint8)
    while len(found) < n:
        drawn = _random(n + n // 16 + 64)
        found = np.concatenate([found, drawn[drawn < whole] % limit])
    return found[:n]


def _column(n: int, length: int, write: Callable[[np.ndarray], None]) -> pa.StringArray:
    """n texts of one length that a kernel writes."""
    buffer, out = output(n * length)
    write(out)
    return assemble(pa.string(), buffer, np.arange(n + 1, dtype=np.int32) * np.int32(length))


def uuids(values: pa.StringArray) -> pa.StringArray:
    """UUIDs of version 4 (RFC 9562): 122 random bits, in lower case."""
    n = len(values)
    return _column(n, kernels.UUID_LENGTH, lambda out: kernels.write_uuids(_random(16 * n), n, out))


def alphanumerics(length: int) -> Propose:
    """Texts of `length` letters and digits; a 256-bit number modulo 62^length, so uniform but for 2⁻¹⁷ at length 40."""

    def propose(values: pa.StringArray) -> pa.StringArray:
        n = len(values)
        return _column(n, length, lambda out: kernels.write_alphanumerics(_random(32 * n), n, length, _DIGITS, out))

    return propose


def digits(luhn: str) -> Propose:
    """As many digits as the value has, never the value itself.

    Args:
        luhn: "any"; "valid": the last digit is the check digit of the others (ISO/IEC 7812-1); "invalid": it is any other.
    """

    def propose(values: pa.StringArray) -> pa.StringArray:
        offsets = parts(values).offsets
        ends = (offsets - offsets[0]).astype(np.int32)
        while True:  # again when a value met itself, which is rare
            buffer, out = output(int(ends[-1]))
            out[: ends[-1]] = _below(10, int(ends[-1])) + ord("0")
            if luhn != "any":
                n = len(values)
                kernels.set_check_digits(out, ends, np.zeros(n, np.uint8) if luhn == "valid" else _below(9, n) + np.uint8(1))
            proposals = assemble(pa.string(), buffer, ends)
            if not pc.any(pc.equal(proposals, values)).as_py():
                return proposals

    return propose
