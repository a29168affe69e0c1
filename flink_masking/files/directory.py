"""Directories: the names in them."""

import os
from os import PathLike


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
