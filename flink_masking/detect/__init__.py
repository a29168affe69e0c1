"""Finds personal and secret data in text by patterns, check digits, key names, lists and rules; see ``flink_masking/docs/detection.md``."""

from flink_masking.detect.catalogue import ROWS as TYPES
from flink_masking.detect.columns import Column, ColumnStatistics
from flink_masking.detect.detectors import Detectors, type_named
from flink_masking.detect.findings import Findings
from flink_masking.detect.reasons import Reason
from flink_masking.detect.records import Paths, ValueKind, Values

__all__ = ["TYPES", "Column", "ColumnStatistics", "Detectors", "Findings", "Paths", "Reason", "ValueKind", "Values", "type_named"]
