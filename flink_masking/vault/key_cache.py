"""Data keys of subjects met lately, in a bounded table in front of a vault."""

import threading

import numpy as np

from flink_masking.crypto.secret import Secret
from flink_masking.vault import cache_kernels as kernels

ENTRIES = 1 << 20
"""Keys that a cache holds unless told otherwise: 68 MiB once it is full, taken from the system as it fills."""
KEY_BYTES = 32
_NO_VALID = np.zeros(0, np.uint8)


class KeyCache(Secret):
    """A set-associative table of 32-byte keys under 16-byte hashes, of the kind of `flink_masking.vault.cache.TokenCache`.

    It holds keys in clear, as the process that uses them must; it is neither pickled, copied nor printed. Safe with several threads.
    """

    def __init__(self, entries: int = ENTRIES) -> None:
        """An empty table.

        Args:
            entries: at least this many keys fit in; rounded up to eight times a power of two.
        """
        groups = 1 << max(0, (entries - 1) // kernels.WAYS).bit_length()
        self.entries = groups * kernels.WAYS
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget every key: who was erased elsewhere is asked for again."""
        with self._lock:
            self._keys = np.zeros(2 * self.entries, np.uint64)
            self._used = np.zeros(self.entries, np.int32)
            self._marks = np.zeros(self.entries, np.int32)
            self._values = np.zeros(self.entries * kernels.WIDTH + kernels.SLACK, np.uint8)
            self._now = 1

    def find(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The keys of subjects, as far as they are here.

        Args:
            hashes: uint8, shape (n, 16).

        Returns:
            uint8, shape (n, 32), zeros where there is none; and the rows of those, int64.
        """
        n = len(hashes)
        offsets = np.arange(n + 1, dtype=np.int32)
        out, ends, missing = np.empty(n * kernels.WIDTH + kernels.SLACK, np.uint8), np.zeros(n + 1, np.int32), np.zeros(n, np.uint8)
        with self._lock:
            kernels.find(hashes.reshape(-1), 2, offsets, _NO_VALID, self._keys, self._used, self._marks, self._values, self._tick(), 0, out,
                         ends, missing)
        packed = out[: ends[-1]].reshape(-1, KEY_BYTES)
        rows = np.flatnonzero(missing)
        if not len(rows):
            return packed, rows
        keys = np.zeros((n, KEY_BYTES), np.uint8)
        keys[missing == 0] = packed
        return keys, rows

    def put(self, hashes: np.ndarray, keys: np.ndarray) -> None:
        """Keep keys.

        Args:
            hashes: uint8, shape (n, 16).
            keys: uint8, shape (n, 32).
        """
        offsets = np.arange(0, KEY_BYTES * len(hashes) + 1, KEY_BYTES, dtype=np.int32)
        data = np.concatenate([keys.reshape(-1), np.zeros(kernels.SLACK, np.uint8)])
        with self._lock:
            kernels.put(hashes.reshape(-1), 2, data, offsets, self._keys, self._used, self._marks, self._values, self._tick(), 0)

    def _tick(self) -> int:
        """The time that entries used now are marked with, as `TokenCache` has it."""
        if self._now == np.iinfo(np.int32).max:
            np.minimum(self._used, 1, out=self._used)
            self._now = 1
        self._now += 1
        return self._now
