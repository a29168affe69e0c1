"""A keyed pseudo-random function over a column: HMAC-SHA-256 (RFC 2104, FIPS 198-1) of every value."""

import hashlib
from typing import Protocol

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.crypto import sha256_kernels as kernel
from flink_masking.crypto.secret import Secret


class HoldsKey(Protocol):
    """Something with a key, such as `flink_masking.keys.ring.KeyHandle`."""

    def secret(self) -> bytes:
        """The bytes of the key."""


class Prf(Secret):
    """HMAC-SHA-256 under one key, a column at a time; refuses to be pickled, copied or printed.

    Deterministic and one-way without the key; row-local. Equal values give equal results: what leaks is which rows are equal.
    Safe to use from several threads: the kernel runs without the interpreter's lock, with scratch memory of its own.
    """

    __slots__ = ("_states",)

    def __init__(self, key: HoldsKey | bytes) -> None:
        """Prepare a key of any length.

        Args:
            key: a key handle or the key's bytes.
        """
        secret = key if isinstance(key, bytes) else key.secret()
        if len(secret) > 64:
            secret = hashlib.sha256(secret).digest()
        block = np.frombuffer(secret.ljust(64, b"\0"), np.uint8)
        self._states = np.empty(kernel.KEY_STATES, np.uint8)
        kernel.prepare_key(block, self._states, _scratch())

    def digests(self, array: pa.StringArray | pa.BinaryArray) -> np.ndarray:
        """HMAC-SHA-256 of every value's bytes.

        Args:
            array: n values of type string or binary, of any length; slices allowed.

        Returns:
            uint8, shape (n, 32); a null gives the digest of no bytes.
        """
        data, offsets, valid = parts(array)
        out = np.empty((len(array), 32), np.uint8)
        kernel.hmac_column(data, offsets, valid, self._states, out.reshape(-1), _scratch())
        return out

    def words(self, array: pa.StringArray | pa.BinaryArray) -> np.ndarray:
        """The first eight bytes of every digest as a number, the most significant byte first.

        Args:
            array: as for `digests`.

        Returns:
            uint64, n.
        """
        return np.ascontiguousarray(self.digests(array)[:, :8]).view(">u8").reshape(-1).astype(np.uint64)


def _scratch() -> np.ndarray:
    return np.empty(kernel.SCRATCH, np.uint8)
