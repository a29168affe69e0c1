"""Raw-key primitives: bytes and arrays in, bytes and arrays out. For managed keys see `flink_masking.keys`."""
