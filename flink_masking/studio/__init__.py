"""A page on this machine for writing a policy beside its results on a sample; see ``flink_masking/docs/studio.md``."""
