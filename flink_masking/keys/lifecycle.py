"""The states of key versions and the steps between them; what the versions hold, roots or wrapped roots, plays no part."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Self

from flink_masking.crypto.secret import Secret
from flink_masking.errors import KeyRingError

State = Literal["primary", "enabled", "disabled", "destroyed"]
STATES: tuple[State, ...] = ("primary", "enabled", "disabled", "destroyed")
OPEN = ("primary", "enabled")
LAST_NUMBER = (1 << 32) - 1

Subkeys = Mapping[tuple[str, str], bytes]


class Version(Secret):
    """One version of a ring.

    Attributes:
        state: primary protects; primary and enabled open; disabled does neither until it is enabled; destroyed never again.
        created: ISO 8601 time.
        destroyed: ISO 8601 time, or None in any other state.
        material: the root, the wrapped root, or the exported keys by (purpose, domain); None where there is none (any more).
    """

    __slots__ = ("created", "destroyed", "material", "state")

    def __init__(self, state: State, created: str, material: bytes | Subkeys | None, destroyed: str | None = None) -> None:
        """Keep what was checked elsewhere."""
        self.state, self.created, self.material, self.destroyed = state, created, material, destroyed

    def turned(self, state: State) -> "Version":
        """The same version in another state."""
        return Version(state, self.created, self.material, self.destroyed)


class VersionFacts(NamedTuple):
    """What may be told of a version.

    Attributes:
        number: from 1.
        state: primary, enabled, disabled or destroyed.
        created: ISO 8601 time.
        destroyed: ISO 8601 time, or None.
    """

    number: int
    state: State
    created: str
    destroyed: str | None


class VersionSet(Secret):
    """Versions by number, exactly one of them primary; every step gives a new set. Refuses to be pickled, copied or printed.

    Attributes:
        primary: the number of the version that protects.
    """

    __slots__ = ("_versions", "primary")

    def __init__(self, versions: Mapping[int, Version]) -> None:
        """Keep checked versions."""
        self._versions = dict(sorted(versions.items()))
        self.primary = next(number for number, version in self._versions.items() if version.state == "primary")

    def _with(self, versions: Mapping[int, Version]) -> Self:
        """This set with other versions."""
        return type(self)(versions)

    def _changed(self, changes: Mapping[int, Version]) -> Self:
        return self._with({**self._versions, **changes})

    @property
    def versions(self) -> tuple[int, ...]:
        """The numbers of the versions that open, ascending."""
        return tuple(number for number, version in self._versions.items() if version.state in OPEN)

    def __contains__(self, number: object) -> bool:
        """Whether the ring knows a version, in whatever state."""
        return number in self._versions

    def facts(self) -> tuple[VersionFacts, ...]:
        """What may be told of every version, destroyed ones too; numbers ascending."""
        return tuple(VersionFacts(number, v.state, v.created, v.destroyed) for number, v in self._versions.items())

    def promoted(self, number: int) -> Self:
        """The version protects from now on; the one that did stays enabled.

        Raises:
            KeyRingError: no such version, or one that is not enabled.
        """
        version = self._in("promoted", number, "enabled")
        return self._changed({self.primary: self._versions[self.primary].turned("enabled"), number: version.turned("primary")})

    def disabled(self, number: int) -> Self:
        """The version neither protects nor opens until it is enabled again.

        Raises:
            KeyRingError: no such version, or one that is not enabled.
        """
        return self._changed({number: self._in("disabled", number, "enabled").turned("disabled")})

    def enabled(self, number: int) -> Self:
        """The version opens again.

        Raises:
            KeyRingError: no such version, or one that is not disabled.
        """
        return self._changed({number: self._in("enabled", number, "disabled").turned("enabled")})

    def destroyed(self, number: int) -> Self:
        """The version loses its secret for good; its number and times stay, so that it is clear what became of it.

        Raises:
            KeyRingError: no such version, or one that is primary or destroyed already.
        """
        version = self._in("destroyed", number, "enabled", "disabled")
        return self._changed({number: Version("destroyed", version.created, None, now())})

    def _next(self) -> int:
        """The number of a version that is added; numbers are never used again."""
        number = max(self._versions) + 1
        if number > LAST_NUMBER:
            raise KeyRingError("the key ring has no number left for another version. Hint: make a new key ring")
        return number

    def _version(self, number: int) -> Version:
        found = self._versions.get(number)
        if found is None:
            raise KeyRingError(f"the key ring has no version {number}. Hint: use the ring that the value was protected with")
        return found

    def _in(self, step: str, number: int, *states: State) -> Version:
        """The version, if the step can be taken from its state."""
        version = self._version(number)
        if version.state in states:
            return version
        if version.state == "destroyed":
            raise KeyRingError(f"version {number} was destroyed on {version.destroyed}. Hint: it cannot be brought back but from a backup")
        if version.state == "primary":
            hint = "it protects already" if step == "promoted" else "promote another version first"
        else:
            hint = "enable it first" if version.state == "disabled" and step == "promoted" else "nothing is to be done"
        raise KeyRingError(f"version {number} is {version.state} and cannot be {step}. Hint: {hint}")


def now() -> str:
    """The time as it is written in a ring: UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
