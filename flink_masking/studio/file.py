"""The policy's file: the only one that the studio writes."""

import hashlib
import os
from pathlib import Path

from flink_masking.errors import FlinkMaskingError, InputError
from flink_masking.files.private_file import name_new
from flink_masking.files.whole import complete_beside
from flink_masking.policy.files import text_of

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
        try:
            with self.path.open("rb") as stream:
                data = stream.read(LARGEST + 1)
        except FileNotFoundError:
            return "", ""
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror}. Hint: check who may read it") from None
        if len(data) > LARGEST:
            raise InputError(f"{self.name}: larger than {LARGEST:,} bytes. Hint: flink-masking check takes larger policies")
        try:
            return text_of(data), hashlib.sha256(data).hexdigest()
        except InputError as error:
            raise InputError(f"{self.name}: {error}. Hint: a policy is a YAML file") from None

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
        try:
            with complete_beside(self.path, data) as part:
                if self.digest() != digest:
                    raise ConflictError(f"{self.name}: it has changed on disk meanwhile, and is not overwritten. Hint: copy your text, "
                                        "load the file again, and bring both together")
                if digest:
                    part.replace(self.path)
                else:
                    name_new(part, self.path)
        except FileExistsError:
            raise ConflictError(f"{self.name}: it has appeared on disk meanwhile, and is not overwritten. Hint: load it") from None
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror}. Hint: check who may write there") from None
        return hashlib.sha256(data).hexdigest()
