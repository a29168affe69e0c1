"""numba, imported so that it works inside a PyFlink worker and never runs a stale kernel.

Every compiled kernel of the library is made with the names exported here. Two things have to be right before numba is imported:
PyFlink's worker replaces ``builtins.print`` by a bound method, which numba's import refuses; and numba's cache neither notices an
edit in a helper module nor an upgrade of the package, so the cache directory carries a digest of all kernel sources.
"""

import atexit
import builtins
import functools
import hashlib
import logging
import os
import pathlib
import shutil
import sys
import tempfile
from typing import Any

from flink_masking.errors import InputError
from flink_masking.files.private_directory import SOLE_USER, made_private

_log = logging.getLogger(__name__)
PACKAGE = pathlib.Path(__file__).resolve().parent.parent


@functools.cache
def sources_digest() -> str:
    """Of Python's version and of all sources that make up kernels, 16 hexadecimal digits."""
    digest = hashlib.sha256(sys.version.encode())
    for source in sorted(PACKAGE.rglob("*.py")):
        text = source.read_bytes()
        if b"njit" in text or b"intrinsic" in text:
            digest.update(str(source.relative_to(PACKAGE)).encode() + b"\0" + text)
    return digest.hexdigest()[:16]


def cache_directory() -> pathlib.Path | None:
    """Where compiled kernels are kept: a directory of this user, named after the sources, Python and numba's platform.

    Looked for below ``XDG_CACHE_HOME`` (``~/.cache``), ``XDG_RUNTIME_DIR`` and ``TMPDIR``; ``NUMBA_CACHE_DIR`` goes before them.

    Returns:
        A directory that nobody else can write or replace, made if need be; None where there is none.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    faults = []
    for base in (home, os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR")):
        if base and os.access(base if os.path.isdir(base) else os.path.dirname(base), os.W_OK):
            path = pathlib.Path(base) / "flink-masking" / f"kernels-{sources_digest()}"
            # What a user names may lie in /tmp, as long as all of it is the user's; what nobody named may not.
            if (fault := made_private(path, in_sticky=base == home)) is None:
                return path
            faults.append(fault)
    _log.warning("compiled kernels are not kept, every process compiles them for itself: %s. Hint: set XDG_CACHE_HOME to a directory of "
                 "yours", "; ".join(faults) or f"{home} cannot be written")
    return None


def _private_cache() -> None:
    """Point numba at the cache directory; it holds code that is executed, so nobody else may write it.

    Raises:
        InputError: ``NUMBA_CACHE_DIR`` names a directory that others can write or replace.
    """
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        if (fault := made_private(pathlib.Path(given), in_sticky=True)) is not None:
            raise InputError(f"NUMBA_CACHE_DIR: {fault}, and its contents are executed. Hint: name a directory of yours with mode 0700, in "
                             f"directories of yours or root's; in a container where nobody else has processes, set {SOLE_USER}=1")
        return
    path = cache_directory()
    if path is None:  # a fresh directory of this process: slower to start, never someone else's code
        path = pathlib.Path(tempfile.mkdtemp(prefix="flink-masking-kernels-"))
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(path)


_private_cache()

_print = builtins.print
builtins.print = getattr(getattr(_print, "__self__", None), "_print", _print)
try:
    from numba import njit, types
    from numba.extending import intrinsic

    from flink_masking.kernels.cache_locator import keep_by_content
finally:
    builtins.print = _print
keep_by_content(PACKAGE, sources_digest())

JIT: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy", "boundscheck": False}
"""Options of every kernel: no GIL while it runs, cached on disk, C semantics for division."""

INLINED: dict[str, Any] = {**JIT, "forceinline": True}
"""Options of a step of a kernel that is called in one place: the compiler puts it there."""

# Array types for explicit signatures. Arrow buffers arrive read-only, so inputs are declared read-only; a numpy array that is
# writable can still be passed, numba accepts it where read-only is declared.
U8 = types.Array(types.uint8, 1, "C", readonly=True)
U16 = types.Array(types.uint16, 1, "C", readonly=True)
U64 = types.Array(types.uint64, 1, "C", readonly=True)
I32 = types.Array(types.int32, 1, "C", readonly=True)
I64A = types.Array(types.int64, 1, "C", readonly=True)
F64 = types.Array(types.float64, 1, "C", readonly=True)
W8, W16, W32, W64 = types.uint8[::1], types.uint16[::1], types.int32[::1], types.int64[::1]
WU64, WF64 = types.uint64[::1], types.float64[::1]
I64 = types.int64

__all__ = ["F64", "I32", "I64", "I64A", "INLINED", "JIT", "U8", "U16", "U64", "W8", "W16", "W32", "W64", "WF64", "WU64",
           "cache_directory", "intrinsic", "njit", "types"]
