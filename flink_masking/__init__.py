"""Protects personal data in streams: one policy, compiled once, applied to whole batches, with or without Flink.

Importing the package is cheap and starts nothing; `Protector` is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flink_masking.protector import Protector

__version__ = "0.2.0"

__all__ = ["Protector", "__version__"]


def __getattr__(name: str) -> Any:
    """Load `Protector` on first use, so that importing the package costs nothing."""
    if name == "Protector":
        from flink_masking.protector import Protector

        globals()[name] = Protector
        return Protector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
