"""Values that each have a key of their own: AES-256-GCM (NIST SP 800-38D) and AES-SIV (RFC 5297).

Raw: the caller manages keys and nonces.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from flink_masking.crypto import siv_rows_kernels as kernel
from flink_masking.kernels import aes_blocks
from flink_masking.kernels.memory import SLACK

GCM_KEY_BYTES, GCM_NONCE_BYTES, SIV_KEY_BYTES, TAG_BYTES = 32, 12, 64, 16
Cipher = TypeVar("Cipher")


def _ciphers(keys: Sequence[bytes], cipher: Callable[[bytes], Cipher]) -> Callable[[bytes], Cipher]:
    """The cipher of each key: made once for all of its values, or, where most keys have one value, for each value and given back at once.

    To hold thousands of prepared ciphers, of 2.5 kB each, costs more than to prepare some of them twice.
    """
    different = set(keys)
    return cipher if 2 * len(different) > len(keys) else {key: cipher(key) for key in different}.__getitem__


def seal_gcm(keys: Sequence[bytes], nonces: Sequence[bytes], values: Sequence[bytes], associated: bytes) -> list[bytes]:
    """Encrypt with AES-256-GCM.

    Args:
        keys: n keys of 32 bytes.
        nonces: n nonces of 12 bytes, never used again with their key.
        values: n values.
        associated: what the results are bound to, not part of them.

    Returns:
        For each value the ciphertext, as long as it is, and 16 bytes of tag.
    """
    cipher = _ciphers(keys, AESGCM)
    return [cipher(key).encrypt(nonce, value, associated) for key, nonce, value in zip(keys, nonces, values, strict=True)]


def open_gcm(keys: Sequence[bytes], nonces: Sequence[bytes], sealed: Sequence[bytes], associated: bytes) -> list[bytes | None]:
    """Decrypt what `seal_gcm` made; None for another key or nonce, other associated data, or any change."""
    cipher = _ciphers(keys, AESGCM)
    opened: list[bytes | None] = []
    for key, nonce, value in zip(keys, nonces, sealed, strict=True):
        try:
            opened.append(cipher(key).decrypt(nonce, value, associated))
        except InvalidTag:
            opened.append(None)
    return opened


def seal_siv_rows(keys: np.ndarray, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, associated: bytes) -> np.ndarray:
    """Encrypt a column with AES-SIV: as `seal_siv` does, in one call; keys are prepared for each value.

    Args:
        keys: uint8, shape (n, 64), contiguous.
        data: uint8.
        starts: int32, n.
        ends: int32, n: value i is ``data[starts[i]:ends[i]]``, not empty.
        associated: what the results are bound to.

    Returns:
        uint8: for each value 16 bytes of synthetic IV and the ciphertext, one behind the other.
    """
    sizes = ends - starts + np.int32(TAG_BYTES)
    total = int(sizes.sum(dtype=np.int64))
    if not aes_blocks.usable():
        raw = data.tobytes()
        values = [raw[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        return np.frombuffer(b"".join(seal_siv([key.tobytes() for key in keys], values, associated)), np.uint8)
    out, places = np.empty(total + SLACK, np.uint8), (np.cumsum(sizes) - sizes).astype(np.int32)
    scratch = np.empty(kernel.SCRATCH + int(sizes.max(initial=0)) + SLACK, np.uint8)
    kernel.seal_rows(keys.reshape(-1), data, starts, ends, np.frombuffer(associated, np.uint8), out, places, scratch)
    return out[:total]


def seal_siv(keys: Sequence[bytes], values: Sequence[bytes], associated: bytes) -> list[bytes]:
    """Encrypt with AES-SIV: deterministic.

    Args:
        keys: n keys of 64 bytes.
        values: n values, none of them empty.
        associated: what the results are bound to, not part of them.

    Returns:
        For each value 16 bytes of synthetic IV, and the ciphertext, as long as it is.
    """
    cipher, bound = _ciphers(keys, AESSIV), [associated]
    return [cipher(key).encrypt(value, bound) for key, value in zip(keys, values, strict=True)]


def open_siv(keys: Sequence[bytes], sealed: Sequence[bytes], associated: bytes) -> list[bytes | None]:
    """Decrypt what `seal_siv` made; None for another key, other associated data, or any change."""
    cipher, bound = _ciphers(keys, AESSIV), [associated]
    opened: list[bytes | None] = []
    for key, value in zip(keys, sealed, strict=True):
        try:
            opened.append(cipher(key).decrypt(value, bound))
        except InvalidTag:
            opened.append(None)
    return opened
