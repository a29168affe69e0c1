"""Where machine code lies: what came with the package, and what this machine compiled. See `flink_masking.kernels.cache`."""

import atexit
import functools
import hashlib
import importlib.util
import logging
import os
import shutil
import tempfile
from pathlib import Path

from flink_masking.errors import InputError
from flink_masking.files.private_directory import SOLE_USER, made_private

_log = logging.getLogger(__name__)
PACKAGE = Path(__file__).resolve().parent.parent
SHIPPED = PACKAGE / "kernels" / "compiled"
"""Machine code that came with the package; missing where it was installed from sources."""

LOADING = ("baseline.py", "build.py", "cache.py", "directories.py", "lazily.py")
"""Modules beside the kernels that no kernel is made of."""


def kernel_sources() -> list[Path]:
    """All modules that kernels are made of. Compiled code holds the constants that these import, so they import from each other only."""
    beside = {PACKAGE / "kernels" / name for name in LOADING}
    return sorted({*PACKAGE.rglob("*kernels.py"), *PACKAGE.glob("kernels/*.py")} - beside)


@functools.cache
def sources_digest() -> str:
    """Of Python's release and of all sources that make up kernels, 16 hexadecimal digits."""
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    for source in kernel_sources():
        digest.update(str(source.relative_to(PACKAGE)).encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def cache_directory() -> Path | None:
    """Where kernels that this machine compiles are kept: a directory of this user, named after the sources.

    Looked for below ``XDG_CACHE_HOME`` (``~/.cache``), ``XDG_RUNTIME_DIR`` and ``TMPDIR``; ``NUMBA_CACHE_DIR`` goes before them.

    Returns:
        A directory that nobody else can write or replace, made if need be; None where there is none.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    faults = []
    for base in (home, os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR")):
        if base and os.access(base if os.path.isdir(base) else os.path.dirname(base), os.W_OK):
            path = Path(base) / "flink-masking" / f"kernels-{sources_digest()}"
            # What a user names may lie in /tmp, as long as all of it is the user's; what nobody named may not.
            if (fault := made_private(path, in_sticky=base == home)) is None:
                return path
            faults.append(fault)
    _log.warning("compiled kernels are not kept, every process compiles them for itself: %s. Hint: set XDG_CACHE_HOME to a directory of "
                 "yours", "; ".join(faults) or f"{home} cannot be written")
    return None


@functools.cache
def private_directory() -> Path:
    """Where this process keeps what it compiles and finds what was compiled here before; nobody else can write it, for it is executed.

    Raises:
        InputError: ``NUMBA_CACHE_DIR`` names a directory that others can write or replace.
        OSError: there is none, not even a temporary one.
    """
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        if (fault := made_private(Path(given), in_sticky=True)) is not None:
            raise InputError(f"NUMBA_CACHE_DIR: {fault}, and its contents are executed. Hint: name a directory of yours with mode 0700, in "
                             f"directories of yours or root's; in a container where nobody else has processes, set {SOLE_USER}=1")
        return Path(given)
    if (path := cache_directory()) is None:  # a fresh directory of this process: slower to start, never someone else's code
        path = Path(tempfile.mkdtemp(prefix="flink-masking-kernels-"))
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path
