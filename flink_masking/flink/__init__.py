"""Flink functions and jobs of the library; with flink_masking.kafka, the only modules that import pyflink."""
