"""Sealing bytes with a key ring: packed batches on their way through Flink, quarantined payloads."""

from flink_masking.crypto.aead import KEY_BYTES, Aead
from flink_masking.crypto.secret import Secret
from flink_masking.errors import DecryptionError
from flink_masking.keys.ring import KeyRing

FORMAT = b"\x01"
HEADER_BYTES = 5


class Sealer(Secret):
    """Authenticated encryption (AES-256-GCM) under the keys of one purpose and domain; refuses to be pickled, copied or printed.

    A sealed blob is one byte of format (1), the key version in four bytes, the most significant first, a nonce of twelve bytes, the
    ciphertext and its tag: 33 bytes more than the data. Not deterministic, reversible. What leaks is the length. One key version may
    seal 2³² times at most; rotate the ring before.
    """

    __slots__ = ("_ciphers", "_header", "_named", "_ring")

    def __init__(self, ring: KeyRing, purpose: str, domain: str) -> None:
        """Derive the primary key.

        Args:
            ring: its primary version seals, primary and enabled ones open.
            purpose: as for `KeyRing.derive`.
            domain: as for `KeyRing.derive`.
        """
        self._ring, self._named = ring, (purpose, domain)
        self._ciphers: dict[int, Aead] = {}
        self._header = FORMAT + ring.primary.to_bytes(4, "big")

    def _cipher(self, version: int) -> Aead:
        found = self._ciphers.get(version)
        if found is None:
            found = self._ciphers[version] = Aead(self._ring.derive(*self._named, version=version, length=KEY_BYTES).secret())
        return found

    def seal(self, data: bytes, associated: bytes = b"") -> bytes:
        """Encrypt under the primary key.

        Args:
            data: what to hide.
            associated: what the blob is bound to and must be opened with.

        Returns:
            The blob.
        """
        return self._header + self._cipher(self._ring.primary).seal(data, self._header + associated)

    def open(self, blob: bytes, associated: bytes = b"") -> bytes:
        """Decrypt a blob that any version of the ring sealed.

        Args:
            blob: from `seal`.
            associated: as it was given to `seal`.

        Raises:
            DecryptionError: another format, an unknown key version, another key, other associated data, or any change; which of
                these is not told.
            KeyRingError: the ring knows the version, and it is disabled or was destroyed.
        """
        header = bytes(blob[:HEADER_BYTES])
        version = int.from_bytes(header[1:], "big")
        if header[:1] == FORMAT and version in self._ring:
            return self._cipher(version).open(bytes(blob[HEADER_BYTES:]), header + associated)
        raise DecryptionError("the value cannot be opened")
