"""Flink functions and jobs of the library; with flink_masking.kafka, the only modules that import pyflink."""

from flink_masking.flink.logs import without_file_systems

without_file_systems()
