"""Keeps the built automaton beside the compiled kernels: in the package where it was shipped, else in this user's private directory.

Building takes two to three seconds of pure Python; reading takes some milliseconds. A file goes by the digest of its patterns, so a changed
catalogue never meets an old table.
"""

import io
import logging
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flink_masking.detect.automaton import Automaton, build, digest
from flink_masking.detect.catalogue import regexes
from flink_masking.kernels import SHIPPED, private_directory

_log = logging.getLogger(__name__)


def file_name(patterns: Sequence[str]) -> str:
    """The name of the file for some patterns."""
    return f"automaton-{digest(patterns)}.npz"


def packed(built: Automaton) -> bytes:
    """An automaton as the body of a file."""
    body = io.BytesIO()
    np.savez_compressed(body, **built._asdict())
    return body.getvalue()


def shipped() -> dict[str, bytes]:
    """The files that a wheel brings along, by name: the automaton of the catalogue."""
    patterns = regexes()
    return {file_name(patterns): packed(build(patterns))}


def kept(patterns: Sequence[str]) -> Automaton:
    """The automaton of some patterns: read where it was kept, else built and kept.

    Raises:
        PolicyError: a pattern is refused.
    """
    name = file_name(patterns)
    for folder in (SHIPPED, private_directory()):
        found = _read(folder / name)
        if found is not None:
            return found
    built = build(patterns)
    _write(private_directory() / name, packed(built))
    return built


def _read(path: Path) -> Automaton | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Automaton(**{name: arrays[name] for name in Automaton._fields})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        _log.warning("a table of patterns cannot be read and is built again: %s", path.name)
        return None


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all; that it cannot be kept is no fault."""
    try:
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        os.replace(part, path)
    except OSError:
        _log.warning("a table of patterns is not kept: every process builds it for itself")
