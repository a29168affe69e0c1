"""A directory with a file for each document, or a bundle file."""

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flink_masking.control.envelope import LARGEST
from flink_masking.control.sources.base import MOST, TOTAL
from flink_masking.control.sources.bundle import pack, unpack
from flink_masking.errors import ControlError, ControlUnavailableError
from flink_masking.files.directory import sync_directory
from flink_masking.patience import persist

SUFFIX = ".json"
"""Of documents in a directory; names that begin with a dot are passed over."""
AGAIN_S = 1.0
"""Seconds for which a directory that is changed is listed again."""


def local_path(address: str) -> Path:
    """The path in a ``file://`` address."""
    return Path(unquote(urlsplit(address).path))


class DirectorySource:
    """A directory; read again as a whole when a name, size, time or inode has changed."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path
        self._seen: list[tuple[str, int, int, int]] | None = None

    def read(self) -> list[bytes] | None:
        """See `Source.read`."""
        try:
            return persist(self._changed, self._replaced, AGAIN_S)
        except OSError as error:
            self._seen = None
            raise ControlUnavailableError(f"{self._path}: cannot be read ({error.strerror}). Hint: check the directory and its "
                                          "permissions") from None

    def _changed(self) -> list[bytes] | None:
        found = sorted(self._entries())
        if found == self._seen:
            return None
        if len(found) > MOST or sum(size for *_, size in found) > TOTAL:
            raise ControlError(f"{self._path}: more than {MOST:,} documents or {TOTAL >> 20} MiB. Hint: remove those that have expired")
        read = [_read(self._path / name) for name, *_ in found]
        self._seen = found
        return read

    def _replaced(self, error: Exception) -> bool:
        """Whether a document was removed, or its ConfigMap replaced, after the directory was listed."""
        return isinstance(error, FileNotFoundError) and error.filename not in (None, self._path, os.fspath(self._path))

    def _entries(self) -> Iterator[tuple[str, int, int, int]]:
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.endswith(SUFFIX):
                    continue
                facts = entry.stat()
                if stat.S_ISREG(facts.st_mode):
                    yield entry.name, facts.st_mtime_ns, facts.st_ino, facts.st_size

    def publish(self, name: str, data: bytes) -> None:
        """See `Source.publish`."""
        replace_file(self._path / f"{name}{SUFFIX}", data)

    def close(self) -> None:
        """Nothing to release."""


class BundleSource:
    """A bundle in a local file."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> list[bytes] | None:
        """See `Source.read`."""
        try:
            facts = os.stat(self._path)
            seen = facts.st_mtime_ns, facts.st_ino, facts.st_size
            if seen == self._seen:
                return None
            if facts.st_size > TOTAL:
                raise ControlError(f"{self._path}: larger than {TOTAL >> 20} MiB. Hint: remove documents that have expired")
            found = unpack(self._path.read_bytes())
        except OSError as error:
            raise ControlUnavailableError(f"{self._path}: cannot be read ({error.strerror}). Hint: check the path") from None
        self._seen = seen
        return found

    def publish(self, name: str, data: bytes) -> None:
        """See `Source.publish`; a document with the same payload is replaced by the one with more signatures."""
        from flink_masking.control.envelope import parse

        digest = parse(data).digest
        with _locked(self._path):
            before = unpack(self._path.read_bytes()) if self._path.exists() else []
            replace_file(self._path, pack([*(one for one in before if _digest(one) != digest), data]))

    def close(self) -> None:
        """Nothing to release."""


def _digest(line: bytes) -> str:
    from flink_masking.control.envelope import parse

    try:
        return parse(line).digest
    except ControlError:
        return ""


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One publisher at a time."""
    try:
        with (path.parent / f".{path.name}.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise ControlError(f"{path}: cannot be written ({error.strerror}). Hint: check the directory") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file as a whole: readers see the old one or the new one."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        sync_directory(path.parent)
    except OSError as error:
        raise ControlError(f"{path}: cannot be written ({error.strerror}). Hint: check the directory and its permissions") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
