"""XAES-256-GCM (C2SP, c2sp.org/XAES-256-GCM): AES-256-GCM with a nonce of 24 bytes, for more values than one GCM key may seal.

The first half of the nonce derives a key (NIST SP 800-108, CMAC in counter mode), the second is the nonce of AES-256-GCM (SP 800-38D)
under that key. Raw: the caller manages the key and the nonces.
"""

import hmac
from collections.abc import Iterable, Sequence

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flink_masking.crypto.cmac import Cmac
from flink_masking.crypto.secret import Secret
from flink_masking.errors import DecryptionError

KEY_BYTES = 32
HALF_BYTES = 12
NONCE_BYTES = 2 * HALF_BYTES
TAG_BYTES = 16


class Xaes(Secret):
    """XAES-256-GCM under one key; refuses to be pickled, copied or printed.

    Plain AES-256-GCM with random nonces ends at 2³² values a key (SP 800-38D, 8.3), an afternoon at stream speed. Here a batch draws the
    first half of its nonces once, and so has a GCM key of its own (4 µs), and each value draws its second half: two values share key and
    nonce only where both halves meet. With batches of 10⁴ values that stays below a chance of 10⁻⁹ for 10¹⁶ values of a key. Safe to
    use from several threads.
    """

    __slots__ = ("_cmac",)

    def __init__(self, key: bytes) -> None:
        """Prepare a key.

        Args:
            key: 32 bytes.

        Raises:
            ValueError: another length.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"XAES-256-GCM takes a key of {KEY_BYTES} bytes")
        self._cmac = Cmac(key)

    def _ciphers(self, halves: Iterable[bytes]) -> dict[bytes, AESGCM]:
        """The GCM cipher of each different first half of a nonce."""
        different = list(dict.fromkeys(halves))
        messages = b"".join(b"\0" + count + b"X\0" + half for half in different for count in (b"\1", b"\2"))
        places = np.arange(0, len(messages) + 1, 16, dtype=np.int32)
        keys = self._cmac.of_spans(np.frombuffer(messages, np.uint8), places[:-1], places[1:]).reshape(-1, KEY_BYTES)
        return {half: AESGCM(key.tobytes()) for half, key in zip(different, keys, strict=True)}

    def seal_all(self, values: Sequence[bytes], half: bytes, halves: Sequence[bytes], associated: bytes) -> list[bytes]:
        """Encrypt the values of a batch.

        Args:
            values: what to hide.
            half: 12 random bytes, the first half of all nonces.
            halves: 12 random bytes for each value.
            associated: what the results are bound to, not part of them.

        Returns:
            For each value the ciphertext, as long as it is, and 16 bytes of tag.
        """
        encrypt = self._ciphers([half])[half].encrypt
        return [encrypt(second, value, associated) for second, value in zip(halves, values, strict=True)]

    def open_all(self, sealed: Sequence[bytes], associated: bytes) -> list[bytes | None]:
        """Decrypt values that each begin with their nonce.

        Args:
            sealed: nonce, ciphertext and tag, 40 bytes at least.
            associated: as it was given to `seal_all`.

        Returns:
            For each its value, or None: another key, other associated data, or any change.
        """
        ciphers = self._ciphers([value[:HALF_BYTES] for value in sealed])
        opened: list[bytes | None] = []
        for value in sealed:
            try:
                found = ciphers[value[:HALF_BYTES]].decrypt(value[HALF_BYTES:NONCE_BYTES], value[NONCE_BYTES:], associated)
            except InvalidTag:
                opened.append(None)
            else:
                opened.append(found)
        return opened

    def seal(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        """Encrypt one value under a nonce of 24 bytes that is never used again: the ciphertext and its tag."""
        return self.seal_all([data], nonce[:HALF_BYTES], [nonce[HALF_BYTES:]], associated)[0]

    def open(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            DecryptionError: another key or nonce, other associated data, or any change; the reason is not told.
        """
        usable = len(nonce) == NONCE_BYTES and len(sealed) >= TAG_BYTES
        value = self.open_all([nonce + sealed], associated)[0] if usable else None
        if value is None:
            raise DecryptionError("the value cannot be opened")
        return value


class Nonces(Secret):
    """Nonces that depend on the randomness given and on what is sealed; refuses to be pickled, copied or printed.

    With a fresh seed they are random. Should a seed ever come twice, they still differ unless the batch is the same to the last byte, and
    then they repeat a result instead of breaking GCM, for which one nonce under two values is the end of secrecy and integrity.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Keep a key of any length that is used for nothing else."""
        self._key = key

    def draw(self, count: int, *parts: bytes | np.ndarray) -> bytes:
        """Pseudo-random bytes: AES-256 in counter mode under the HMAC-SHA-256 of the parts, each with its length.

        Args:
            count: bytes wanted.
            parts: the seed and all that is sealed.
        """
        mac = hmac.new(self._key, digestmod="sha256")
        for part in parts:
            data = part if isinstance(part, bytes) else part.tobytes()
            mac.update(len(data).to_bytes(8, "big"))
            mac.update(data)
        return Cipher(algorithms.AES(mac.digest()), modes.CTR(bytes(16))).encryptor().update(bytes(count))
