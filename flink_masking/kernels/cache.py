"""numba's cache of a function, over two directories: the machine code that came with the package, which is never written, and this user's.

Both go by what the sources of all kernels say and not by where they lie or when they were written: Flink unpacks an archive into another
directory on every start of a TaskManager.
"""

import hashlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from numba.core import caching
from numba.core.compiler import CompileResult

from flink_masking.kernels.directories import PACKAGE, SHIPPED, private_directory, sources_digest

_log = logging.getLogger(__name__)


class Compiled:
    """What this process had to compile, because it was found nowhere.

    Attributes:
        names: of the functions, in the order of their compilation.
        reason: why what was compiled ahead does not serve, a sentence without a full stop; None where it should.
        shipped: the directory of what was compiled ahead.
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self.names: list[str] = []
        self.reason: str | None = None
        self.shipped = SHIPPED

    def announce(self, name: str) -> None:
        """Count a function that is about to be compiled; the first is logged, and a terminal shows how many there are."""
        if not self.names:
            why = self.reason or ("this installation brings none" if not self.shipped.is_dir() else
                                  "those of this installation were made for another release of Python, numba or the kernels' sources")
            level = logging.INFO if self.reason is None else logging.WARNING
            _log.log(level, "kernels are compiled here, which takes a minute or two, once: %s", why)
        self.names.append(name)
        if sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(f"\rcompiling kernels, once: {len(self.names)} \r")
            sys.stderr.flush()


COMPILED = Compiled()


class KernelCache(caching.FunctionCache):  # type: ignore[misc]
    """numba's cache of one function, over two directories: the package's, which is never written, and this user's."""

    made: ClassVar[list["KernelCache"]] = []
    """Of all kernels that this process has imported."""

    def __init__(self, function: Any, called_from_python: bool) -> None:
        """Look nothing up yet; the constructor of numba's class would ask for a directory that can be written.

        Args:
            function: a Python function of this package or of another one.
            called_from_python: whether it has signatures of its own; other kernels call the rest.
        """
        self.made.append(self)
        self.called_from_python = called_from_python
        self._name, self._py_func, self._cache_path = repr(function), function, str(SHIPPED)
        source = Path(function.__code__.co_filename).resolve()
        self._stamp = sources_digest()
        if PACKAGE in source.parents:
            self.place = ".".join(source.relative_to(PACKAGE).with_suffix("").parts)
        else:  # a technique of another package
            self.place = source.stem
            self._stamp += hashlib.sha256(source.read_bytes()).hexdigest()[:16]
        self.base = f"{function.__qualname__.replace('<', '').replace('>', '')}-{function.__code__.co_firstlineno}"
        self.enable()

    def _files(self) -> Iterator[Any]:
        """The indexes to look into, as numba reads them: opened one after the other, the private one only if need be."""
        yield caching.IndexDataCacheFile(str(COMPILED.shipped / self.place), self.base, self._stamp)
        yield self._own()

    def _own(self) -> Any:
        return caching.IndexDataCacheFile(str(private_directory() / f"{self._stamp}.{self.place}"), self.base, self._stamp)

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        key = self._index_key(sig, target_context.codegen())
        data = next((found for file in self._files() if (found := file.load(key)) is not None), None)
        if data is None:
            COMPILED.announce(f"{self.place}.{self._py_func.__qualname__}")
            return None
        return CompileResult._rebuild(target_context, *data)

    def _save_overload(self, sig: Any, data: Any) -> None:
        if not data.library.has_dynamic_globals:  # addresses of this process
            file = self._own()
            os.makedirs(file._cache_path, exist_ok=True)
            file.save(self._index_key(sig, data.codegen), data._reduce())
