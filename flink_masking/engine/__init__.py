"""Policy and keys compiled to a plan; a batch of records in, every view of it out. Pure: no Flink, no I/O."""
