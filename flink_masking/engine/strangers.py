"""Texts that were looked up before and not found, so that the same people of a stream need not be hashed with a key again and again.

What is kept are fingerprints of 64 bits under a seed of this process, in memory only. Two texts with one fingerprint count as the same,
one of 2^64 by chance: a text that is looked for may then be overlooked, and never the other way round.
"""

import os

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.engine import grant_kernels as kernels

FEW, MOST = 15, 20
"""Bits of the number of places, at first and at most; each has two slots of eight bytes (16 MB)."""


class Strangers:
    """A table of fingerprints; one that is crowded out is looked up again, and nothing else happens."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._seed = np.frombuffer(os.urandom(8), np.uint64)[0]
        self.forget()

    def forget(self) -> None:
        """Look up everybody again."""
        self._slots, self._bits, self._kept = np.zeros(2 << FEW, np.uint64), FEW, 0

    def unknown(self, texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
        """Rows whose text is not known here, and the fingerprints of these; a null is an empty text.

        Args:
            texts: n.

        Returns:
            int32, ascending; uint64, as many.
        """
        data, offsets, _ = parts(texts)
        rows, prints = np.empty(len(texts), np.int32), np.empty(len(texts), np.uint64)
        found = kernels.unknown(data, offsets, self._seed, self._slots, 64 - self._bits, rows, prints)
        return rows[:found], prints[:found]

    def remember(self, prints: np.ndarray) -> None:
        """Know these fingerprints from now on: uint64."""
        kernels.keep(prints, self._slots, 64 - self._bits)
        self._kept += len(prints)
        if self._kept > 1 << self._bits and self._bits < MOST:
            before = self._slots[self._slots != 0]
            self._bits += 1
            self._slots, self._kept = np.zeros(2 << self._bits, np.uint64), len(before)
            kernels.keep(before, self._slots, 64 - self._bits)
