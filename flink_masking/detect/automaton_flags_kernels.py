"""Flags that the automaton's tables and its kernel share."""

AFTER = 1
"""The match must end where a word begins or ends."""
