"""Flags that the automaton's tables and its kernel share."""

AFTER = 1
"""The match must end where a word begins or ends."""
LONGEST = 2
"""Of the matches that begin in one place only the longest is a candidate."""
ATOMIC = 4
"""Nothing is looked for inside a match."""
TOLD = 8
"""Without a word or a key that says its type, a match is of less than the lowest confidence."""
WIDTH = 96
"""Classes of bytes that a row of the automaton's table has room for."""
GROUP = 16
"""Classes that stand together in the table that the scan reads: first those 16 of every state, then the next 16."""
