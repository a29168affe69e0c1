"""Short texts (postcodes, geohashes) as a dimension that is generalised by cutting characters from the right."""

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.dimensions.base import ROOT, UNKNOWN, Dimension, not_null, of_kind
from flink_masking.anonymity.dimensions.text_kernels import parse_words
from flink_masking.arrow import parts
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC, TEXT

SYMBOLS = 10
"""Assumed symbols per position, independent of the data: the loss depends on the label only."""


class PrefixDimension(Dimension):
    """Texts of at most `length` printable ASCII characters without ``*``; a number counts as its text.

    A code has 8 bits a character, big-endian, padded with 0; so texts with a common prefix are a range of codes. The label is the
    common prefix with ``*`` for the other positions (``941**``), a single text itself, or ``*`` without a common prefix. Cutting c
    of p characters loses (10^c - 1) / (10^p - 1): a prefix is a range among the 10^p texts of p digits.

    Attributes:
        length: p, positions.
        symbols: a position is reckoned to have, 10 here.
    """

    dtype = np.uint64
    symbols = SYMBOLS

    def __init__(self, length: int, categories: bool = False) -> None:
        """Take the number of characters.

        Args:
            length: 1 to 8.
            categories: whether missing and unknown values have codes; no text has the bytes that these are made of.

        Raises:
            PolicyError: length is not between 1 and 8.
        """
        if not 1 <= length <= 8:
            raise PolicyError("prefix: not between 1 and 8 characters. Hint: prefix: 5 for a five-digit postcode")
        self.length, self.top, self.signature = length, (1 << 8 * length) - 1, f"prefix {length}"
        if categories:
            self.missing, self.unknown, self.signature = self.top, int.from_bytes(b"\xfe" * length), f"prefix {length} categories"

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Dimension.encode`."""
        words, good = np.empty(len(text), np.uint64), np.empty(len(text), np.uint8)
        data, offsets, _ = parts(text)
        parse_words(data, offsets, self.length, words, good)
        ok = good.view(np.bool_) & of_kind(kinds, TEXT | NUMERIC) & not_null(text)
        return np.where(ok, words, np.uint64(0)), ok

    def cut(self, low: int, high: int) -> int:
        """Characters to cut until the codes low and high have a common prefix, 0 to `length`."""
        return -(-(low ^ high).bit_length() // 8)

    def label(self, low: int, high: int) -> str | None:
        """The common prefix of the codes, starred to the full length."""
        if low == high and low in (self.missing, self.unknown):
            return None if low == self.missing else UNKNOWN
        cut = self.cut(low, high)
        if cut == self.length:
            return ROOT
        kept = (low >> 8 * cut << 8 * cut).to_bytes(self.length, "big").rstrip(b"\0").decode("ascii")
        return kept + "*" * cut

    def loss(self, low: int, high: int) -> float:
        """(10^c - 1) / (10^p - 1) for c of p characters cut."""
        return (self.symbols ** self.cut(low, high) - 1) / (self.symbols**self.length - 1)
