"""A directory whose names cannot be read, as on a network file system that is away, whoever runs the tests."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def unlistable(monkeypatch: pytest.MonkeyPatch, directory: Path) -> Callable[[], None]:
    """Have the system refuse to list a directory; call the result to end it."""
    away = [True]

    def refusing(real: Callable[..., object]) -> Callable[..., object]:
        def listed(path: object = ".") -> object:
            if away[0] and os.fspath(path) == str(directory):  # type: ignore[call-overload]
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return real(path)

        return listed

    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(os, "listdir", refusing(os.listdir))
    return lambda: away.__setitem__(0, False)
