"""Synthetic customer events for trials, demonstrations and benchmarks."""

from flink_masking.generate.events import MOST_PEOPLE, SHAPES, write_events

__all__ = ["MOST_PEOPLE", "SHAPES", "write_events"]
