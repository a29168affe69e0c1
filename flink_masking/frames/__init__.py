"""pandas and polars frames, and Arrow tables, as batches of records and back; neither library is imported before a frame of it comes."""
