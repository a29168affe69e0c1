"""Policies to start from; each is checked by the tests."""

from pathlib import Path

CUSTOMER_EVENTS = Path(__file__).with_name("customer_events.yaml")
"""What `flink-masking demo` runs."""
