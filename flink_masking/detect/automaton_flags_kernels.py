"""Flags that the automaton's tables and its kernel share."""

AFTER = 1
"""The match must end where a word begins or ends."""
LONGEST = 2
"""Of the matches that begin in one place only the longest is a candidate."""
ATOMIC = 4
"""Nothing is looked for inside a match."""
TOLD = 8
"""Without a word or a key that says its type, a match is of less than the lowest confidence."""
ACCEPTS, MAY_ACCEPT = 1 << 31, 1 << 30
"""Bits of a move: the next state ends a pattern; it ends patterns of which all are `TOLD`."""
SHIFT = 7
"""A row of the automaton's table has room for 2^SHIFT classes of bytes."""
