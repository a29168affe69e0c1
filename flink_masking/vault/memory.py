"""A vault in memory: for policy checks, previews and tests. Its tokens are gone with the process."""

import threading

import pyarrow as pa

from flink_masking.vault.base import SEALED, Enrolment, OpenVault, listed
from flink_masking.vault.cache import TokenCache
from flink_masking.vault.retention import Kept
from flink_masking.vault.retention_memory import MemoryRetention
from flink_masking.vault.subjects_memory import MemorySubjects


class MemoryVault(OpenVault):
    """A vault that forgets everything with its process; refuses to be pickled, copied or printed."""

    def __init__(self, *, cache: TokenCache | None = None) -> None:
        """An empty vault."""
        super().__init__("memory", cache)
        self._lock = threading.Lock()
        self._domains: dict[str, Enrolment] = {}
        self._tokens: dict[tuple[str, bytes], str] = {}
        self._sealed: dict[tuple[str, str], bytes] = {}
        self.subjects = MemorySubjects(self._lock, self._tokens, self._sealed)
        self.retention = MemoryRetention(self._lock, self._tokens, self._sealed, self.subjects.untie)

    def enrol(self, domain: str, enrolment: Enrolment) -> Enrolment:
        """As `flink_masking.vault.base.Vault.enrol`."""
        self.guard()
        with self._lock:
            return self._domains.setdefault(domain, enrolment)

    def tokens(self, domain: str, lookups: pa.FixedSizeBinaryArray, sealed: pa.BinaryArray, proposals: pa.StringArray,
               kept: Kept | None = None) -> pa.StringArray:
        """As `flink_masking.vault.base.Vault.tokens`."""
        self.guard()
        with self._lock:
            if domain not in self._domains:
                raise self.unknown(domain)
            rows = zip(listed(lookups), listed(sealed), listed(proposals), strict=True)
            if kept is not None:
                self.retention.forget(domain, listed(lookups), kept)
            found = [self._token(domain, *row) for row in rows]
            if kept is not None:
                self.retention.note(domain, [token for token in found if token is not None], kept)
            return pa.array(found, pa.string())

    def _token(self, domain: str, lookup: bytes, sealed: bytes, proposal: str) -> str | None:
        standing = self._tokens.get((domain, lookup))
        if standing is None and (domain, proposal) not in self._sealed:
            standing = self._tokens[domain, lookup] = proposal
            self._sealed[domain, proposal] = sealed
        return standing

    def values(self, domain: str, tokens: pa.StringArray, kept: Kept | None = None) -> pa.BinaryArray:
        """As `flink_masking.vault.base.Vault.values`."""
        self.guard()
        with self._lock:
            known = (token if kept is None or self.retention.stands(domain, token, kept) else None for token in listed(tokens))
            return pa.array([None if token is None else self._sealed.get((domain, token)) for token in known], SEALED)

    def close(self) -> None:
        """As `flink_masking.vault.base.Vault.close`."""
