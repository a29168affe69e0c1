"""Rows of a view's own: there are none, since views of texts are masked ones; written as JSON objects all the same."""

from flink_masking.records.codec import rows_for

ROWS = rows_for("text")
