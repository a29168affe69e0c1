"""generalize: prefixes and hierarchies; and what its parameters refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts
from flink_masking.techniques.generalize import TECHNIQUE

REFUSED = "(refused)"


@given(st.lists(st.none() | st.text(max_size=12)), st.integers(1, 6))
def test_prefix(run, texts, length):
    """The first characters stay, each other becomes an asterisk; a text that is not longer than the prefix is hidden whole."""
    cut = [text and (text[:length] + "*" * (len(text) - length) if len(text) > length else "*" * len(text)) for text in texts]
    assert cut == run(TECHNIQUE, {"prefix": length}, texts)


def test_prefix_takes_text_only(run):
    """A number has lost its leading zeros already and is refused."""
    assert [REFUSED] == run(TECHNIQUE, {"prefix": 3}, ["94110"], Kind.NUMBER)


@pytest.mark.parametrize(("level", "expected"), [(1, ["MA", "NY", "MA"]), (2, ["East", "East", "East"]), (3, ["*", "*", "*"])])
def test_hierarchy_levels(run, level, expected):
    """A value becomes its node at the level; null and the empty text stay, what is not listed is refused."""
    texts = ["Boston", "Albany", "Salem", None, "", "Paris", "boston"]
    assert [*expected, None, "", REFUSED, REFUSED] == run(TECHNIQUE, {"hierarchy": "city.csv", "level": level}, texts)


def test_hierarchy_of_the_field(run):
    """With a level alone the field's own hierarchy serves, for numbers as well."""
    facts = FieldFacts("age", hierarchy=Hierarchy([["1", "young"], ["70", "old"]], "age.csv"))
    assert ["old", REFUSED] == run(TECHNIQUE, {"level": 1}, ["70", "71"], Kind.NUMBER, facts)


@pytest.mark.parametrize("params", [{"level": 1}, {"hierarchy": "city.csv", "level": 4}])
def test_hierarchy_or_level_missing(run, params):
    """A level that the hierarchy does not have, or no hierarchy at all, is a fault of the policy."""
    with pytest.raises(PolicyError, match="field"):
        run(TECHNIQUE, params, ["Boston"])


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"origin": 1},
        {"width": 10, "prefix": 3},
        {"hierarchy": "x.csv"},
        {"level": 0},
        {"width": 0},
        {"width": -1},
        {"width": "10"},
        {"width": True},
        {"width": float("inf")},
        {"width": float("nan")},
        {"round_to": 0},
        {"prefix": 0},
        {"prefix": 2.5},
        {"date": "decade"},
        {"geohash": 0},
        {"geohash": 13},
        {"origin": 2, "prefix": 3},
        {"hierarchy": "", "level": 1},
        {"width": 10, "hierarchy": "x", "level": 1},
        {"width": 1e-10},
        {"width": 10**15},
    ],
)
def test_bad_parameters(params):
    """Exactly one way with sensible figures is taken."""
    with pytest.raises(ValidationError):
        TECHNIQUE.params.model_validate(params)


@pytest.mark.parametrize(
    ("params", "inside", "outside"),
    [
        ({"width": 10}, ["20-29", "[-10, -1]", "[20, 30)", "25", ""], ["20-40", "x", "29-20"]),
        ({"prefix": 3}, ["941**", ""], ["94110"]),
        ({"date": "month"}, ["2024-03", ""], ["2024-03-15"]),
        ({"geohash": 3}, ["9q8"], ["9q", "9qa"]),
        ({"round_to": 5}, ["10", "-5"], ["3"]),
    ],
)
def test_output_domain_tells_apart(params, inside, outside):
    """The declared output domain holds coarse values and not the exact ones."""
    domain = TECHNIQUE.output(TECHNIQUE.params.model_validate(params))
    assert [True] * len(inside) == [domain.contains(text) for text in inside]
    assert [False] * len(outside) == [domain.contains(text) for text in outside]
