"""Kernels, their signatures and their building blocks, declared without numba: it is imported when the first kernel is called.

Importing numba takes a third of a second and finding the machine code of all kernels more than one; a command that calls no kernel
pays for neither, and a worker finds only what it calls.
"""

import builtins
import functools
import threading
from collections.abc import Callable
from typing import Any, ClassVar

from flink_masking.kernels import baseline

_lock = threading.RLock()
_numba: Any = None
_prepare: list[Callable[[], None]] = []


def numba() -> Any:
    """The package numba, imported so that it compiles for the baseline, also inside a PyFlink worker.

    PyFlink's worker replaces ``builtins.print`` by a bound method, which numba's import refuses.
    """
    global _numba
    with _lock:
        if _numba is None:
            reason = baseline.choose()
            before = builtins.print
            builtins.print = getattr(getattr(before, "__self__", None), "_print", before)
            try:
                import numba as imported
                from numba.core import typeinfer  # noqa: F401 (an attribute of the package from here on)
            finally:
                builtins.print = before
            from flink_masking.kernels.cache import COMPILED

            COMPILED.reason = reason
            _numba = imported
            for prepare in _prepare:
                prepare()
    return _numba


def with_numba(prepare: Callable[[], None]) -> None:
    """Have something done before the first kernel is looked up."""
    with _lock:
        _prepare.append(prepare)
        if _numba is not None:
            prepare()


class Type:
    """A numba type, or what makes one, that is not made yet: calls and subscripts are remembered."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Remember how to make it."""
        self._make = make

    def __call__(self, *args: Any, **options: Any) -> "Type":
        """Remember a call, such as that of a result's type with the types of arguments, which is a signature."""
        return Type(lambda: self._make()(*made(args), **made(options)))

    def __getitem__(self, key: Any) -> "Type":
        return Type(lambda: self._make()[key])

    @property
    def _numba_type_(self) -> Any:
        """What numba takes it for where compiled code names it, as in ``I64(x)`` and ``types.uint64(0)``."""
        return numba().core.registry.cpu_target.typing_context.resolve_value_type(self._make())


class Types(Type):
    """``numba.types``, whose attributes are not looked up yet."""

    def __getattr__(self, name: str) -> "Type":
        if name.startswith("_"):
            raise AttributeError(name)
        return Type(lambda: getattr(self._make(), name))


def made(value: Any) -> Any:
    """A value with the types in it made; lists, tuples and dictionaries are looked into."""
    if isinstance(value, Type):
        return value._make()
    if isinstance(value, list | tuple):
        return type(value)(map(made, value))
    return {name: made(of) for name, of in value.items()} if isinstance(value, dict) else value


class Kernel:
    """A function that numba compiles, or finds compiled, when it is first called."""

    declared: ClassVar[list["Kernel"]] = []
    """All that this process has imported."""

    def __init__(self, function: Callable[..., Any], signatures: list[Any] | None, options: dict[str, Any]) -> None:
        """Remember how to make it.

        Args:
            function: in the part of Python that numba compiles.
            signatures: all that it is called with from Python; None where only other kernels call it.
            options: of ``numba.njit``.
        """
        functools.update_wrapper(self, function)
        self.py_func, self.signatures, self._options = function, signatures, options
        self._begun: Any = None
        self._done: Any = None
        self.declared.append(self)

    def __call__(self, *args: Any) -> Any:
        """Run the kernel."""
        return (self._done or self.dispatcher)(*args)

    @property
    def dispatcher(self) -> Any:
        """numba's object for the function, compiled for all of its signatures."""
        if self._done is None:
            at = numba()
            from numba.core.compiler_lock import global_compiler_lock

            with global_compiler_lock:  # numba's own, because its compiler asks for kernels while it holds it
                if self._begun is not None:
                    return self._begun
                self._begun = at.njit(**self._options)(self.py_func)
                if not at.config.DISABLE_JIT:
                    self._compile(at.core.typeinfer)
                self._done = self._begun
        return self._done

    def _compile(self, typeinfer: Any) -> None:
        from flink_masking.kernels.cache import KernelCache

        self._begun._cache = KernelCache(self.py_func, self.signatures is not None)
        if self.signatures is not None:
            with typeinfer.register_dispatcher(self._begun):
                for signature in made(self.signatures):
                    self._begun.compile(signature)
            self._begun.disable_compile()

    @property
    def _numba_type_(self) -> Any:
        """What numba takes it for where compiled code calls it."""
        return numba().types.Dispatcher(self.dispatcher)


class Intrinsic:
    """A building block in LLVM's language, made known to numba when the first kernel that uses it is compiled."""

    def __init__(self, define: Callable[..., Any]) -> None:
        """Remember it.

        Args:
            define: as ``numba.extending.intrinsic`` takes it; the signature that it returns may be made of `Type`.
        """
        functools.update_wrapper(self, define)  # type: ignore[arg-type]
        self._define = define

    @functools.cached_property
    def _numba_type_(self) -> Any:
        """What numba takes it for where compiled code calls it."""
        at = numba()
        define = self._define

        @functools.wraps(define)
        def resolved(*args: Any) -> Any:
            found = define(*args)
            return found and made(found)

        from numba.extending import intrinsic

        self._kept = intrinsic(resolved)
        context = at.core.registry.cpu_target.typing_context
        context.refresh()  # takes in what has been declared since
        return context.resolve_value_type(self._kept)
