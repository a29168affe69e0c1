"""Where numba keeps the compiled kernels of this library: by what their sources say, not by where they lie.

numba names a function's place in its cache after the absolute path of its module. Flink unpacks an archive into another directory on
every start of a TaskManager, and each time all kernels would be compiled again, which takes a minute or more.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

from numba.core import caching

# numba took the underscore away in one of its releases.
_Base: Any = getattr(caching, "UserProvidedCacheLocator", None) or caching._UserProvidedCacheLocator


def keep_by_content(package: pathlib.Path, digest: str) -> None:
    """From now on, look for the compiled functions of a package below ``NUMBA_CACHE_DIR`` by digest and module.

    Args:
        package: the package's directory; functions of other modules are kept as before.
        digest: of all its kernels' sources.
    """

    class PackageCacheLocator(_Base):  # type: ignore[misc]
        """numba's own locator with another name for the directory."""

        @classmethod
        def get_suitable_cache_subpath(cls, py_file: str) -> str:
            """Digest and module, as the name of a directory."""
            return ".".join((digest, *pathlib.Path(py_file).resolve().relative_to(package).with_suffix("").parts))

        @classmethod
        def from_function(cls, py_func: Callable[..., object], py_file: str) -> Any:
            """A locator for a function of the package, None for any other."""
            return super().from_function(py_func, py_file) if package in pathlib.Path(py_file).resolve().parents else None

    caching.CacheImpl._locator_classes.insert(0, PackageCacheLocator)
