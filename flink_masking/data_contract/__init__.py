"""Data contracts of streams: fields and tags from schemas, lock files and their differences, contracts of views.

What is checked of single values is `flink_masking.contract`.
"""
