"""Quasi-identifiers as dimensions: what is in a domain, what a label covers, what it loses."""

import datetime
import re
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.anonymity.dimensions import DateDimension, Dimension, HierarchyDimension, NumberDimension, PrefixDimension
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import Kind

CITIES = Hierarchy(
    [("Boston", "MA", "East", "*"), ("Salem", "MA", "East", "*"), ("Albany", "NY", "East", "*"), ("Reno", "NV", "West", "*")], "cities")
DIMENSIONS: dict[str, Dimension] = {
    "integers": NumberDimension(0, 120),
    "negative": NumberDimension(-5, 10),
    "cents": NumberDimension("0.5", 500, 2),
    "wide": NumberDimension(-100_000, 100_000),
    "days": DateDimension("2023-12-30", "2024-03-01"),
    "centuries": DateDimension("1800-01-01", "2100-12-31"),
    "cities": HierarchyDimension(CITIES),
    "zip": PrefixDimension(5),
    "geohash": PrefixDimension(8),
}


def encode(dimension: Dimension, values: list[str | None], kind: Kind) -> tuple[list[int], list[bool]]:
    """Codes and acceptance of values of one kind."""
    codes, ok = dimension.encode(pa.array(values, pa.string()), np.full(len(values), kind, np.int32))
    assert codes.dtype == dimension.dtype
    return codes.tolist(), ok.tolist()


def some_values(name: str) -> st.SearchStrategy[tuple[str, Kind]]:
    """Values of a dimension's domain."""
    dimension = DIMENSIONS[name]
    if isinstance(dimension, NumberDimension):
        return st.integers(dimension.low, dimension.high).map(lambda units: (dimension.unit(units), Kind.NUMBER))
    if isinstance(dimension, DateDimension):
        return st.integers(dimension.low, dimension.high).map(lambda units: (dimension.unit(units), Kind.STRING))
    if isinstance(dimension, HierarchyDimension):
        return st.sampled_from(CITIES.leaves).map(lambda leaf: (leaf, Kind.STRING))
    characters = st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="*")
    return st.text(characters, max_size=DIMENSIONS[name].length).map(lambda text: (text, Kind.STRING))


def covers(name: str, label: str, value: str) -> bool:
    """Whether a label covers a value, read as people read it."""
    if label in ("*", value):
        return True
    dimension = DIMENSIONS[name]
    if isinstance(dimension, DateDimension):
        low, _, high = label.partition("/")
        return low <= value <= high
    if isinstance(dimension, HierarchyDimension):
        return any(label in path for path in CITIES.paths if path[0] == value)
    if isinstance(dimension, PrefixDimension):
        return len(label) == dimension.length and label.endswith("*") and value.startswith(label.rstrip("*"))
    low, high = re.fullmatch(r"\[(.*), (.*)\]|(.*)-(.*)", label).group(1, 2) if label[0] == "[" else label.split("-")
    return Decimal(low) <= Decimal(value) <= Decimal(high)


