"""``file://`` and ``env://``: rings on this machine."""

import base64
import hashlib
import os

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.providers.address import Address

_HIDDEN = os.urandom(32)
"""Keys the fingerprints of this process, so that they say nothing of what they are made of."""


class FileStore:
    """A key ring file that only its owner can read."""

    def __init__(self, address: Address) -> None:
        """Keep the path."""
        self._path = self.where = address.name

    def read(self) -> bytes:
        """The file's contents."""
        return files.read_bytes(self._path)

    def fingerprint(self) -> str:
        """Which file it is and when it was changed."""
        return files.stamp(self._path)


class EnvironmentStore:
    """An environment variable of this process."""

    def __init__(self, address: Address) -> None:
        """Keep the name."""
        self._name, self.where = address.name, address.where

    def read(self) -> bytes:
        """The variable's JSON."""
        text = os.environ.get(self._name)
        if text is None:
            raise KeyRingError(f"{self.where}: the variable is not set. Hint: set it in the job's and in its workers' environment")
        return unarmoured(text)

    def fingerprint(self) -> str:
        """A keyed digest of the variable; variables seldom change while a process runs."""
        return hashlib.blake2b(self.read(), key=_HIDDEN, digest_size=16).hexdigest()


def unarmoured(text: str) -> bytes:
    """The JSON in a text that is JSON or the base64 of it; nothing where it is neither."""
    data = text.strip().encode(errors="surrogateescape")
    if data.startswith(b"{"):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return b""  # `KeyRing.parse` says that it is no key ring, without the text


def store(address: Address) -> FileStore | EnvironmentStore:
    """The place at an address."""
    return FileStore(address) if address.scheme == "file" else EnvironmentStore(address)
