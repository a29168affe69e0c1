"""Files that are replaced as a whole: what had the name stays until all of the new contents is on the disk."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: Path, data: bytes | str, private: bool = False) -> None:
    """Write a file under a hidden name, and give it its own when it is complete.

    Args:
        path: created, or replaced with its mode kept; a pipe or a device is written to directly.
        data: the contents; text becomes UTF-8.
        private: with mode 0600, whatever mode and umask were.

    Raises:
        OSError: it cannot be written, names `path`.
    """
    contents = data.encode("utf-8") if isinstance(data, str) else data
    if path.exists() and not path.is_file():
        path.write_bytes(contents)
        return
    target = path.resolve()  # a link stays a link
    try:
        with complete_beside(target, contents, private) as beside:
            beside.replace(target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


@contextlib.contextmanager
def complete_beside(target: Path, data: bytes, private: bool = False) -> Iterator[Path]:
    """A hidden file beside another one with all of the new contents, on the disk; removed at the end, unless the body has renamed it.

    Args:
        target: whose mode it gets, before the contents, where it is there.
        data: the contents.
        private: with mode 0600, whatever mode and umask were.

    Yields:
        Its path, in the same directory.

    Raises:
        OSError: it cannot be written.
    """
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if private else 0o666), "wb") as file:
            if not private:
                with contextlib.suppress(FileNotFoundError):
                    os.fchmod(file.fileno(), target.stat().st_mode & 0o7777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield beside
    finally:
        beside.unlink(missing_ok=True)
