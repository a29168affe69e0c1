"""Reads a policy and the files that it names: bounded in size, and never outside the policy's own folder.

A policy is written by one team and opened by a job that may read key rings, and what it names becomes part of the job graph. So a file that
it names lies below its folder, whatever ``..``, absolute names and symbolic links say.
"""

import base64
import errno
import io
import os
import stat
from pathlib import Path, PurePath

from flink_masking.errors import InputError

LARGEST = 16 * 1024 * 1024
"""Bytes of a policy, of a file that it names, and of all such files together, at most."""
DESCRIPTORS = (".desc", ".pb", ".binpb", ".protoset")
"""Endings of files with Protobuf's descriptors, which are no text."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""NONBLOCK: opening a pipe without a writer would wait for one."""


def read_text(path: Path) -> str:
    """A file that the user names, as text.

    Args:
        path: of a policy, a deployment or principals; links are followed.

    Raises:
        InputError: there is no such file, it is no UTF-8 text, or it is larger than `LARGEST`; the message is the reason alone.
    """
    try:
        with path.open("rb") as stream:
            return _text(stream)
    except OSError as error:
        failure = InputError(_reason(error))
    raise failure


def read_below(folder: Path, name: str) -> str:
    """A file that a policy names, as text.

    Links are followed as long as they end below the folder, as in a ConfigMap of Kubernetes. What was found there is then opened step by
    step without following any, so that a link put in its place meanwhile leads nowhere.

    Args:
        folder: of the policy.
        name: as written in the policy.

    Returns:
        The text; of a file that ends in one of `DESCRIPTORS` its bytes in Base64.

    Raises:
        InputError: the name is absolute, has ``..`` in it or leads out of the folder, or as `read_text`; also for what is no regular file.
    """
    written = PurePath(name)
    if written.is_absolute() or ".." in written.parts or "\0" in name or not written.parts:
        raise InputError("the name leads out of the policy's folder")
    try:
        root = folder.resolve(strict=True)
        target = (root / written).resolve(strict=True)
        if not target.is_relative_to(root) or target == root:
            raise InputError("the name leads out of the policy's folder")
        with os.fdopen(_opened(root, target.relative_to(root).parts), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise InputError("this is no regular file")
            return _base64(stream) if written.suffix in DESCRIPTORS else _text(stream)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        failure = InputError(_reason(error))
    raise failure


def _opened(root: Path, parts: tuple[str, ...]) -> int:
    """The descriptor of a file below a folder; no link is followed on the way."""
    folder = os.open(root, _DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _text(stream: io.BufferedIOBase) -> str:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"the file is larger than {LARGEST:,} bytes")
    return text_of(data)


def text_of(data: bytes) -> str:
    """The bytes of a file as text, without a byte order mark, its lines ended by ``\\n``.

    Raises:
        InputError: this is no UTF-8 text.
    """
    try:
        return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read()
    except UnicodeDecodeError:
        failure = InputError("the file is not UTF-8 text")
    raise failure


def _base64(stream: io.BufferedIOBase) -> str:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"the file is larger than {LARGEST:,} bytes")
    return base64.b64encode(data).decode()


def _reason(error: OSError | RuntimeError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "this is a directory, not a file"
    if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
        return "the name leads through symbolic links in a circle, or through one that has just been put there"
    return f"the file cannot be read ({error.strerror or type(error).__name__})"
