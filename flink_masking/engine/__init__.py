"""Compiles policy and keys to a plan and protects batches of records. Pure: no Flink, no I/O."""
