"""What every compiled kernel of the library is made with.

numba itself comes with the first call of a kernel (`lazily`), compiles for the processor that machine code is shipped for (`baseline`),
and finds it in the package or in a directory of this user (`cache`).
"""

from collections.abc import Callable
from typing import Any

from flink_masking.kernels.directories import PACKAGE, SHIPPED, cache_directory, private_directory, sources_digest
from flink_masking.kernels.lazily import Intrinsic, Kernel, Types, numba, with_numba

types = Types(lambda: numba().types)
"""``numba.types``, for signatures."""
intrinsic = Intrinsic


def njit(signatures: Any = None, **options: Any) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel.

    Args:
        signatures: one signature, or a list of all that Python calls it with; None where only other kernels call it.
        options: of ``numba.njit``; `JIT`.

    Returns:
        A decorator.
    """
    listed = signatures if signatures is None or isinstance(signatures, list) else [signatures]
    return lambda function: Kernel(function, listed, options)


JIT: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
"""Options of every kernel: no GIL while it runs, C semantics for division."""

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

__all__ = ["F64", "I32", "I64", "I64A", "INLINED", "JIT", "PACKAGE", "SHIPPED", "U8", "U16", "U64", "W8", "W16", "W32", "W64", "WF64",
           "WU64", "cache_directory", "intrinsic", "njit", "numba", "private_directory", "sources_digest", "types", "with_numba"]
