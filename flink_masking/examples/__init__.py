"""Policies to start from; each is checked by the tests."""
