"""numba's cache of a function, over two directories: the machine code that came with the package, which is never written, and this user's.

Both go by what the sources of all kernels say and not by where they lie or when they were written: Flink unpacks an archive into another
directory on every start of a TaskManager.
"""

import functools
import hashlib
import logging
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from numba.core import caching
from numba.core.compiler import CompileResult

from flink_masking.files.private_directory import made_private
from flink_masking.kernels.directories import PACKAGE, SHIPPED, private_directory, sources_digest

_log = logging.getLogger(__name__)


class Compiled:
    """What this process had to compile, because it was found nowhere.

    Attributes:
        names: of the functions, in the order of their compilation.
        reason: why what was compiled ahead does not serve, a sentence without a full stop; None where it should.
        shipped: the directory of what was compiled ahead.
        unkept: why something that was compiled here could not be kept, without a full stop; None where all was.
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self.names: list[str] = []
        self.reason: str | None = None
        self.shipped = SHIPPED
        self.unkept: str | None = None

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

    def not_kept(self, fault: str) -> None:
        """What was compiled serves this process only; the first time, that is logged."""
        if self.unkept is None:
            _log.warning("compiled kernels are not kept, every process compiles them for itself: %s. Hint: set NUMBA_CACHE_DIR to a "
                         "directory of yours that can be written, on a disk with space left", fault)
        self.unkept = fault


COMPILED = Compiled()


_UNREADABLE = (OSError, EOFError, pickle.UnpicklingError)
"""What reading a file of a cache raises; the last two where it was cut off, as by a power failure."""


@functools.cache
def _private() -> Path | None:
    try:
        return private_directory()
    except OSError as error:  # `cache_directory` has warned
        COMPILED.unkept = f"no directory can be made ({error.strerror})"
        return None


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
        if (own := self._own()) is not None:
            yield own

    def _own(self) -> Any:
        directory = _private()
        return directory and caching.IndexDataCacheFile(str(directory / f"{self._stamp}.{self.place}"), self.base, self._stamp)

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        key = self._index_key(sig, target_context.codegen())
        for file in self._files():
            try:
                data = file.load(key)
            except _UNREADABLE:
                continue  # compiled again, and kept if possible
            if data is not None:
                return CompileResult._rebuild(target_context, *data)
        COMPILED.announce(f"{self.place}.{self._py_func.__qualname__}")
        return None

    def _save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code if that is possible; what cannot be kept has been compiled all the same."""
        file = self._own()
        if file is None or data.library.has_dynamic_globals:  # addresses of this process
            return
        if (fault := made_private(Path(file._cache_path), in_sticky=True)) is not None:
            return COMPILED.not_kept(fault)
        key, body = self._index_key(sig, data.codegen), data._reduce()
        try:
            try:
                file.save(key, body)
            except (EOFError, pickle.UnpicklingError):  # an index that was cut off
                file.flush()
                file.save(key, body)
        except OSError as error:
            COMPILED.not_kept(f"{file._cache_path} cannot be written ({error.strerror})")
