"""CSV records (RFC 4180)."""
