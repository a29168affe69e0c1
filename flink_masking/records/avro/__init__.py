"""Avro records: raw datums, in the framing of a registry or in none."""
