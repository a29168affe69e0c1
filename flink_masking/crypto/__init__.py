"""Raw-key primitives: bytes and arrays in, bytes and arrays out. For keys that are looked after, see `flink_masking.keys`."""
