"""AES-256-GCM (NIST SP 800-38D) under one key, with a random nonce: authenticated, and different every time.

Raw: the caller manages the key. For a key ring use `flink_masking.keys.sealer.Sealer`.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flink_masking.crypto.secret import Secret
from flink_masking.errors import DecryptionError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class Aead(Secret):
    """AES-256-GCM; refuses to be pickled, copied or printed.

    Nonces are random, so one key may seal 2³² times at most (SP 800-38D, 8.3).
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        """Prepare a key.

        Args:
            key: 32 bytes.

        Raises:
            ValueError: another length.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"AES-256 takes a key of {KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    def seal(self, data: bytes, associated: bytes) -> bytes:
        """Encrypt.

        Args:
            data: what to hide.
            associated: what the result is bound to, not part of it.

        Returns:
            12 bytes of nonce, the ciphertext as long as `data`, 16 bytes of tag.
        """
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, associated)

    def seal_all(self, values: Sequence[bytes | memoryview], associated: bytes) -> list[bytes]:
        """Encrypt many values, each as `seal` does, with one draw of nonces."""
        drawn, encrypt = os.urandom(NONCE_BYTES * len(values)), self._cipher.encrypt
        nonces = [drawn[k : k + NONCE_BYTES] for k in range(0, len(drawn), NONCE_BYTES)]
        return [nonce + encrypt(nonce, value, associated) for nonce, value in zip(nonces, values, strict=True)]

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            DecryptionError: another key, other associated data, or any change; the reason is not told.
        """
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        data = None
        if len(rest) >= TAG_BYTES:
            try:
                data = self._cipher.decrypt(nonce, rest, associated)
            except InvalidTag:
                data = None  # raised below, without this error as context
        if data is None:
            raise DecryptionError("the value cannot be opened")
        return data
