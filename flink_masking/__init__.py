"""Protects personal data in streams: one policy, compiled once, applied to whole batches, with or without Flink.

What `__all__` names is stable: below 1.0 a minor release may change it and says so in CHANGELOG.md, a patch release does not. All else
is private by convention. Importing the package loads nothing else and starts nothing; each name is loaded when it is first asked for, and
those of jobs bring PyFlink with them.

    >>> import flink_masking
    >>> issubclass(flink_masking.PolicyFaults, flink_masking.FlinkMaskingError)
    True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flink_masking.documents.faults import Fault, PolicyFaults
    from flink_masking.errors import (
        ControlError,
        ControlUnavailableError,
        DecryptionError,
        FlinkMaskingError,
        InputError,
        JobError,
        KeyRingError,
        KeyRingUnavailableError,
        LogUnavailableError,
        PolicyError,
        RegistryError,
        RegistryUnavailableError,
        SchemaRefusedError,
        VaultError,
        VaultUnavailableError,
    )
    from flink_masking.flink.embed import Columns, protect_stream, protect_table
    from flink_masking.flink.environment import stream_environment
    from flink_masking.flink.launch import launch
    from flink_masking.flink.views import Views
    from flink_masking.frames.protected import FrameResult
    from flink_masking.keys.providers import open_ring as open_keys
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.load import LoadedPolicy, load_policy
    from flink_masking.policy.model import Policy
    from flink_masking.protector import Protector, Result
    from flink_masking.tools.unmasker import Unmasker

__version__ = "0.2.0"

__all__ = [
    "Columns",
    "ControlError",
    "ControlUnavailableError",
    "DecryptionError",
    "Fault",
    "FlinkMaskingError",
    "FrameResult",
    "InputError",
    "JobError",
    "KeyRing",
    "KeyRingError",
    "KeyRingUnavailableError",
    "LoadedPolicy",
    "LogUnavailableError",
    "Policy",
    "PolicyError",
    "PolicyFaults",
    "Protector",
    "RegistryError",
    "RegistryUnavailableError",
    "Result",
    "SchemaRefusedError",
    "Unmasker",
    "VaultError",
    "VaultUnavailableError",
    "Views",
    "__version__",
    "launch",
    "load_policy",
    "open_keys",
    "protect_stream",
    "protect_table",
    "stream_environment",
]

_PLACES = {
    "errors": ("ControlError", "ControlUnavailableError", "DecryptionError", "FlinkMaskingError", "InputError", "JobError", "KeyRingError",
               "KeyRingUnavailableError", "LogUnavailableError", "PolicyError",
               "RegistryError", "RegistryUnavailableError", "SchemaRefusedError", "VaultError", "VaultUnavailableError"),
    "flink.embed": ("Columns", "protect_stream", "protect_table"),
    "flink.environment": ("stream_environment",),
    "flink.launch": ("launch",),
    "flink.views": ("Views",),
    "frames.protected": ("FrameResult",),
    "keys.providers": ("open_keys",),
    "keys.ring": ("KeyRing",),
    "documents.faults": ("Fault", "PolicyFaults"),
    "policy.load": ("LoadedPolicy", "load_policy"),
    "policy.model": ("Policy",),
    "protector": ("Protector", "Result"),
    "tools.unmasker": ("Unmasker",),
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that importing the package costs nothing."""
    place = next((place for place, names in _PLACES.items() if name in names), None)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{place}"), name)
    return found


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return __all__
