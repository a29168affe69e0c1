"""Finds personal and secret data in text by patterns, check digits, key names, lists and rules; see ``flink_masking/docs/detection.md``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flink_masking.detect.catalogue import ROWS as TYPES
    from flink_masking.detect.catalogue import type_named
    from flink_masking.detect.columns import Column, ColumnStatistics
    from flink_masking.detect.detectors import Detectors
    from flink_masking.detect.findings import Findings
    from flink_masking.detect.reasons import Reason
    from flink_masking.detect.records import Paths, ValueKind, Values

__all__ = ["TYPES", "Column", "ColumnStatistics", "Detectors", "Findings", "Paths", "Reason", "ValueKind", "Values", "type_named"]

_PLACES = {"Column": "columns", "ColumnStatistics": "columns", "Detectors": "detectors", "Findings": "findings", "Paths": "records",
           "Reason": "reasons", "TYPES": "catalogue", "ValueKind": "records", "Values": "records", "type_named": "catalogue"}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: who only reads the catalogue needs no automaton and no kernel."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_PLACES[name]}")
    found = globals()[name] = module.ROWS if name == "TYPES" else getattr(module, name)
    return found
