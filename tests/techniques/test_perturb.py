"""perturb: noise that keeps its bound to the last decimal."""

import json
import math
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.perturb import TECHNIQUE, PerturbParams, warnings
from flink_masking.techniques.perturb.kernels import fraction_of
from flink_masking.techniques.perturb.mask import output_domain

RING = KeyRing.new()


def run(texts, kinds=None, seed=bytes(32), keys=RING, path="amount", bounds=None, **params):
    """Results as text (None where null, "" where refused) and the refusals."""
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    n = len(column)
    kinds = [Kind.NUMBER] * n if kinds is None else kinds
    rule_context = RuleContext(FieldFacts(path, domain=bounds), keys, read=str)
    mask = TECHNIQUE.make(PerturbParams(**params), rule_context)
    masked = mask(Values(column, np.array(kinds, np.int32), np.arange(n, dtype=np.int32)), Context(seed))
    masked.values.validate(full=True)
    assert masked.values.type == pa.binary()
    refused = [False] * n if masked.refused is None else masked.refused.tolist()
    return [None if value is None else value.decode() for value in masked.values.to_pylist()], refused


NUMBERS = st.one_of(
    st.decimals(-10**9, 10**9, places=3).map(str), st.integers(-10**12, 10**12).map(str), st.floats(-1e6, 1e6).map(json.dumps),
    st.builds("{}.{}e{}".format, st.integers(-99, 99), st.integers(0, 999), st.integers(-4, 4)),
)


@given(st.lists(NUMBERS, max_size=10), st.sampled_from([0.05, 0.5, 1e-9, 0.333, 0.999999999]), st.binary(min_size=32, max_size=32))
def test_relative_bound_holds_exactly(texts, relative, seed):
    """No result is farther away than the bound, in exact arithmetic, and each has the decimals of its own text."""
    values, refused = run(texts, relative=relative, seed=seed)
    for text, value, out in zip(texts, values, refused, strict=True):
        if out:
            assert re.search(r"e-", text), "only texts with more than eighteen decimals are refused here"
            continue
        assert abs(Fraction(value) - Fraction(text)) <= abs(Fraction(text)) * Fraction(repr(relative))
        assert json.loads(value) is not None
        assert -Decimal(value).as_tuple().exponent == max(0, -Decimal(text).as_tuple().exponent)


@given(st.lists(NUMBERS, max_size=10), st.sampled_from([10, 0.25, 1e-9, 123.456, 1e6]), st.integers(0, 6))
def test_absolute_bound_holds_exactly(texts, absolute, scale):
    """No result is farther away than the bound; where no number of that scale lies within it, the nearest one comes out."""
    values, refused = run(texts, absolute=absolute, scale=scale)
    for text, value, out in zip(texts, values, refused, strict=True):
        if out:
            continue
        distance, unit, bound = abs(Fraction(value) - Fraction(text)), Fraction(1, 10**scale), Fraction(repr(absolute))
        low, high = math.ceil((Fraction(text) - bound) / unit), math.floor((Fraction(text) + bound) / unit)
        assert distance <= (bound if low <= high else unit / 2)
        assert len(value.partition(".")[2]) == scale


@pytest.mark.parametrize(("text", "params", "expected"), [
    ("10", {"absolute": 2}, {"8", "9", "10", "11", "12"}), ("0", {"absolute": 1}, {"-1", "0", "1"}), ("-1.5", {"absolute": 0.1}, {"-1.6",
    "-1.5", "-1.4"}),
    ("12.5", {"relative": 0.05, "scale": 0}, {"12", "13"}), ("1e2", {"relative": 0.01}, {"99", "100", "101"}),
    ("5e-1", {"absolute": 0.1}, {"0.4", "0.5", "0.6"}),
    ("0.00", {"relative": 0.5}, {"0.00"}), ("-0", {"relative": 0.5}, {"0"}), ("3", {"relative": 0.05}, {"3"}),
    ("5.26", {"absolute": 0.1, "scale": 0}, {"5"}),
    ("0.000123", {"relative": 0.05, "scale": 2}, {"0.00"}), ("0.05", {"absolute": 0.05}, {f"0.{i:02}" for i in range(11)}),
    ("7", {"absolute": 0.1, "scale": 1}, {"6.9", "7.0", "7.1"}),
])
def test_all_and_only_the_numbers_within_the_bound(text, params, expected):
    """Every number of the scale within the bound comes out, and no other, not even beside zero."""
    assert set(run([text] * 400, **params)[0]) == expected


def test_uniform():
    """Each number within the bound is equally likely, the ends included."""
    values, _ = run(["100"] * 30_000, absolute=2)
    counts = [values.count(str(v)) for v in range(98, 103)]
    assert sum(counts) == 30_000
    assert all(5_700 < count < 6_300 for count in counts)


@given(st.integers(0, (1 << 64) - 1), st.integers(1, 1 << 62))
def test_fraction_is_the_high_half_of_the_product(word, width):
    """A draw is word × width / 2^64, as Python's integers have it."""
    assert fraction_of(np.uint64(word), np.uint64(width)) == word * width >> 64


