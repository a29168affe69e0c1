"""Reads Flink's REST endpoint: progress and health of a running job, without Java."""
