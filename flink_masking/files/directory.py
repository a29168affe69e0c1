"""Directories: the names in them."""

import os
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path


def files_below(directory: "str | PathLike[str]", failed: Callable[[OSError], None]) -> Iterator[Path]:
    """Every file below a directory, hidden ones, too; links to directories are not followed.

    `Path.rglob` and `os.walk` pass over what cannot be listed, which makes a directory that is away one without files.

    Args:
        directory: that they are in.
        failed: is told of a directory that cannot be listed, or a file that cannot be examined; one that is removed meanwhile is none.
    """
    def told(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            failed(error)

    for folder, folders, names in os.walk(directory, onerror=told):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            try:
                there = path.is_file()
            except OSError as error:
                told(error)
                continue
            if there:
                yield path


def sync_directory(directory: "str | PathLike[str]") -> None:
    """Make the names in a directory last: of a file that was replaced or removed, an older one can come back after a power cut else.

    Args:
        directory: that holds them.

    Raises:
        OSError: it cannot be opened or written.
    """
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
