"""Metrics of a running job: their definitions, and updates from the counts of a batch."""
