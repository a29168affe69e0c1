"""The governance demonstration, ``flink-masking demo --governance``: its steps, and what they run on."""
