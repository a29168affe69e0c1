"""Flink adapters: the only modules of the library that import pyflink."""
