"""Data keys of days: what is kept for some time only is sealed under its day's key, and expires when that key is destroyed.

A day's key is a random one, wrapped by the key ring and kept in the vault beside those of subjects (`flink_masking.vault.subject_keys`), as
if the day were a subject of a domain of its own. So it is shared by all workers, wrapped anew after a rotation of the ring with all others,
and destroyed for good: who has the ring, and no copy of the vault from before, cannot open anything of that day.
"""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from flink_masking.crypto.aead import Aead
from flink_masking.crypto.secret import Secret
from flink_masking.errors import DecryptionError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.vault.base import Vault, listed, lookups_of
from flink_masking.vault.subject_keys import SubjectKeys
from flink_masking.vault.subjects import Erasure

DAY = 86_400_000
DAILY = b"\x03"
"""Format of blobs that a day's key seals; `flink_masking.keys.sealer` has 1 and 2."""
HEADER_BYTES = 5
LOOKBACK = 3_660
"""Days before the last one to be kept for which keys are looked for, to be destroyed: ten years."""


class DaySealer(Secret):
    """Authenticated encryption (AES-256-GCM) under the key of one day; refuses to be pickled, copied or printed.

    A blob is one byte of format (3), the day in four bytes (days since 1970, the most significant byte first), a nonce of twelve bytes, the
    ciphertext and its tag: 33 bytes more than the data, as those of `flink_masking.keys.sealer.Sealer`.
    """

    __slots__ = ("_cipher", "_header", "day")

    def __init__(self, key: bytes, day: int) -> None:
        """Keep the key of a day."""
        self._cipher, self._header, self.day = Aead(key), DAILY + day.to_bytes(4, "big"), day

    def seal(self, data: bytes | memoryview, associated: bytes) -> bytes:
        """Encrypt; `associated` is what the blob is bound to and must be opened with."""
        return self._header + self._cipher.seal(bytes(data), self._header + associated)

    def seal_all(self, values: list[bytes | memoryview], associated: bytes) -> list[bytes]:
        """Encrypt many values, each as `seal` does."""
        return [self._header + sealed for sealed in self._cipher.seal_all(values, self._header + associated)]

    def open(self, blob: bytes, associated: bytes) -> bytes:
        """Decrypt a blob of this day; raises DecryptionError."""
        return self._cipher.open(blob[HEADER_BYTES:], self._header + associated)


class DayKeys(Secret):
    """The keys of days for one purpose; refuses to be pickled, copied or printed."""

    __slots__ = ("_domain", "_keep", "_keys", "_last", "_sealer", "_vault")

    def __init__(self, vault: Vault, ring: KeyRing, name: str, keep: int | None = None) -> None:
        """Keep what is needed; the vault is first asked for the first day.

        Args:
            vault: open.
            ring: wraps and unwraps.
            name: of what is sealed: ``quarantine:STREAM``.
            keep: milliseconds after the end of its day for which a key is kept; None: this object only opens.
        """
        self._vault, self._domain, self._keep = vault, name, keep
        self._keys = SubjectKeys(vault, ring, name)
        self._sealer: DaySealer | None = None
        self._last = -1

    def sealer(self, now: int) -> DaySealer:
        """What seals at a time, ms since 1970.

        Raises:
            VaultError: the vault failed for longer than its patience, or the day's key was destroyed (a clock that is far behind).
        """
        day = now // DAY
        if self._sealer is None or self._sealer.day != day:
            found = self._keys.made(pa.array([_named(day)]))
            if not found.there[0]:
                raise VaultError(f"the key of {_named(day)} was destroyed, and records of today are to be sealed under it. Hint: correct "
                                 "this host's clock")
            self._sealer = DaySealer(found.keys[0].tobytes(), day)
        return self._sealer

    def expires(self, now: int) -> int:
        """When what is sealed at a time expires: the end of its day and the time for which it is kept, ms since 1970."""
        assert self._keep is not None
        return (now // DAY + 1) * DAY + self._keep

    def look(self, now: int) -> int:
        """Destroy the keys of days that have expired; looks once a day.

        Returns:
            How many were destroyed.

        Raises:
            VaultError: the vault failed for longer than its patience.
        """
        if now // DAY == self._last:
            return 0
        done = self.destroy(now)
        self._last = now // DAY
        return done

    def destroy(self, now: int) -> int:
        """Destroy the keys of days that have expired by now; how many were. Raises as `look`."""
        assert self._keep is not None
        past = (now - self._keep) // DAY  # the first day that has not expired
        days = range(max(0, past - LOOKBACK), past)
        if not days:
            return 0
        hashes = self._keys.of(pa.array([_named(day) for day in days]))
        there = [bool(wrapped) for wrapped in listed(self._vault.subjects.keys(self._domain, lookups_of(hashes), None))]
        doomed = tuple(hashes[k].tobytes() for k in np.flatnonzero(there))
        if not doomed:
            return 0
        return self._vault.subjects.erase(Erasure(self._domain, (), {self._domain: doomed}, now)).keys

    def open(self, blob: bytes, associated: bytes) -> bytes:
        """Decrypt what the key of any day sealed.

        Raises:
            DecryptionError: the day's key was destroyed, or another key, other associated data or a change; which of these is not told.
            VaultError: the vault failed.
        """
        day = int.from_bytes(blob[1:HEADER_BYTES], "big")
        found = self._keys.found(self._keys.of(pa.array([_named(day)]))) if blob[:1] == DAILY and day < 2_932_897 else None
        if found is None or not found.there[0]:
            raise DecryptionError("the value cannot be opened")
        return DaySealer(found.keys[0].tobytes(), day).open(blob, associated)


def _named(day: int) -> str:
    """A day as the vault's subject."""
    return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()
