"""Records as spans in their own bytes: scanned once, handed out as columns, spliced into one output a segment."""
