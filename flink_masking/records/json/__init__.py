"""JSON records."""

from flink_masking.records.json.codec import JSON, JsonCodec, scan

__all__ = ["JSON", "JsonCodec", "scan"]
