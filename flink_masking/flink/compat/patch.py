"""What a change to PyFlink, Beam or pyarrow is, how it is checked before it is made, and the report of those that could not be made."""

import hashlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flink_masking.flink.compat.releases import unknown_release

_log = logging.getLogger("flink_masking.compat")
_lock = threading.Lock()
_outcomes: dict[str, str | None] = {}
"""For each patch that this process has asked for: why it could not be applied, or None where it was."""


class Mismatch(Exception):
    """What is installed is not what a patch was written for."""


@dataclass(frozen=True)
class Patch:
    """A change to a library, for which that library has no setting.

    Attributes:
        name: in the log, in tests and in the documentation.
        without: what a job loses without it, for the log; never correctness.
        install: checks what it replaces, then replaces it; raises `Mismatch` with nothing changed. May be called again.
    """

    name: str
    without: str
    install: Callable[[], None]


@dataclass(frozen=True)
class Report:
    """What became of the patches that this process has asked for.

    Attributes:
        applied: their names.
        missing: names of those that could not be applied, and why.
    """

    applied: tuple[str, ...]
    missing: Mapping[str, str]


def apply(patches: Iterable[Patch]) -> Report:
    """Apply patches to this process; each is tried once. One that does not fit is logged, and the library works without it.

    On a release of PyFlink, Beam or pyarrow that is not known, none is applied.

    Returns:
        The report on these and all that were asked for before.
    """
    with _lock:
        for patch in patches:
            if patch.name not in _outcomes:
                _outcomes[patch.name] = reason = _try(patch)
                if reason is not None:
                    _log.warning("patch %s was not applied: %s. Without it, %s", patch.name, reason, patch.without)
    return report()


def report() -> Report:
    """The report on all patches that this process has asked for."""
    return Report(tuple(name for name, reason in _outcomes.items() if reason is None),
                  {name: reason for name, reason in _outcomes.items() if reason is not None})


def applied(patch: Patch) -> bool:
    """Whether a patch is in force in this process."""
    return _outcomes.get(patch.name, "not asked for") is None


def revoke(patch: Patch, reason: str) -> None:
    """Note that a patch that was applied has turned out to have no effect."""
    with _lock:
        if _outcomes.get(patch.name) is None:
            _outcomes[patch.name] = reason
            _log.warning("patch %s has no effect: %s. Without it, %s", patch.name, reason, patch.without)


def _try(patch: Patch) -> str | None:
    if (reason := unknown_release()) is not None:
        return reason
    try:
        patch.install()
    except Mismatch as error:
        return str(error)
    except Exception as error:  # a class or attribute that is not there any more, among others
        return f"{type(error).__name__}: {error}"
    return None


def require_source(function: Any, digest: str) -> None:
    """Check that a function, method or class of a library reads as it did when a patch was written.

    Args:
        function: as the library defines it.
        digest: of its source, as `source_digest` gives it.

    Raises:
        Mismatch: it reads otherwise, or its source is not there.
    """
    name = f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', type(function).__name__)}"
    try:
        found = source_digest(function)
    except (OSError, TypeError):
        raise Mismatch(f"the source of {name} cannot be read") from None
    if found != digest:
        raise Mismatch(f"{name} is not the one that the patch was written for")


def source_digest(function: Any) -> str:
    """SHA-256 of a function's or class's source, the first 16 of its hexadecimal digits."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]
