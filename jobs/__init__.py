"""Job definitions: they parse options, build tables, wire and execute; the logic is in the library."""
