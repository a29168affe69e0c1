"""Compiles every kernel of the library into numba's cache: ``python -m flink_masking.kernels.warm``.

Kernels have explicit signatures, so importing a module compiles what it holds. Done once after an installation, no job, test or
command waits for the compiler later.
"""

import importlib
import os
import sys
import time
from collections.abc import Iterator

from flink_masking.kernels import PACKAGE

ENDINGS = ("kernel", "kernels")


def kernel_modules() -> Iterator[str]:
    """The dotted names of all modules that hold kernels: those called, or ending in, ``kernel`` or ``kernels``; sorted."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.stem.rsplit("_", 1)[-1] in ENDINGS:
            yield ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def main() -> None:
    """Import every kernel module, one line for each that took time, and a total."""
    begin = time.perf_counter()
    names = list(kernel_modules())
    for name in names:
        start = time.perf_counter()
        importlib.import_module(name)
        print(f"  {name:<56}{time.perf_counter() - start:6.1f} s", file=sys.stderr, flush=True)
    where = os.environ["NUMBA_CACHE_DIR"]  # set with the first import of the package, unless the caller had chosen
    print(f"{len(names)} kernel modules ready in {time.perf_counter() - begin:.1f} s ({where})", file=sys.stderr)


if __name__ == "__main__":
    main()
