"""Which declared name an undeclared key resembles, so that the name can be told and the key not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.records.near import NearNames

NAMES = ["email", "customerId", "zip", "id", "e_mail_2", "birthDate"]


@pytest.mark.parametrize(("key", "name"), [
    ("emial", "email"), ("emil", "email"), ("emails", "email"), ("amail", "email"), ("EMAIL", "email"), ("e-mail", "email"),
    ("customer_id", "customerId"), ("CustomerID", "customerId"), ("customerIds", "customerId"), ("ZIP", "zip"), ("_id", "id"),
    ("birthdate", "birthDate"), ("birth_dat", "birthDate"),
    ("zap", None), ("is", None), ("john", None), ("mail@x.org", None), ("emmaill", None), ("", None), ("email" * 40, None),
])  # fmt: skip
def test_slips_are_resemblances_and_names_are_not(key, name):
    """Case, _ and -, or one character in a name of four or more; nothing further away, and no long key."""
    assert NearNames(NAMES).of(key) == name


@given(st.text(max_size=20), st.lists(st.text(min_size=1, max_size=12), max_size=8))
def test_only_declared_names_are_told(key, names):
    """Whatever the key, what is told is a declared name or nothing; a declared name is always found."""
    near = NearNames(names)
    assert near.of(key) in (None, *names)
    assert all(near.of(name) is not None for name in names)
