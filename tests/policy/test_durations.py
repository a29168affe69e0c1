"""Durations of policies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.policy.durations import UNITS, milliseconds


@given(st.integers(0, 999_999_999), st.sampled_from(sorted(UNITS)))
def test_a_number_and_a_unit(number, unit):
    """A duration is its number times its unit, in milliseconds."""
    sizes = {"ms": 1, "s": 1000, "min": 60 * 1000, "h": 3600 * 1000, "d": 24 * 3600 * 1000}
    assert milliseconds(f"{number}{unit}") == number * sizes[unit]


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "-5s", "1.5h", "05s", "5S", "5m", "9999999999s", "5s\n", 5, None, ["5s"]])
def test_nothing_else_is_a_duration(text):
    """Anything but a whole number with a known unit is refused, and the text says how to write it."""
    with pytest.raises(ValueError, match="Hint"):
        milliseconds(text)
