"""AES-SIV (RFC 5297) of every value of a column: deterministic authenticated encryption, one call of the cipher for a column of blocks.

Raw: the caller manages the key. For a key ring derive one with `flink_masking.keys.ring.KeyRing.derive`.
"""

from collections.abc import Sequence

import numpy as np

from flink_masking.crypto import siv_kernels as kernel
from flink_masking.crypto.cmac import BLOCK_BYTES, BlockCipher, Cmac, doubled
from flink_masking.crypto.secret import Secret
from flink_masking.errors import DecryptionError
from flink_masking.kernels.memory import SLACK

TAG_BYTES = 16
"""Bytes of V, the synthetic initialisation vector, which is also the tag; it stands in front of the ciphertext."""


class Siv(Secret):
    """AES-SIV under one key and for one list of associated data; refuses to be pickled, copied or printed.

    Deterministic, authenticated, reversible, row-local. Leaks which values are equal, and their lengths. One key is for 2⁴⁸ values at
    most (RFC 5297, 7). Safe to use from several threads.
    """

    __slots__ = ("_cmac", "_stream", "_summed")

    def __init__(self, key: bytes, associated: Sequence[bytes] = ()) -> None:
        """Prepare a key, and what results are bound to.

        Args:
            key: 32, 48 or 64 bytes: one half for authentication, the other for encryption.
            associated: RFC 5297's S1 … Sn-1, in order; not part of the result.

        Raises:
            ValueError: a key of another length.
        """
        if len(key) not in (32, 48, 64):
            raise ValueError("AES-SIV takes a key of 32, 48 or 64 bytes")
        self._cmac, self._stream = Cmac(key[: len(key) // 2]), BlockCipher(key[len(key) // 2 :])
        summed = self._cmac.tag(bytes(BLOCK_BYTES))
        for part in associated:
            summed = _sum(doubled(summed), self._cmac.tag(part))
        self._summed = np.frombuffer(summed + doubled(summed), np.uint8)

    def _tags(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """V of every plaintext: uint8, 16 n."""
        size = int(np.maximum(ends - starts, BLOCK_BYTES).sum(dtype=np.int64))
        messages, offsets = np.empty(size + SLACK, np.uint8), np.zeros(len(starts) + 1, np.int32)
        kernel.last_messages(data, starts, ends, self._summed, messages, offsets)
        return self._cmac.of_spans(messages, offsets[:-1], offsets[1:]).reshape(-1)

    def _crypt(self, tags: np.ndarray, places: np.ndarray, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, out: np.ndarray) -> None:
        """Counter mode, which is its own inverse; V of value i is at ``tags[places[i]]``."""
        blocks = np.empty(int(((ends - starts + 15) >> 4).sum(dtype=np.int64)) * BLOCK_BYTES, np.uint8)
        kernel.counters(tags, places, starts, ends, blocks)
        kernel.apply_stream(data, starts, ends, self._stream.encrypt(blocks), out)

    def seal_spans(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Encrypt stretches of bytes.

        Args:
            data: uint8.
            starts: int32, n.
            ends: int32, n, ``starts[i] <= ends[i] <= len(data)``; the lengths add up to less than 2³¹ - 16 n.
            out: uint8, as long as `data`: gets each ciphertext in the place of its plaintext; may be `data`.

        Returns:
            uint8, 16 n: V of each value, which stands in front of its ciphertext in RFC 5297's form.
        """
        tags = self._tags(data, starts, ends)
        self._crypt(tags, np.arange(0, len(tags), TAG_BYTES, dtype=np.int32), data, starts, ends, out)
        return tags

    def open_spans(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Decrypt stretches that each hold V and a ciphertext.

        Args:
            data: uint8.
            starts: int32, n: where V begins.
            ends: int32, n: where the ciphertext ends; ``starts[i] + 16 <= ends[i] <= len(data)``.
            out: uint8, as long as `data`: gets each plaintext in the place of its ciphertext. Where the result is False, it is not to
                be used.

        Returns:
            bool, n: whether key, associated data, V and ciphertext belong together.
        """
        texts, same = starts + np.int32(TAG_BYTES), np.empty(len(starts), np.uint8)
        self._crypt(data, starts, data, texts, ends, out)
        kernel.compare(data, starts, self._tags(out, texts, ends), same)
        return same.view(np.bool_)

    def seal(self, data: bytes) -> bytes:
        """Encrypt one value: V and the ciphertext."""
        text = np.frombuffer(data, np.uint8).copy()
        tag = self.seal_spans(text, np.zeros(1, np.int32), np.array([len(text)], np.int32), text)
        return tag.tobytes() + text.tobytes()

    def open(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            DecryptionError: another key, other associated data, or any change; the reason is not told.
        """
        blob = np.frombuffer(sealed, np.uint8)
        text = np.zeros(len(blob), np.uint8)
        if len(blob) < TAG_BYTES or not self.open_spans(blob, np.zeros(1, np.int32), np.array([len(blob)], np.int32), text).all():
            raise DecryptionError("the value cannot be opened")
        return text[TAG_BYTES:].tobytes()


def _sum(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(BLOCK_BYTES, "big")
