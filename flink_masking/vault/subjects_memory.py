"""What a vault in memory keeps of subjects; gone with the process."""

import threading
from collections.abc import MutableMapping

import pyarrow as pa

from flink_masking.vault.base import LOOKUP, SEALED, listed
from flink_masking.vault.subjects import DESTROYED, Erased, Erasure, Mark


class MemorySubjects:
    """See `flink_masking.vault.subjects.SubjectStore`."""

    def __init__(self, lock: threading.Lock, tokens: MutableMapping[tuple[str, bytes], str],
                 sealed: MutableMapping[tuple[str, str], bytes]) -> None:
        """Nobody yet.

        Args:
            lock: of the vault.
            tokens: of the vault, by domain and lookup.
            sealed: its sealed values, by domain and token.
        """
        self._lock, self._tokens, self._sealed = lock, tokens, sealed
        self._secrets: dict[str, bytes] = {}
        self._keys: dict[tuple[str, bytes], bytes] = {}
        self._links: set[tuple[str, bytes, bytes]] = set()
        self._erased: list[tuple[str, Mark]] = []

    def secret(self, domain: str, proposal: bytes | None) -> bytes | None:
        """See the protocol."""
        with self._lock:
            return self._secrets.get(domain) if proposal is None else self._secrets.setdefault(domain, proposal)

    def secrets(self) -> dict[str, bytes]:
        """See the protocol."""
        with self._lock:
            return dict(self._secrets)

    def keys(self, domain: str, subjects: pa.FixedSizeBinaryArray, proposals: pa.BinaryArray | None, renew: bool = False) -> pa.BinaryArray:
        """See the protocol."""
        with self._lock:
            if proposals is not None:
                for subject, proposal in zip(listed(subjects), listed(proposals), strict=True):
                    if self._keys.setdefault((domain, subject), proposal) == DESTROYED and renew:
                        self._keys[domain, subject] = proposal
            return pa.array([self._keys.get((domain, subject)) for subject in listed(subjects)], SEALED)

    def link(self, domain: str, lookups: pa.FixedSizeBinaryArray, subjects: pa.FixedSizeBinaryArray) -> pa.BooleanArray:
        """See the protocol."""
        with self._lock:
            standing = [(domain, lookup) in self._tokens for lookup in listed(lookups)]
            pairs = zip(listed(subjects), listed(lookups), standing, strict=True)
            self._links |= {(domain, subject, lookup) for subject, lookup, stands in pairs if stands}
            return pa.array(standing, pa.bool_())

    def untie(self, domain: str, lookup: bytes) -> None:
        """Forget whose a token was, which has expired. Called with the lock."""
        self._links = {link for link in self._links if (link[0], link[2]) != (domain, lookup)}

    def erase(self, erasure: Erasure) -> Erased:
        """See the protocol."""
        with self._lock:
            done = Erased()
            for domain, subjects in erasure.subjects.items():
                for subject in subjects:
                    before = self._keys.get((domain, subject))
                    self._keys[domain, subject] = DESTROYED
                    done += Erased(keys=int(bool(before)), tombstones=int(before is None))
                gone = {link for link in self._links if link[0] == domain and link[1] in subjects}
                self._links -= gone
                for lookup in {lookup for _, _, lookup in gone}:
                    others = any(link[0] == domain and link[2] == lookup for link in self._links)
                    if not others and (token := self._tokens.pop((domain, lookup), None)) is not None:
                        del self._sealed[domain, token]
                    done += Erased(shared=int(others), tokens=int(not others))
            known = set(self._erased)
            self._erased += [(erasure.stream, mark) for mark in erasure.marks if (erasure.stream, mark) not in known]
            return done

    def erased(self, stream: str, after: int) -> tuple[list[Mark], int]:
        """See the protocol."""
        with self._lock:
            return [mark for name, mark in self._erased[after:] if name == stream], len(self._erased)

    def counts(self, domain: str, subjects: pa.FixedSizeBinaryArray) -> tuple[int, int]:
        """See the protocol."""
        with self._lock:
            asked = set(listed(subjects))
            keys = sum(bool(self._keys.get((domain, subject))) for subject in asked)
            return keys, sum(link[0] == domain and link[1] in asked for link in self._links)

    def sizes(self, domain: str) -> tuple[int, int]:
        """See the protocol."""
        with self._lock:
            held = [bool(wrapped) for (name, _), wrapped in self._keys.items() if name == domain]
            return sum(held), len(held) - sum(held)

    def wrapped(self, domain: str, after: bytes, most: int) -> tuple[pa.FixedSizeBinaryArray, pa.BinaryArray]:
        """See the protocol."""
        with self._lock:
            held = ((subject, key) for (name, subject), key in self._keys.items() if name == domain and key and subject > after)
            rows = sorted(held)[:most]
            return pa.array([subject for subject, _ in rows], LOOKUP), pa.array([key for _, key in rows], SEALED)

    def rewrap(self, domain: str, subjects: pa.FixedSizeBinaryArray, old: pa.BinaryArray, new: pa.BinaryArray) -> int:
        """See the protocol."""
        done = 0
        with self._lock:
            for subject, before, after in zip(listed(subjects), listed(old), listed(new), strict=True):
                if self._keys.get((domain, subject)) == before:
                    self._keys[domain, subject] = after
                    done += 1
        return done

    def rewrap_secret(self, domain: str, old: bytes, new: bytes) -> bool:
        """See the protocol."""
        with self._lock:
            same = self._secrets.get(domain) == old
            if same:
                self._secrets[domain] = new
            return same