def test_stays_inside_the_domain():
    """Results stay inside the field's domain; what is farther outside than the bound reaches is refused."""
    values, refused = run(["0.50", "119.90"] * 200, absolute=1, bounds=(0, 120))
    assert not any(refused)
    assert min(map(float, values)) < 0.1
    assert max(map(float, values)) > 119.9
    assert all(0 <= float(value) <= 120 for value in values)
    assert run(["121.5", "-3", "120.5"], absolute=1, bounds=(0, 120))[1] == [True, True, False]
    assert set(run(["0.2"] * 100, absolute=0.2, bounds=(0.15, 0.31))[0]) == {"0.2", "0.3"}


@pytest.mark.parametrize("text", [
    "NaN", "Infinity", "-", "", "1.", ".5", "01", "+1", "1e", "0x10", "1,5", "1e999", "1e-999", "1e99999999999999999999",
    "1.0000000000000000001",
    "9999999999999999999", "1" * 500, "1e18.5", "é",
])
def test_what_is_no_usable_number_is_refused(text):
    """Texts that are no JSON numbers, too many digits or decimals and huge exponents are refused, and write nothing."""
    assert run([text, "5"], absolute=1)[1] == [True, False]
    assert run([text], absolute=1)[0] == [""]


def test_other_kinds_are_refused():
    """A text that looks like a number is no number; null stays null."""
    values, refused = run(["5", "true", None, "5"], [Kind.STRING, Kind.TRUE, Kind.NULL, Kind.NUMBER], absolute=1)
    assert refused == [True, True, False, False]
    assert (values[0], values[1], values[2]) == ("", "", None)


def test_random_mode():
    """Random noise follows the batch's seed and the field, not the value."""
    texts = ["100.00"] * 100
    first = run(texts, relative=0.5)[0]
    assert run(texts, relative=0.5)[0] == first
    assert len(set(first)) > 90
    assert run(texts, relative=0.5, seed=b"x" * 32)[0] != first
    assert run(texts, relative=0.5, path="other")[0] != first


def test_keyed_mode():
    """Keyed noise follows the value, the domain and the key, whatever the batch, the field and the rows around it."""
    column = pa.array(["100.00", None, "200", "1e3", "100.00", "x"] * 5)
    keyed = {"relative": 0.5, "mode": "keyed"}
    first = run(column, **keyed)
    assert first[0][0] == first[0][4]
    assert run(column, seed=b"x" * 32, path="other", **keyed) == first
    pieces = [run(column[i:i + 7], **keyed) for i in range(0, 30, 7)]
    assert ([v for p in pieces for v in p[0]], [r for p in pieces for r in p[1]]) == first
    assert run(column, domain="x", **keyed) != first
    assert run(column, keys=KeyRing.new(), **keyed) != first


@pytest.mark.parametrize("params", [
    {}, {"relative": 0.1, "absolute": 1}, {"relative": 0}, {"relative": 1}, {"relative": -0.1}, {"relative": 1e-10}, {"absolute": 0},
    {"absolute": -1},
    {"absolute": float("inf")}, {"relative": float("nan")}, {"absolute": 1, "scale": -1}, {"absolute": 1, "scale": 19},
    {"absolute": 1, "mode": "other"},
    {"absolute": 1, "domain": "d"}, {"absolute": 1, "mode": "keyed", "domain": ""},
])
def test_wrong_parameters(params):
    """No bound or two, bounds out of range, scales beyond 18 and a domain that would do nothing are refused."""
    with pytest.raises(ValidationError):
        PerturbParams(**params)


@pytest.mark.parametrize("bounds", [("2020-01-01", "2024-01-01"), (0, "x"), (float("nan"), 1), (None, 1)])
def test_domain_of_something_else(bounds):
    """A field whose domain is not of numbers is told when the policy is compiled."""
    with pytest.raises(PolicyError, match=r"domain is of something else.*Hint"):
        run([], absolute=1, bounds=bounds)


def test_warnings():
    """A scale so coarse that common numbers get no noise is warned of; fine ones are not."""
    assert warnings(PerturbParams(relative=0.05, scale=2)) == []
    assert warnings(PerturbParams(absolute=1)) == []
    assert warnings(PerturbParams(absolute=1, scale=0)) == []
    (text,) = warnings(PerturbParams(relative=0.05, scale=0))
    assert "numbers below 20 " in text
    assert "all numbers" in warnings(PerturbParams(absolute=0.5, scale=0))[0]


def test_output_domain():
    """The output domain has JSON numbers of the scale, and nothing else."""
    for example in TECHNIQUE.examples:
        domain = output_domain(PerturbParams(**example))
        assert all(domain.contains(value) for value in run(["1.50", "-200.25"], **example)[0])
        assert not any(domain.contains(text) for text in ("", "x", "01", "1e5", "1.", "NaN"))
    assert not output_domain(PerturbParams(absolute=1, scale=2)).contains("1.5")
