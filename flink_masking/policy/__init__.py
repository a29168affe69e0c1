"""Policies: the grammar, loading, checks, and what is compiled of them for the engine."""
