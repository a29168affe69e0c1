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
LAST_GENERATION = (1 << 53) - 1
"""Larger numbers are not whole in every reader of JSON."""

Subkeys = Mapping[tuple[str, str], bytes]


class Version(Secret):
    """One version of a ring.

    Attributes:
        state: primary protects; primary and enabled open; disabled does neither until it is enabled; destroyed never again.
        created: ISO 8601 time.
        destroyed: ISO 8601 time, or None in any other state.
        material: the root, the wrapped root, or the exported keys by (purpose, domain); None where there is none (any more).
        check: the public check value of its root; None where it is not known (a ring of an earlier release that is wrapped or exported).
    """

    __slots__ = ("check", "created", "destroyed", "material", "state")

    def __init__(self, state: State, created: str, material: bytes | Subkeys | None, destroyed: str | None = None,
                 check: str | None = None) -> None:
        """Keep what was checked elsewhere."""
        self.state, self.created, self.material, self.destroyed, self.check = state, created, material, destroyed, check

    def turned(self, state: State) -> "Version":
        """The same version in another state."""
        return Version(state, self.created, self.material, self.destroyed, self.check)


class Edition(NamedTuple):
    """The generation of a ring's content.

    Attributes:
        generation: grows by one with each change; 0 in rings of earlier releases.
        replaces: the operator has said that the ring takes the place of contents up to this generation, even where versions are gone.
    """

    generation: int = 0
    replaces: int = 0


FIRST = Edition(1)


class VersionFacts(NamedTuple):
    """Public facts of a version.

    Attributes:
        number: from 1.
        state: primary, enabled, disabled or destroyed.
        created: ISO 8601 time.
        destroyed: ISO 8601 time, or None.
        check: public check value, or None where it is not known.
    """

    number: int
    state: State
    created: str
    destroyed: str | None
    check: str | None


class VersionSet(Secret):
    """Versions by number, exactly one of them primary; every step gives a new set. Refuses to be pickled, copied or printed.

    Attributes:
        primary: the number of the version that protects.
        edition: which of the ring's successive contents this is.
    """

    __slots__ = ("_versions", "edition", "primary")

    def __init__(self, versions: Mapping[int, Version], edition: Edition = FIRST) -> None:
        """Keep checked versions."""
        self.edition = edition
        self._versions = dict(sorted(versions.items()))
        self.primary = next(number for number, version in self._versions.items() if version.state == "primary")

    def _with(self, versions: Mapping[int, Version], edition: Edition) -> Self:
        """This set with other versions."""
        return type(self)(versions, edition)

    def _changed(self, changes: Mapping[int, Version]) -> Self:
        """This set with some versions changed, one generation later."""
        if self.edition.generation >= LAST_GENERATION:
            raise KeyRingError("the key ring has reached the largest generation number. Hint: make a new key ring")
        return self._with({**self._versions, **changes}, self.edition._replace(generation=self.edition.generation + 1))

    def restored(self, over: int) -> Self:
        """This set, said to take the place of newer contents: running jobs accept it although versions are gone.

        Args:
            over: the newest generation that it replaces, at least 0.

        Raises:
            KeyRingError: the generation cannot be counted on.
        """
        if not 0 <= over < LAST_GENERATION:
            raise KeyRingError(f"{over} is no generation of a key ring. Hint: take the number from the job's message")
        return self._with(self._versions, Edition(max(over, self.edition.generation) + 1, max(over, self.edition.replaces)))

    @property
    def versions(self) -> tuple[int, ...]:
        """The numbers of the versions that open, ascending."""
        return tuple(number for number, version in self._versions.items() if version.state in OPEN)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all versions, in whatever state, ascending."""
        return tuple(self._versions)

    def check(self, number: int | None = None) -> str | None:
        """The public check value of a version, of the primary one unless told; None where it is not known.

        Raises:
            KeyRingError: no such version.
        """
        return self._version(self.primary if number is None else number).check

    def __contains__(self, number: object) -> bool:
        """Whether the ring knows a version, in whatever state."""
        return number in self._versions

    def facts(self) -> tuple[VersionFacts, ...]:
        """Public facts of every version, destroyed ones included; numbers ascending."""
        return tuple(VersionFacts(number, v.state, v.created, v.destroyed, v.check) for number, v in self._versions.items())

    def promoted(self, number: int) -> Self:
        """The version is now primary; the one that did stays enabled.

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
        """Remove the secret of the version permanently; its number and times are kept.

        Raises:
            KeyRingError: no such version, or one that is primary or destroyed already.
        """
        version = self._in("destroyed", number, "enabled", "disabled")
        return self._changed({number: Version("destroyed", version.created, None, now(), version.check)})

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
            raise KeyRingError(f"version {number} was destroyed on {version.destroyed}. Hint: it can only be restored from a backup")
        if version.state == "primary":
            hint = "it protects already" if step == "promoted" else "promote another version first"
        else:
            hint = "enable it first" if version.state == "disabled" and step == "promoted" else "no action is needed"
        raise KeyRingError(f"version {number} is {version.state} and cannot be {step}. Hint: {hint}")


def now() -> str:
    """The time as it is written in a ring: UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
