"""The policy's file: the only one that the studio writes."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from flink_masking.errors import FlinkMaskingError, InputError
from flink_masking.policy.files import read_text

LARGEST = 256 * 1024
"""Bytes of a policy that is tried and saved here."""


class ConflictError(FlinkMaskingError, RuntimeError):
    """The file on disk is not the one that the editor began with."""


class PolicyFile:
    """One file, read and replaced as a whole.

    Attributes:
        path: where it is, links followed, so that a link is kept and what it names is replaced.
        name: as it was given.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; it may not be there yet.

        Raises:
            InputError: it is a directory, or its folder is not there.
        """
        self.name, self.path = str(path), Path(os.path.realpath(path))
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise InputError(f"{path}: this is a directory, or lies in none. Hint: name a policy file (YAML)")

    def read(self) -> tuple[str, str]:
        """The text and its digest; both empty where there is no file.

        Raises:
            InputError: it is no UTF-8 text, or too large.
        """
        if not self.path.exists():
            return "", ""
        try:
            text = read_text(self.path)
        except InputError as error:
            raise InputError(f"{self.name}: {error}. Hint: a policy is a YAML file") from None
        if len(text.encode()) > LARGEST:
            raise InputError(f"{self.name}: larger than {LARGEST:,} bytes. Hint: flink-masking check takes larger policies")
        return text, self.digest()

    def digest(self) -> str:
        """SHA-256 of the file's bytes, in hex; "" where there is none."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""

    def save(self, text: str, digest: str) -> str:
        """Replace the file as a whole, if it is still the one that the editor began with.

        Args:
            text: the policy.
            digest: of the file that the text was made from; "" where there was none.

        Returns:
            The digest of the new file.

        Raises:
            ConflictError: the file has changed, appeared or gone meanwhile; it is not changed.
            InputError: the text is too large, or the file cannot be written.
        """
        data = text.encode()
        if len(data) > LARGEST:
            raise InputError(f"a policy of more than {LARGEST:,} bytes is not saved. Hint: shorten it")
        part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        try:
            self._write(part, data)
            if self.digest() != digest:
                raise ConflictError(f"{self.name}: it has changed on disk meanwhile, and is not overwritten. Hint: copy your text, load "
                                    "the file again, and bring both together")
            if digest:
                part.replace(self.path)
            else:
                os.link(part, self.path)  # refuses where a file appeared meanwhile
        except FileExistsError:
            raise ConflictError(f"{self.name}: it has appeared on disk meanwhile, and is not overwritten. Hint: load it") from None
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror}. Hint: check who may write there") from None
        finally:
            part.unlink(missing_ok=True)
        return hashlib.sha256(data).hexdigest()

    def _write(self, part: Path, data: bytes) -> None:
        """The text beside the file, on disk, with the file's permissions."""
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(stream.fileno(), self.path.stat().st_mode & 0o7777)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
