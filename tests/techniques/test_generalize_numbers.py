"""generalize: number ranges and rounding, against exact fractions."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts
from flink_masking.techniques.generalize import TECHNIQUE

REFUSED = "(refused)"
NUMBERS = (
    st.decimals(-10_000, 10_000, places=3).map(str) | st.integers(-10_000, 10_000).map(str) | st.sampled_from(["1e3", "2.50E1", "-0.0"])
)
STEPS = st.sampled_from([1, 5, 10, 7, 0.5, 0.25, 0.05, 2.5, 100])


@pytest.mark.parametrize(
    ("params", "domain", "value", "expected"),
    [
        ({"width": 10}, None, "25", "20-29"),
        ({"width": 10}, None, "20", "20-29"),
        ({"width": 10}, None, "2.9e1", "20-29"),
        ({"width": 10}, None, "29.999", "[20, 30)"),
        ({"width": 10}, None, "25.0", "20-29"),
        ({"width": 10}, None, "-1", "[-10, -1]"),
        ({"width": 10}, None, "-10.5", "[-20, -10)"),
        ({"width": 10, "origin": 5}, None, "25", "25-34"),
        ({"width": 10, "origin": -5}, None, "0", "[-5, 4]"),
        ({"width": 0.5}, None, "7", "[7.0, 7.5)"),
        ({"width": 10, "origin": 0.5}, None, "0", "[-9.5, 0.5)"),
        ({"width": 1}, None, "25", "25"),
        ({"width": 10}, (0, 120), "119", "110-119"),
        ({"width": 50}, (18, 120), "18", "18-49"),
        ({"width": 50}, (18, 120), "120", "100-120"),
        ({"width": 50}, (18, 120), "119.5", "[100, 120]"),
        ({"width": 50}, (18, 120), "17", REFUSED),
        ({"width": 50}, (18, 120), "120.0001", REFUSED),
        ({"width": 50}, (18, 120), "17.9999999999999999999", REFUSED),
        ({"width": 5}, (-10, 10), "7", "[5, 9]"),
        ({"width": 10}, None, "1e30", REFUSED),
    ],
)
def test_range_examples(run, params, domain, value, expected):
    """Ranges are closed for integers, half open else, bracketed below zero, and cut at the ends of the domain."""
    assert [expected] == run(TECHNIQUE, params, [value], Kind.NUMBER, FieldFacts("age", domain=domain))


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=8), STEPS, st.sampled_from([0, 3, -0.25]))
def test_the_value_lies_in_its_range(run, texts, width, origin):
    """Every number lies in its range, whose lower end is a whole number of steps from the origin."""
    for text, result in zip(texts, run(TECHNIQUE, {"width": width, "origin": origin}, texts, Kind.NUMBER), strict=True):
        ends = [Fraction(end) for end in re.findall(r"(?:(?<![0-9])-)?[0-9.]+", result)]
        value, step = Fraction(text), Fraction(str(width))
        assert ends[0] <= value <= ends[-1] and (value < ends[-1] or not result.endswith(")"))
        assert (ends[0] - Fraction(str(origin))) % step == 0
        assert ends[-1] - ends[0] == (step if result.endswith(")") else step - 1)


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=8), STEPS)
def test_rounds_half_to_even(run, texts, step):
    """Rounding gives the exact nearest multiple, the even one of two, as JSON number text without float artefacts."""
    size = Fraction(str(step))
    places = -min(0, Decimal(str(step)).normalize().as_tuple().exponent)
    expected = [f"{Decimal(round(Fraction(text) / size)) * Decimal(str(step)):.{places}f}" for text in texts]
    assert [(text if Decimal(text) else f"{0:.{places}f}").encode() for text in expected] == run(
        TECHNIQUE, {"round_to": step}, texts, Kind.NUMBER
    )


@pytest.mark.parametrize(
    ("step", "value", "expected"),
    [
        (5, "2.5", b"0"),
        (5, "7.5", b"10"),
        (5, "2.5000000000000000000001", b"5"),
        (10, "-35", b"-40"),
        (0.05, "299.99", b"300.00"),
        (0.1, "1e-30", b"0.0"),
        (10, "1e30", REFUSED),
    ],
)
def test_round_examples(run, step, value, expected):
    """Ties go to the even multiple, the least bit beyond a tie decides, and numbers out of reach are refused."""
    assert [expected] == run(TECHNIQUE, {"round_to": step}, [value], Kind.NUMBER)


@pytest.mark.parametrize("params", [{"width": 10}, {"round_to": 10}])
def test_only_numbers(run, params):
    """Text is refused even where it looks like a number; null stays null and the empty text stays empty."""
    result = run(TECHNIQUE, params, ["25", None, ""])
    assert [REFUSED, None] == result[:2]
    assert result[2] in ("", b'""')
    assert [REFUSED] == run(TECHNIQUE, params, ["true"], Kind.TRUE)


@pytest.mark.parametrize("domain", [("2020-01-01", "2024-12-31"), (float("nan"), 1), (0, 1e300), (0.00000000001, 1), (True, False)])
def test_domain_must_be_of_numbers(run, domain):
    """A domain that ranges cannot be cut at is a fault of the policy, told with the field's path."""
    with pytest.raises(PolicyError, match="age"):
        run(TECHNIQUE, {"width": 10}, ["1"], Kind.NUMBER, FieldFacts("age", domain=domain))
