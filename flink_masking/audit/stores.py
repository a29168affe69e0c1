"""Where a log lies: a directory, an object store (pyarrow.fs), or a web server that serves one."""

import contextlib
import http.client
import os
import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from flink_masking.errors import InputError, LogUnavailableError
from flink_masking.files.directory import sync_directory
from flink_masking.patience import COMMAND_SECONDS, http_may_pass, persist

LEAVES = "leaves"
"""The folder of leaf hashes and of what is not to be served: its files are for their owner only."""
LARGEST = 1 << 26
"""Bytes of a file that a web server sends, at most."""
TIMEOUT_S = 30.0
"""Seconds without a byte of an answer of a web server."""
_CAUSE = re.compile(r"AWS Error ([A-Z_]+)")


class Store(Protocol):
    """Files by names, whose parts are separated by slashes; a file is there as a whole or not at all."""

    def read(self, name: str) -> bytes | None:
        """The contents of a file; None where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a file durably, in place of one that is there."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def names(self, below: str) -> list[str]:
        """Names of the files in a folder, sorted; none where they cannot be listed."""
        ...


class Directory:
    """A directory of this machine.

    Attributes:
        path: it is made with the first file.
    """

    def __init__(self, path: Path, mode: int = 0o644) -> None:
        """Keep the place.

        Args:
            path: of the directory.
            mode: of files outside `LEAVES`.
        """
        self.path, self._mode = path, mode

    def read(self, name: str) -> bytes | None:
        """See `Store`."""
        try:
            return (self.path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        """See `Store`."""
        where, mode = self.path / name, 0o600 if name.startswith(f"{LEAVES}/") else self._mode
        where.parent.mkdir(parents=True, exist_ok=True)
        partial = where.with_name(f".{where.name}.{secrets.token_hex(8)}.partial")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            partial.replace(where)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        sync_directory(where.parent)

    def remove(self, name: str) -> None:
        """See `Store`."""
        (self.path / name).unlink(missing_ok=True)
        if (self.path / name).parent.exists():
            sync_directory((self.path / name).parent)

    def names(self, below: str) -> list[str]:
        """See `Store`."""
        folder = self.path / below
        return sorted(f"{below}/{path.name}" for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []


class ObjectStore:
    """A prefix of an object store, or whatever else pyarrow.fs opens by its address; its clients try again themselves.

    What they give up on is a LogUnavailableError, never an object that is not there.
    """

    def __init__(self, address: str) -> None:
        """Open it.

        Args:
            address: such as ``s3://bucket/prefix``; credentials come from the environment.

        Raises:
            InputError: there is no such kind of store.
        """
        from pyarrow import fs

        self._fs = fs
        try:
            self._store, self._root = fs.FileSystem.from_uri(address)
        except (ValueError, OSError, RuntimeError) as error:
            raise InputError(f"{urlsplit(address).scheme}://: the store of the log cannot be opened ({type(error).__name__}). Hint: a "
                             "directory, or an address that pyarrow.fs knows, such as s3://bucket/prefix") from None

    def read(self, name: str) -> bytes | None:
        """See `Store`."""
        path = f"{self._root}/{name}"
        with _told():
            if self._store.get_file_info(path).type != self._fs.FileType.File:
                return None
            with self._store.open_input_stream(path) as stream:
                return bytes(stream.read())

    def write(self, name: str, data: bytes) -> None:
        """See `Store`; an object appears when it is complete."""
        path = f"{self._root}/{name}"
        with _told(), self._store.open_output_stream(path) as stream:
            stream.write(data)

    def remove(self, name: str) -> None:
        """See `Store`."""
        path = f"{self._root}/{name}"
        with _told():
            if self._store.get_file_info(path).type == self._fs.FileType.File:
                self._store.delete_file(path)

    def names(self, below: str) -> list[str]:
        """See `Store`."""
        selector = self._fs.FileSelector(f"{self._root}/{below}", allow_not_found=True)
        with _told():
            found: list[Any] = self._store.get_file_info(selector)
        return sorted(f"{below}/{info.base_name}" for info in found if info.type == self._fs.FileType.File)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Convert an error of an object store's client; its text, which may hold addresses with logins, is not shown."""
    try:
        yield
    except OSError as error:
        cause = _CAUSE.search(str(error))
        why = cause[1] if cause else error.strerror or type(error).__name__
    else:
        return
    raise LogUnavailableError(f"the store of the log cannot be used now ({why}). Hint: check the network, the store and its credentials")


class WebServer:
    """A log that a web server serves; read only."""

    def __init__(self, address: str, patience: float = COMMAND_SECONDS) -> None:
        """Keep the address.

        Args:
            address: ``http://`` or ``https://``.
            patience: seconds for which a server that is away or busy is asked again, at each file.
        """
        self._address, self._patience = address.rstrip("/"), patience

    def read(self, name: str) -> bytes | None:
        """See `Store`.

        Raises:
            LogUnavailableError: no answer, one that is cut off, or a refusal: none of it says anything of the log.
        """
        try:
            return persist(lambda: self._answered(name), http_may_pass, self._patience)
        except urllib.error.HTTPError as error:
            why = f"HTTP {error.code}"
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            why = getattr(reason, "strerror", None) or type(reason).__name__
        raise LogUnavailableError(f"the log's server gives no whole answer ({why}). Hint: check the address, the server and the network")

    def _answered(self, name: str) -> bytes | None:
        try:
            with urllib.request.urlopen(f"{self._address}/{name}", timeout=TIMEOUT_S) as answer:
                data = bytes(answer.read(LARGEST + 1))
                if len(data) > LARGEST:
                    raise InputError(f"{name}: the log's server sends more than {LARGEST >> 20} MiB. Hint: check the address")
                if answer.length:  # http.client passes over what is missing of an answer
                    raise http.client.IncompleteRead(data, answer.length)
                return data
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise

    def write(self, name: str, data: bytes) -> None:
        """Never; raises InputError."""
        raise InputError("a web server's log is only read. Hint: give the directory or object store that it serves")

    def remove(self, name: str) -> None:
        """Never; raises InputError."""
        self.write(name, b"")

    def names(self, below: str) -> list[str]:
        """See `Store`."""
        return []


def open_store(address: str) -> Store:
    """The store that a path or an address names.

    Raises:
        InputError: there is no such kind of store.
    """
    scheme = urlsplit(address).scheme
    if scheme in ("http", "https"):
        return WebServer(address)
    if scheme == "file":
        return Directory(Path(urlsplit(address).path))
    return ObjectStore(address) if "://" in address else Directory(Path(address))
