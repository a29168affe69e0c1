"""Tokens met lately, in a bounded table in front of a vault: digests and tokens, no clear values."""

import threading

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.vault import cache_kernels as kernels

ENTRIES = 1 << 20
"""Tokens that a cache holds unless told otherwise: 68 MiB once it is full, taken from the system as it fills."""


class TokenCache:
    """A set-associative table: eight places for each group of lookups, of which the one unused for longest is given away.

    A lookup is known by its first sixteen bytes: it is a keyed digest of value, domain and form, so two do not meet. Tokens longer than
    `kernels.WIDTH` bytes are not kept. Safe to use from several threads.
    """

    def __init__(self, entries: int = ENTRIES) -> None:
        """An empty table.

        Args:
            entries: at least this many tokens fit in; rounded up to eight times a power of two.
        """
        groups = 1 << max(0, (entries - 1) // kernels.WAYS).bit_length()
        self.entries = groups * kernels.WAYS
        self._keys = np.zeros(2 * self.entries, np.uint64)
        self._used = np.zeros(self.entries, np.int32)
        self._marks = np.zeros(self.entries, np.int32)
        self._tokens = np.zeros(self.entries * kernels.WIDTH + kernels.SLACK, np.uint8)
        self._now, self._lock = 0, threading.Lock()

    def find(self, lookups: np.ndarray, text: pa.StringArray, day: int = 0) -> tuple[pa.StringArray, np.ndarray, np.ndarray]:
        """The tokens of values, as far as they are here.

        Args:
            lookups: uint8, shape (n, 16) or more: of the digest, the first 16 bytes count.
            text: n values; null and ``""`` are skipped.
            day: days since 1970; 0: it does not matter when tokens were put here.

        Returns:
            n tokens, null where the value is null, ``""`` where it is empty or its token is not here; the rows of the latter; and the rows
            of tokens that are here and were put on another day. Rows are int64.
        """
        _, offsets, valid = parts(text)
        buffer, out = output(len(text) * kernels.WIDTH)
        ends, missing = np.zeros(len(text) + 1, np.int32), np.zeros(len(text), np.uint8)
        with self._lock:
            args = (self._keys, self._used, self._marks, self._tokens, self._tick(), day)
            kernels.find(lookups.reshape(-1), lookups.shape[1] // 8, offsets, valid, *args, out, ends, missing)
        rows = np.flatnonzero(missing)
        found = assemble(pa.string(), buffer, ends, valid)
        if not day or not len(rows):
            return found, rows, rows[:0]
        return found, rows[missing[rows] == 1], rows[missing[rows] == 2]

    def put(self, lookups: np.ndarray, tokens: pa.StringArray, day: int = 0) -> None:
        """Keep tokens.

        Args:
            lookups: uint8, as for `find`.
            tokens: n tokens, without nulls.
            day: of which the vault has noted their use, days since 1970.
        """
        data, offsets, _ = parts(tokens)
        with self._lock:
            args = (self._keys, self._used, self._marks, self._tokens, self._tick(), day)
            kernels.put(lookups.reshape(-1), lookups.shape[1] // 8, data, offsets, *args)

    def clear(self) -> None:
        """Forget every token: one that was deleted elsewhere is asked for again."""
        with self._lock:
            self._keys[:], self._used[:] = 0, 0

    def _tick(self) -> int:
        """The time that entries used now are marked with: a count of calls; before it runs out, all entries become equally old."""
        if self._now == np.iinfo(np.int32).max:
            np.minimum(self._used, 1, out=self._used)
            self._now = 1
        self._now += 1
        return self._now
