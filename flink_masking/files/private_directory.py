"""Directories that other users can neither write nor replace, for executable or secret files."""

import os
import stat
from pathlib import Path

SOLE_USER = "FLINK_MASKING_SOLE_USER"
"""Set to 1 where no other user has processes, as in a container whose volumes anybody may write: parents are not checked then."""


def made_private(path: Path, in_sticky: bool = False) -> str | None:
    """Make a directory and its missing parents with mode 0700, if need be, and say why it is not safe from others.

    It is safe if it and all its parents belong to this user or root and nobody else may write them: who may write a parent can put
    another directory in its place at any moment.

    Args:
        path: of the directory.
        in_sticky: take parents that anybody may write but whose entries only their owners may rename, such as ``/tmp``; the directory
            still belongs to this user or root.

    Returns:
        What is wrong, naming the directory in question; None where nothing is.
    """
    path = Path(os.path.abspath(path))
    try:
        if (found := _faulty_parent(path, in_sticky)) is not None:
            return found
        for missing in [parent for parent in reversed([path, *path.parents]) if not parent.exists()]:
            missing.mkdir(exist_ok=True, mode=0o700)  # parents=True would give them the mode that the umask leaves
        if not path.is_dir():
            return f"{path} is no directory"
        if stat.S_ISLNK(path.lstat().st_mode):
            return f"{path} is a link"
        return _faulty(path, False) or _faulty_parent(path, in_sticky)
    except OSError as error:
        return f"{path} cannot be made or read ({error.strerror})"


def _faulty_parent(path: Path, sticky: bool) -> str | None:
    """What is wrong with a directory on the way to another, along links or not."""
    if os.environ.get(SOLE_USER) == "1":
        return None
    parents = sorted(parent for parent in {*path.parents, *Path(os.path.realpath(path)).parents} if os.path.lexists(parent))
    return next((found for parent in parents if (found := _faulty(parent, sticky)) is not None), None)


def _faulty(path: Path, sticky: bool) -> str | None:
    """What is wrong with one directory, or with a link on the way to one."""
    found = path.lstat()
    if found.st_uid not in (os.getuid(), 0):
        return f"{path} belongs to another user"
    shared = bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) and not stat.S_ISLNK(found.st_mode)
    if shared and not (sticky and found.st_mode & stat.S_ISVTX):
        return f"{path} can be written by other users"
    return None