@pytest.mark.parametrize("name", DIMENSIONS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_label_covers_every_value_of_its_box(name: str, data: st.DataObject):
    """The label of the range from the lowest to the highest code covers every value that was coded, and what lies between."""
    dimension = DIMENSIONS[name]
    values = data.draw(st.lists(some_values(name), min_size=2, max_size=6))
    codes, ok = encode(dimension, [value for value, _ in values], values[0][1])
    assert all(ok)
    first, *_, last = sorted(codes)
    label = dimension.label(first, last)
    assert all(covers(name, label, value) for value, _ in values)


@pytest.mark.parametrize("name", [name for name in DIMENSIONS if name not in ("wide", "centuries")])
@settings(max_examples=40)
@given(data=st.data())
def test_a_single_value_is_its_own_label(name: str, data: st.DataObject):
    """Where a code stands for one value, the label of that code alone is the value."""
    value, kind = data.draw(some_values(name))
    [code], _ = encode(DIMENSIONS[name], [value], kind)
    assert value == DIMENSIONS[name].label(code, code)


@pytest.mark.parametrize("name", DIMENSIONS)
@settings(max_examples=40)
@given(data=st.data())
def test_loss_grows_with_the_box(name: str, data: st.DataObject):
    """A box inside another never loses more; losses lie between 0 and 1, and only the whole domain has the label *."""
    dimension = DIMENSIONS[name]
    values = data.draw(st.lists(some_values(name), min_size=4, max_size=4))
    codes, _ = encode(dimension, [value for value, _ in values], values[0][1])
    a, b, c, d = sorted(codes)
    assert 0 <= dimension.loss(b, b) <= dimension.loss(b, c) <= dimension.loss(a, d) <= 1
    assert (dimension.label(a, d) == "*") == (dimension.loss(a, d) == 1)


@pytest.mark.parametrize(("name", "low", "high", "label", "loss"), [
    ("integers", 20, 30, "20-30", 10 / 120),
    ("integers", 25, 25, "25", 0),
    ("integers", 0, 120, "*", 1),
    ("negative", 0, 14, "[-5, 9]", 14 / 15),
    ("negative", 0, 0, "-5", 0),
    ("wide", 0, 0, "[-100000, -99997]", 3 / 200_000),
    ("cents", 1950, 2950, "20.00-30.00", 1000 / 49_950),
    ("wide", 50_000, 50_000, "100000", 0),
    ("days", 2, 33, "2024-01-01/2024-02-01", 31 / 62),
    ("days", 61, 61, "2024-02-29", 0),
    ("cities", 0, 1, "MA", 1 / 3),
    ("cities", 1, 2, "East", 2 / 3),
    ("cities", 2, 3, "*", 1),
    ("zip", int.from_bytes(b"94110"), int.from_bytes(b"94199"), "941**", 99 / 99_999),
    ("zip", int.from_bytes(b"941\0\0"), int.from_bytes(b"94110"), "941**", 99 / 99_999),
    ("zip", int.from_bytes(b"941\0\0"), int.from_bytes(b"941\0\0"), "941", 0),
    ("zip", int.from_bytes(b"1"), int.from_bytes(b"94110"), "*", 1),
])
def test_labels_have_the_published_form(name: str, low: int, high: int, label: str, loss: float):
    """Ranges are closed, dates ISO intervals, prefixes starred, nodes named; losses follow the published measure."""
    dimension = DIMENSIONS[name]
    assert label == dimension.label(low, high)
    assert loss == pytest.approx(dimension.loss(low, high))


@pytest.mark.parametrize(("name", "value", "kind", "inside"), [
    ("integers", "120", Kind.NUMBER, True),
    ("integers", "12e1", Kind.NUMBER, True),
    ("integers", "121", Kind.NUMBER, False),
    ("integers", "-1", Kind.NUMBER, False),
    ("integers", "25.5", Kind.NUMBER, False),
    ("integers", "25", Kind.STRING, False),
    ("integers", "99999999999999999999", Kind.NUMBER, False),
    ("integers", None, Kind.NULL, False),
    ("integers", "true", Kind.TRUE, False),
    ("cents", "0.50", Kind.NUMBER, True),
    ("cents", "0.505", Kind.NUMBER, False),
    ("cents", "0.49", Kind.NUMBER, False),
    ("days", "2024-02-29", Kind.STRING, True),
    ("days", "2024-02-29T23:59:59.5+09:00", Kind.STRING, True),
    ("days", "2024-02-29 08:00", Kind.ENCODED, True),
    ("days", "2024-02-30", Kind.STRING, False),
    ("days", "2024-02-29x", Kind.STRING, False),
    ("days", "2024-3-01", Kind.STRING, False),
    ("days", "2024-03-02", Kind.STRING, False),
    ("days", "20240101", Kind.NUMBER, False),
    ("days", None, Kind.NULL, False),
    ("cities", "Boston", Kind.STRING, True),
    ("cities", "boston", Kind.STRING, False),
    ("cities", "MA", Kind.STRING, False),
    ("cities", "Boston", Kind.OBJECT, False),
    ("cities", None, Kind.NULL, False),
    ("zip", "94110", Kind.STRING, True),
    ("zip", "94110", Kind.NUMBER, True),
    ("zip", "", Kind.STRING, True),
    ("zip", "941100", Kind.STRING, False),
    ("zip", "941*0", Kind.STRING, False),
    ("zip", "9411\u00e9", Kind.STRING, False),
    ("zip", "941\t", Kind.STRING, False),
    ("zip", "[1]", Kind.ARRAY, False),
    ("zip", None, Kind.NULL, False),
])
def test_only_values_of_the_domain_are_taken(name: str, value: str | None, kind: Kind, inside: bool):
    """A value outside the domain, of another kind or finer than the scale is refused, and its code tells nothing."""
    (code,), (ok,) = encode(DIMENSIONS[name], [value], kind)
    assert inside == ok
    assert inside or code == 0


def test_a_date_time_counts_on_the_day_that_it_names():
    """The date part of a date-time is the day, whatever its offset."""
    days = DIMENSIONS["days"]
    assert encode(days, ["2024-01-01"], Kind.STRING) == encode(days, ["2024-01-01T00:30:00+02:00"], Kind.STRING)


def test_slices_of_arrays_are_coded_as_such():
    """A slice of an Arrow array gives the codes of its own values, nulls among them refused."""
    text = pa.array(["x", "94110", None, "94103"], pa.string())[1:]
    codes, ok = DIMENSIONS["zip"].encode(text, np.zeros(3, np.int32))
    assert [int.from_bytes(b"94110"), 0, int.from_bytes(b"94103")] == codes.tolist()
    assert [True, False, True] == ok.tolist()


def test_the_root_is_a_star_whatever_the_file_calls_it():
    """The root of a hierarchy is released as *."""
    named = HierarchyDimension(Hierarchy([("a", "Anything"), ("b", "Anything")], "h"))
    assert ["a", "*"] == [named.label(0, 0), named.label(0, 1)]


@pytest.mark.parametrize("make", [
    lambda: NumberDimension(10, 0),
    lambda: NumberDimension(0, "0.5"),
    lambda: NumberDimension("old", 10),
    lambda: NumberDimension(0, float("inf")),
    lambda: NumberDimension(0, 10**18, 2),
    lambda: NumberDimension(0, 1, 19),
    lambda: DateDimension("2024-02-01", "2024-01-01"),
    lambda: DateDimension("yesterday", "2024-01-01"),
    lambda: PrefixDimension(0),
    lambda: PrefixDimension(9),
])
def test_impossible_domains_are_refused(make):
    """A domain that cannot be used as written is a policy error with a hint."""
    with pytest.raises(PolicyError, match="Hint: "):
        make()


def test_signatures_tell_domains_apart():
    """Two dimensions have the same signature exactly when their codes mean the same."""
    again = DateDimension(datetime.date(2023, 12, 30).isoformat(), "2024-03-01")
    assert again.signature == DIMENSIONS["days"].signature
    assert len({dimension.signature for dimension in DIMENSIONS.values()}) == len(DIMENSIONS)
