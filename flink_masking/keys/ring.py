"""The key ring: one root secret a version, from which every key of the library is derived."""

import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Self

from flink_masking.crypto.hkdf import subkey
from flink_masking.crypto.secret import Secret
from flink_masking.errors import KeyRingError
from flink_masking.keys.checks import check_value
from flink_masking.keys.document import EXPORTED_BYTES, FORMAT, ROOT_BYTES, Document, decode, encode
from flink_masking.keys.lifecycle import FIRST, OPEN, Edition, State, Version, VersionSet, now

__all__ = ["AUDIT", "FORMAT", "ROOT_BYTES", "KeyHandle", "KeyRing", "fresh_root"]

AUDIT = "audit"
"""The purpose of keys that sign audit events."""


class KeyHandle(Secret):
    """A derived key and the version that it comes from; refuses to be pickled, copied or printed."""

    __slots__ = ("_secret", "version")

    def __init__(self, secret: bytes, version: int) -> None:
        """Keep the bytes of a key and the number of its version."""
        self._secret = secret
        self.version = version

    def secret(self) -> bytes:
        """The bytes of the key."""
        return self._secret


class KeyRing(VersionSet):
    """Root secrets by version. The primary version protects, primary and enabled ones open; refuses to be pickled, copied or printed.

    An exported ring holds the keys of some domains instead of roots: it derives these and nothing else, and is not changed.

    Attributes:
        domains: the domains of an exported ring, sorted; None where the ring holds roots.
    """

    __slots__ = ("domains",)

    def __init__(self, versions: Mapping[int, Version], domains: Collection[str] | None = None, edition: Edition = FIRST) -> None:
        """Keep checked versions; users call `new`, `ephemeral` or `parse`."""
        super().__init__(versions, edition)
        self.domains = None if domains is None else tuple(sorted(domains))

    @classmethod
    def new(cls) -> Self:
        """A ring with one fresh version, number 1."""
        return cls({1: fresh_version("primary", 1)})

    @classmethod
    def ephemeral(cls) -> Self:
        """A random ring for checks and previews without keys: nothing made with it can be joined or opened later."""
        return cls.new()

    @classmethod
    def parse(cls, data: bytes, where: str) -> Self:
        """The ring that `dump` wrote.

        Args:
            data: JSON, UTF-8.
            where: what to call the source in errors.

        Raises:
            KeyRingError: not JSON, another format, a version that is not complete, a root that is not 32 bytes, a number that
                comes twice, not exactly one primary, or roots that are wrapped. The message never holds content.
        """
        document = decode(data, where)
        if document.wrapped_by is not None:
            raise KeyRingError(f"{where}: its roots are wrapped. Hint: open it through {document.wrapped_by} with ring=")
        return cls(document.versions, document.domains, document.edition)

    def dump(self) -> bytes:
        """The ring as JSON, roots or exported keys in clear: write it only where secrets are kept."""
        return encode(Document(self._versions, domains=self.domains, edition=self.edition))

    def _with(self, versions: Mapping[int, Version], edition: Edition) -> Self:
        if self.domains is not None:
            raise KeyRingError(
                "the key ring holds the keys of some domains only and is not changed. Hint: change the ring it comes from, and export again"
            )
        return type(self)(versions, None, edition)

    def added(self) -> Self:
        """A ring with one more version, fresh and enabled: promote it when every process has the ring.

        Raises:
            KeyRingError: an exported ring, or no number is left.
        """
        return self._changed({self._next(): fresh_version("enabled", self._next())})

    def rotated(self) -> Self:
        """A ring with a fresh primary version; the one before stays enabled, so that what it protects can be opened.

        Raises:
            KeyRingError: as for `added`.
        """
        return self.added().promoted(self._next())

    def at(self, number: int) -> Self:
        """A view of this ring in which another version protects, for values that were or shall be protected with it.

        Raises:
            KeyRingError: the ring lacks the version, or the version is disabled or was destroyed.
        """
        if number == self.primary:
            return self
        version = self._open(number)
        swapped = {self.primary: self._versions[self.primary].turned("enabled"), number: version.turned("primary")}
        return type(self)({**self._versions, **swapped}, self.domains, self.edition)

    def export(self, domains: Iterable[str], purposes: Iterable[str]) -> Self:
        """A ring with the keys of these domains only.

        Args:
            domains: as in the policy, at least one.
            purposes: what keys of a domain can be for: what all techniques together derive keys for. The key of audit events goes along:
                what is opened with the export is signed with it.

        Returns:
            A ring whose open versions hold the derived keys of the domains for every purpose. Disabled and destroyed versions are named
            in it and hold nothing.

        Raises:
            KeyRingError: no domain, an empty name, or a domain that this (exported) ring lacks.
        """
        wanted, every = sorted(set(domains)), sorted({*purposes, AUDIT})
        if not wanted or "" in wanted:
            raise KeyRingError("an export names at least one domain, and none is empty. Hint: --domain customer")

        def keys(number: int) -> dict[tuple[str, str], bytes]:
            return {(p, d): self.derive(p, d, number, EXPORTED_BYTES).secret() for d in wanted for p in every}

        versions = {n: Version(v.state, v.created, keys(n) if v.state in OPEN else None, v.destroyed, v.check)
                    for n, v in self._versions.items()}
        return type(self)(versions, wanted, self.edition)

    def agrees(self, other: "KeyRing", number: int) -> bool:
        """Whether no key of a version that both rings hold differs between them; for exported rings, whose roots nobody can check.

        Args:
            other: another ring.
            number: of a version that both know.
        """
        mine, theirs = self._versions[number].material, other._versions[number].material
        if isinstance(mine, bytes) and isinstance(theirs, bytes):
            return hmac.compare_digest(mine, theirs)
        if not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
            return True
        return all(hmac.compare_digest(mine[name], theirs[name]) for name in mine.keys() & theirs.keys())

    def derive(self, purpose: str, domain: str, version: int | None = None, length: int = 32) -> KeyHandle:
        """The key of a purpose and domain, by HKDF-SHA-256 from the root of a version.

        Args:
            purpose: ``pseudonym``, ``fpe`` …
            domain: as in the policy; the same domain gives the same key in every stream.
            version: the primary version when None.
            length: bytes, 1 to 8160; at most 64 from an exported ring.

        Raises:
            KeyRingError: the ring lacks the version, the version is disabled or was destroyed, or the ring was exported without the
                domain.
        """
        number = self.primary if version is None else version
        found = self._open(number)
        if isinstance(found.material, bytes):
            return KeyHandle(subkey(found.material, purpose, domain, number, length), number)
        key = (found.material or {}).get((purpose, domain), b"")
        if not 1 <= length <= len(key):
            raise KeyRingError(f"the key ring does not hold the keys of {domain}. Hint: ask its owner to export --domain {domain}")
        return KeyHandle(key[:length], number)

    def _open(self, number: int) -> Version:
        """A version that may be used."""
        found = self._version(number)
        if found.state == "destroyed":
            raise KeyRingError(f"version {number} was destroyed on {found.destroyed}. Hint: its values can no longer be decrypted")
        if found.state == "disabled":
            raise KeyRingError(f"version {number} is disabled. Hint: flink-masking keys enable FILE {number}")
        return found


def fresh_root() -> bytes:
    """A new root secret from the system's random source."""
    return secrets.token_bytes(ROOT_BYTES)


def fresh_version(state: State, number: int) -> Version:
    """A version made now, with a new root."""
    root = fresh_root()
    return Version(state, now(), root, check=check_value(root, number))
