"""The key ring: one root secret a version, from which every key of the library is derived."""

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Self, TypeGuard

from flink_masking.crypto.hkdf import subkey
from flink_masking.crypto.secret import Secret
from flink_masking.errors import KeyRingError

FORMAT = "flink-masking key ring 1"
ROOT_BYTES = 32
State = Literal["primary", "enabled"]


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


class _Version(Secret):
    """One version of the root."""

    __slots__ = ("created", "root", "state")

    def __init__(self, root: bytes, state: State, created: str) -> None:
        self.root, self.state, self.created = root, state, created


class KeyRing(Secret):
    """Root secrets by version. The primary version protects, any version opens; refuses to be pickled, copied or printed."""

    __slots__ = ("_versions", "primary")

    def __init__(self, versions: Mapping[int, _Version]) -> None:
        """Keep checked versions; users call `new`, `ephemeral` or `parse`."""
        self._versions = dict(sorted(versions.items()))
        self.primary = next(number for number, version in self._versions.items() if version.state == "primary")

    @classmethod
    def new(cls) -> Self:
        """A ring with one fresh version, number 1."""
        return cls({1: _fresh()})

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
                comes twice, or not exactly one primary. The message never holds content.
        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None  # raised below, so that the text with the keys is no context of the error
        if not isinstance(document, dict) or document.get("format") != FORMAT or not isinstance(document.get("versions"), list):
            raise KeyRingError(f"{where}: not a key ring. Hint: make one with 'flink-masking keys new FILE'")
        versions: dict[int, _Version] = {}
        for position, entry in enumerate(document["versions"], 1):
            number, version = _entry(entry, f"{where}: version entry {position}")
            if number in versions:
                raise KeyRingError(f"{where}: version {number} comes twice. Hint: keep one entry for each version")
            versions[number] = version
        primaries = sum(version.state == "primary" for version in versions.values())
        if primaries != 1:
            raise KeyRingError(f"{where}: {primaries} versions are primary. Hint: exactly one version has the state 'primary'")
        return cls(versions)

    def dump(self) -> bytes:
        """The ring as JSON, roots in clear: write it only where secrets are kept."""
        versions = [
            {"version": n, "state": v.state, "created": v.created, "root": base64.b64encode(v.root).decode()}
            for n, v in self._versions.items()
        ]
        return json.dumps({"format": FORMAT, "versions": versions}, indent=2).encode() + b"\n"

    def rotated(self) -> "KeyRing":
        """A ring with a fresh primary version; those there were stay enabled, so that what they protect can be opened."""
        kept = {n: _Version(v.root, "enabled", v.created) for n, v in self._versions.items()}
        return KeyRing({**kept, max(kept) + 1: _fresh()})

    @property
    def versions(self) -> tuple[int, ...]:
        """The version numbers, ascending."""
        return tuple(self._versions)

    def derive(self, purpose: str, domain: str, version: int | None = None, length: int = 32) -> KeyHandle:
        """The key of a purpose and domain, by HKDF-SHA-256 from the root of a version.

        Args:
            purpose: ``pseudonym``, ``fpe`` …
            domain: as in the policy; the same domain gives the same key in every stream.
            version: the primary version when None.
            length: bytes, 1 to 8160.

        Raises:
            KeyRingError: the ring lacks the version.
        """
        number = self.primary if version is None else version
        found = self._versions.get(number)
        if found is None:
            raise KeyRingError(f"the key ring has no version {number}. Hint: use the ring that the value was protected with")
        return KeyHandle(subkey(found.root, purpose, domain, number, length), number)


def _fresh() -> _Version:
    return _Version(secrets.token_bytes(ROOT_BYTES), "primary", datetime.now(UTC).isoformat(timespec="seconds"))


def _entry(entry: Any, where: str) -> tuple[int, _Version]:
    """One version of the file, checked."""
    if not isinstance(entry, dict):
        raise KeyRingError(f"{where} is not an object. Hint: restore the file from its backup")
    number, state, created, root = (entry.get(name) for name in ("version", "state", "created", "root"))
    if type(number) is not int or not 1 <= number < 1 << 32:
        raise KeyRingError(f"{where} has no usable number. Hint: 'version' is a whole number from 1 to 2**32 - 1")
    if state not in ("primary", "enabled"):
        raise KeyRingError(f"{where} has no usable state. Hint: 'state' is 'primary' or 'enabled'")
    if not _is_time(created):
        raise KeyRingError(f"{where} has no usable time. Hint: 'created' is an ISO 8601 time")
    secret = _decoded(root)
    if secret is None or len(secret) != ROOT_BYTES:
        raise KeyRingError(f"{where} has no usable root. Hint: 'root' is the base64 of {ROOT_BYTES} bytes")
    return number, _Version(secret, "primary" if state == "primary" else "enabled", created)


def _is_time(text: Any) -> TypeGuard[str]:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _decoded(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        return None
