"""Sealing bytes with a key ring: packed batches on their way through Flink, quarantined payloads."""

from collections.abc import Sequence

from flink_masking.crypto.aead import KEY_BYTES, Aead
from flink_masking.crypto.secret import Secret
from flink_masking.errors import DecryptionError
from flink_masking.keys.ring import KeyRing

PLAIN, BOUND = b"\x01", b"\x02"
"""Formats: what the caller names is all that a blob is bound to; or the place of its sealer, too."""
HEADER_BYTES = 5


def version_of(blob: bytes) -> int:
    """The key version that a blob says it was sealed with."""
    return int.from_bytes(blob[1:HEADER_BYTES], "big")


class Sealer(Secret):
    """Authenticated encryption (AES-256-GCM) under the keys of one purpose and domain; refuses to be pickled, copied or printed.

    A sealed blob is one byte of format (1, or 2 when it is bound to a place), the key version in four bytes, the most significant first,
    a nonce of twelve bytes, the ciphertext and its tag: 33 bytes more than the data. Associated data are this header, the names of the
    place, each with its length in four bytes, and what the caller adds. Blobs of format 1, which earlier releases wrote, open in any
    place. Not deterministic, reversible. What leaks is the length. One key version may seal 2³² times at most; rotate the ring before.
    """

    __slots__ = ("_bound", "_ciphers", "_header", "_named", "_ring")

    def __init__(self, ring: KeyRing, purpose: str, domain: str, place: Sequence[str] = ()) -> None:
        """Derive the primary key.

        Args:
            ring: its primary version seals, primary and enabled ones open.
            purpose: as for `KeyRing.derive`.
            domain: as for `KeyRing.derive`.
            place: what blobs are bound to besides, such as stream and segment; they open in no other.
        """
        self._ring, self._named = ring, (purpose, domain)
        self._ciphers: dict[int, Aead] = {}
        self._header = (BOUND if place else PLAIN) + ring.primary.to_bytes(4, "big")
        self._bound = b"".join(len(name).to_bytes(4, "big") + name for name in (part.encode() for part in place))

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
        return self._header + self._cipher(self._ring.primary).seal(data, self._header + self._bound + associated)

    def seal_all(self, values: Sequence[bytes | memoryview], associated: bytes = b"") -> list[bytes]:
        """Encrypt many values under the primary key, each as `seal` does."""
        header = self._header
        return [header + sealed for sealed in self._cipher(self._ring.primary).seal_all(values, header + self._bound + associated)]

    def open(self, blob: bytes, associated: bytes = b"") -> bytes:
        """Decrypt a blob that any version of the ring sealed.

        Args:
            blob: from `seal`.
            associated: as it was given to `seal`.

        Raises:
            DecryptionError: another format, an unknown key version, another key or place, other associated data, or any change;
                which of these is not told.
            KeyRingError: the ring knows the version, and it is disabled or was destroyed.
        """
        header = bytes(blob[:HEADER_BYTES])
        version = int.from_bytes(header[1:], "big")
        if header[:1] in (PLAIN, BOUND) and version in self._ring:
            bound = self._bound if header[:1] == BOUND else b""
            return self._cipher(version).open(bytes(blob[HEADER_BYTES:]), header + bound + associated)
        raise DecryptionError("the value cannot be opened")
