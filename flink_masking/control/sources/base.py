"""What a source of control documents is."""

from typing import Protocol

MOST = 10_000
"""Documents of a source, at most."""
TOTAL = 256 << 20
"""Bytes of all of them together, at most."""


class Source(Protocol):
    """A place with control documents. A source is not trusted: whatever it gives is verified, and it can hold documents back at most."""

    def read(self) -> list[bytes] | None:
        """All documents, or None where nothing has changed since the last call that succeeded.

        Raises:
            ControlUnavailableError: no answer, or one that is cut off.
            ControlError: an answer that cannot be one, or a login that is refused.
        """

    def publish(self, name: str, data: bytes) -> None:
        """Add a document, or replace the one of that name; readers see all of it or nothing.

        Args:
            name: the document's id, or of a trust file ``trust-`` and its version.
            data: the envelope, one line of JSON.

        Raises:
            ControlError: it cannot be written, or the source is read only.
        """

    def close(self) -> None:
        """Release connections."""
