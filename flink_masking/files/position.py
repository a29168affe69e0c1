"""How much of its input files a command has read: the measure of its progress, and exact for compressed files, too."""

import contextlib
import io
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

_BUFFER = 1 << 17


class Position:
    """Bytes read of the files that were opened while it was followed.

    Attributes:
        total: bytes of the files that were named; None where one is a pipe or a device, or none is named.
        read: bytes read so far, as they are on the disk.
    """

    def __init__(self, total: int | None, told: Callable[[int], None] | None) -> None:
        """Nothing is read yet."""
        self.total, self.read, self._told = total, 0, told

    def add(self, size: int) -> None:
        """Count bytes."""
        self.read += size
        if self._told is not None:
            self._told(self.read)


_followed: list[Position] = []


@contextlib.contextmanager
def followed(files: Iterable[Path], told: Callable[[int], None] | None = None) -> Iterator[Position]:
    """Count what is read of files that `counted` opens, until the end of the body.

    Args:
        files: whose bytes are the total; others are counted as well.
        told: called with the bytes read so far, after each read of some hundred kilobytes.
    """
    position = Position(_size(list(files)), told)
    _followed.append(position)
    try:
        yield position
    finally:
        _followed.remove(position)


def counted(path: Path) -> BinaryIO:
    """Open a file for reading; what is read of it is counted where somebody follows.

    Raises:
        OSError: it cannot be opened.
    """
    if not _followed:
        return path.open("rb")
    return cast(BinaryIO, io.BufferedReader(_Counted(path, _followed[-1]), _BUFFER))


class _Counted(io.FileIO):
    """A file that says how much of it was read."""

    def __init__(self, path: Path, position: Position) -> None:
        super().__init__(path, "rb")
        self._position = position

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        size = super().readinto(buffer)
        self._position.add(size or 0)
        return size

    def readall(self) -> bytes:
        data = super().readall()
        self._position.add(len(data))
        return data


def _size(files: list[Path]) -> int | None:
    """The bytes of all files; None where that cannot be said."""
    total = 0
    for file in files:
        try:
            facts = file.stat()
        except OSError:
            return None
        if not stat.S_ISREG(facts.st_mode):
            return None
        total += facts.st_size
    return total or None
