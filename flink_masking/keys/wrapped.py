"""Key rings whose roots are wrapped: a key management service has to open each of them (envelope encryption)."""

from collections.abc import Mapping
from typing import Protocol, Self

from flink_masking.errors import KeyRingError
from flink_masking.keys.checks import check_value
from flink_masking.keys.document import ROOT_BYTES, Document, decode, encode
from flink_masking.keys.lifecycle import FIRST, Edition, State, Version, VersionSet, now
from flink_masking.keys.ring import KeyRing, fresh_root

LABEL = b"flink-masking root 1"


class Wrapper(Protocol):
    """A key in a key management service, which never leaves it. Any failure is a KeyRingError without content."""

    def wrap(self, secret: bytes) -> bytes:
        """Encrypt at most 64 bytes; the result says all that `unwrap` needs."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt what `wrap` made."""


class WrappedRing(VersionSet):
    """A ring as it is stored: states in clear, roots wrapped. States are changed without the service; keys are derived after `unwrap`.

    What is wrapped is a label, the version's number in four bytes and the root, so the root of one version put in the place of
    another's is found out. The states themselves are not authenticated: who can write the file can promote or enable a version. Where
    the wrapping key is a public one (RSA), who can write the file can also put in roots of his own. A signature of the whole document
    (`flink_masking.keys.signature`) prevents both.

    Attributes:
        wrapped_by: the address of the wrapping key.
    """

    __slots__ = ("wrapped_by",)

    def __init__(self, versions: Mapping[int, Version], wrapped_by: str, edition: Edition = FIRST) -> None:
        """Keep checked versions; users call `new` or `parse`."""
        super().__init__(versions, edition)
        self.wrapped_by = wrapped_by

    @classmethod
    def new(cls, wrapped_by: str, wrapper: Wrapper) -> Self:
        """A ring with one fresh version, number 1.

        Args:
            wrapped_by: the address of the wrapping key, kept in the ring.
            wrapper: that key.

        Raises:
            KeyRingError: from the wrapper.
        """
        return cls({1: _wrapped(wrapper, "primary", 1)}, wrapped_by)

    @classmethod
    def parse(cls, data: bytes, where: str) -> Self:
        """The ring that `dump` wrote.

        Raises:
            KeyRingError: as for `KeyRing.parse`, or roots that are not wrapped.
        """
        document = decode(data, where)
        if document.wrapped_by is None:
            raise KeyRingError(f"{where}: its roots are not wrapped. Hint: 'flink-masking keys new FILE --wrap ADDRESS' makes one")
        return cls(document.versions, document.wrapped_by, document.edition)

    def dump(self) -> bytes:
        """The ring as JSON; without the service it opens nothing."""
        return encode(Document(self._versions, wrapped_by=self.wrapped_by, edition=self.edition))

    def _with(self, versions: Mapping[int, Version], edition: Edition) -> Self:
        return type(self)(versions, self.wrapped_by, edition)

    def added(self, wrapper: Wrapper) -> Self:
        """A ring with one more version, fresh and enabled.

        Raises:
            KeyRingError: from the wrapper, or no number is left.
        """
        number = self._next()
        return self._changed({number: _wrapped(wrapper, "enabled", number)})

    def unwrap(self, wrapper: Wrapper) -> KeyRing:
        """The ring with its roots in clear, one call of the service for each version that is not destroyed.

        Raises:
            KeyRingError: from the wrapper, or what was wrapped is not the root of the version, by its label or by its check value.
        """
        versions = {number: self._unwrapped(number, version, wrapper) for number, version in self._versions.items()}
        return KeyRing(versions, None, self.edition)

    @staticmethod
    def _unwrapped(number: int, version: Version, wrapper: Wrapper) -> Version:
        if not isinstance(version.material, bytes):
            return version
        opened, front = wrapper.unwrap(version.material), _front(number)
        if not opened.startswith(front) or len(opened) != len(front) + ROOT_BYTES:
            raise KeyRingError(f"version {number} was wrapped as something else. Hint: restore the ring from its backup")
        root = opened[len(front) :]
        check = check_value(root, number)
        if version.check not in (None, check):
            raise KeyRingError(f"version {number}: its check value does not fit its root. Hint: restore the ring from its backup")
        return Version(version.state, version.created, root, check=check)


AnyRing = KeyRing | WrappedRing
"""A ring as a file may hold it."""


def parse_any(data: bytes, where: str) -> AnyRing:
    """The ring in a file, wrapped or not.

    Raises:
        KeyRingError: as for `KeyRing.parse`, but for wrapped roots.
    """
    return (KeyRing if decode(data, where).wrapped_by is None else WrappedRing).parse(data, where)


def _front(number: int) -> bytes:
    return LABEL + number.to_bytes(4, "big")


def _wrapped(wrapper: Wrapper, state: State, number: int) -> Version:
    """A version made now, its new root wrapped."""
    root = fresh_root()
    return Version(state, now(), wrapper.wrap(_front(number) + root), check=check_value(root, number))
