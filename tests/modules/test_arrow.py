"""Arrow arrays: what pyarrow does wrong with slices is not used."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.arrow import nulled, replaced

SOURCES = [path for folder in ("flink_masking", "jobs", "udfs") for path in sorted((Path(__file__).parents[2] / folder).rglob("*.py"))]
VALUES = st.lists(st.tuples(st.none() | st.binary(max_size=5), st.booleans()), max_size=70)


@pytest.mark.parametrize("type_", [pa.binary(), pa.large_binary()])
@given(values=VALUES, before=st.integers(0, 9), instead=st.none() | st.binary(max_size=3))
def test_some_values_are_replaced_and_the_others_stay(type_, values, before, instead):
    """Slices that begin anywhere keep every value that is not replaced, whatever it is replaced by."""
    array = pa.array([b"xyz"] * before + [value for value, _ in values], type_)[before:]
    where = np.array([chosen for _, chosen in values], bool)
    assert replaced(array, where, instead).to_pylist() == [instead if chosen else value for value, chosen in values]
    assert nulled(array, where).to_pylist() == [None if chosen else value for value, chosen in values]


def test_nobody_gives_if_else_a_null():
    """``if_else`` with a null scalar mixes up the bytes of slices, so nothing in the library calls it with one."""
    calls = re.compile(r"if_else\([^\n]*(scalar\(None|, None\))")
    assert [path.name for path in SOURCES if calls.search(path.read_text())] == []
