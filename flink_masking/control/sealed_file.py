"""A file that several workers of a job write: sealed with the job's key ring, replaced as a whole, under a lock."""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from flink_masking.errors import ControlError, ControlUnavailableError, DecryptionError, KeyRingError
from flink_masking.files.directory import sync_directory


class Seals(Protocol):
    """What seals the file: `flink_masking.keys.sealer.Sealer`, or its reloading form."""

    def seal(self, data: bytes, associated: bytes = b"") -> bytes:
        """Encrypt."""

    def open(self, blob: bytes, associated: bytes = b"") -> bytes:
        """Decrypt, or raise DecryptionError or KeyRingError."""


class SealedFile:
    """A file at a path; nobody without the ring can write it, and nobody reads half of it."""

    def __init__(self, path: Path, bound: bytes, seals: Seals, otherwise: str) -> None:
        """Keep the path.

        Args:
            path: of the file; beside it lies its lock.
            bound: what the contents are bound to besides the ring.
            seals: encrypts and decrypts them.
            otherwise: what happens when another file is named, for messages.
        """
        self.path, self._bound, self._seals, self._otherwise = path, bound, seals, otherwise

    def read(self) -> bytes | None:
        """The contents; None where there is no file.

        Raises:
            ControlError: it cannot be read, or was not written by this job.
        """
        try:
            return self._seals.open(self.path.read_bytes(), self._bound)
        except FileNotFoundError:
            return None
        except OSError as error:
            failure: ControlError = self._away("read", error)
        except KeyRingError as error:
            failure = ControlError(f"control.state: {error}")
        except DecryptionError:
            failure = self.foreign()
        raise failure

    def foreign(self) -> ControlError:
        """That the contents are not what this job writes."""
        return ControlError(f"control.state: {self.path} was not written by a job with this stream and key ring. Hint: name another file; "
                            f"{self._otherwise}")

    def write(self, contents: bytes) -> None:
        """Replace the contents; only inside of `locked`.

        Raises:
            OSError: the file cannot be written.
        """
        beside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(self._seals.seal(contents, self._bound))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
            sync_directory(self.path.parent)  # or an older count could come back after a power cut, when records were shown
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()

    @contextlib.contextmanager
    def locked(self, patience: float | None = None) -> Iterator[None]:
        """Alone with the file.

        Args:
            patience: seconds for which the lock is waited for; None: as long as it takes.

        Raises:
            ControlUnavailableError: it cannot be written, or somebody else holds the lock.
        """
        try:
            with Path(f"{self.path}.lock").open("ab") as file:
                if patience is None:
                    fcntl.flock(file, fcntl.LOCK_EX)
                else:
                    _lock(file, patience)
                yield
        except OSError as error:
            raise self._away("written", error) from None

    def _away(self, what: str, error: OSError) -> ControlUnavailableError:
        return ControlUnavailableError(f"control.state: {self.path} cannot be {what} ({error.strerror}). Hint: a file that all workers "
                                       "read and write")



def _lock(file: BinaryIO, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.01)
        else:
            return
