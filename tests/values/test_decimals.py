"""Fixed-point numbers against Python's decimal module."""

import decimal
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.values.decimals import BAD, EXACT, INEXACT, format_fixed, parse_fixed, parse_floor

EXACTLY = decimal.Context(prec=2000, Emax=10**6, Emin=-(10**6))
JSON_NUMBER = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
HALVES = st.builds(lambda a, b, c: f"{a}.{b:02d}5{'0' * c}", st.integers(-99, 99), st.integers(0, 99), st.integers(0, 3))
SCALES = st.integers(0, 18)


def expected(text: str, scale: int, rounding: str) -> tuple[int, int]:
    """Units and status by the decimal module."""
    exact = EXACTLY.scaleb(Decimal(text), scale)
    whole = exact.to_integral_value(rounding, EXACTLY)
    units = int(whole)
    return (units, EXACT if whole == exact else INEXACT) if -(2**63) <= units < 2**63 else (0, BAD)


@settings(deadline=None, max_examples=150)
@given(st.lists(JSON_NUMBER | HALVES, min_size=1, max_size=10), SCALES)
def test_parses_as_decimal_does(texts, scale):
    """Every JSON number comes out as the decimal module rounds it, half to even and down, or as out of range."""
    for parse, rounding in ((parse_fixed, decimal.ROUND_HALF_EVEN), (parse_floor, decimal.ROUND_FLOOR)):
        units, status = parse(pa.array(texts), scale)
        assert [expected(t, scale, rounding) for t in texts] == list(zip(units.tolist(), status.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "units", "status"),
    [
        ("15e0", 1500, EXACT),
        ("1.5E-3", 0, INEXACT),
        ("1e999", 0, BAD),
        ("1e-999", 0, INEXACT),
        ("0e99999999999999999999", 0, EXACT),
        ("-0", 0, EXACT),
        ("0.005", 0, INEXACT),
        ("0.015", 2, INEXACT),
        ("0.0050000000000000000000001", 1, INEXACT),
        ("-0.025", -2, INEXACT),
        ("92233720368547758.07", 2**63 - 1, EXACT),
        ("92233720368547758.075", 0, BAD),
        ("-92233720368547758.08", -(2**63), EXACT),
        ("92233720368547758.08", 0, BAD),
        ("5e-20", 0, INEXACT),
        ("0." + "0" * 500, 0, EXACT),
        ("1" + "0" * 500 + "e-500", 100, EXACT),
    ],
)
def test_edges(text, units, status):
    """Ties, exponents and the ends of int64 come out as documented."""
    assert (units, status) == tuple(int(x[0]) for x in parse_fixed(pa.array([text]), 2))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1.e1",
        " 1",
        "1 ",
        "NaN",
        "Infinity",
        "1_0",
        "0x10",
        "1,5",
        "१",
        "--1",
        "1.2.3",
        "true",
    ],
)
def test_only_json_numbers(text):
    """Text that RFC 8259 does not call a number is refused."""
    assert parse_fixed(pa.array([text]), 2)[1].tolist() == [BAD]


def test_nulls_and_slices():
    """A null is BAD, and a slice of an array is read from its own offset."""
    array = pa.array(["9", "1", None, "2.5", "9"]).slice(1, 3)
    units, status = parse_fixed(array, 1)
    assert (units.tolist(), status.tolist()) == ([10, 0, 25], [EXACT, BAD, EXACT])


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1)), SCALES)
def test_formats_as_decimal_does(units, scale):
    """Formatted numbers are those of the decimal module, with exactly `scale` decimals, and read back as the same units."""
    text = format_fixed(np.array(units, np.int64), scale)
    assert [f"{EXACTLY.scaleb(Decimal(u), -scale):.{scale}f}" if u else f"{0:.{scale}f}" for u in units] == text.to_pylist()
    back, status = parse_fixed(text, scale)
    assert units == back.tolist() and not status.any()


def test_format_keeps_nulls():
    """Values marked invalid are null, and the array is well formed."""
    text = format_fixed(np.array([1, 2, 3]), 0, np.array([True, False, True]))
    text.validate(full=True)
    assert text.to_pylist() == ["1", None, "3"]


@pytest.mark.parametrize("scale", [-1, 19])
def test_scale_is_bounded(scale):
    """A scale whose units would not fit is refused."""
    with pytest.raises(ValueError, match="scale"):
        parse_fixed(pa.array(["1"]), scale)
    with pytest.raises(ValueError, match="scale"):
        format_fixed(np.zeros(1, np.int64), scale)
