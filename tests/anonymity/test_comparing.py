"""When two sensitive values are one."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.anonymity.comparing import comparable, folded_text, number_text
from flink_masking.anonymity.sensitive import Listed
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import Kind


@pytest.mark.parametrize(("spellings", "text"), [
    (["1", "1.0", "1e0", "10E-1", "0.1e+1", "1.000"], "1"), (["0", "-0", "0.0", "-0e9", "0E-7"], "0"), (["100", "1e2", "1E+2"], "100"),
    (["-0.5", "-5e-1", "-0.50"], "-0.5"), (["1e999", "10e998", "1.0E+999"], "1E+999"), (["12345678901234567890123456789012345"], None),
])  # fmt: skip
def test_a_number_has_one_form(spellings, text):
    """However a JSON number is written, its value has one text: plain where that is not too long, so that usual ones stay as they are."""
    assert {number_text(spelling) for spelling in spellings} == {text or spellings[0]}


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_have_one_form_if_and_only_if_they_are_equal(one, other):
    """No digit is lost on the way, and no two values are one."""
    assert (number_text(str(one)) == number_text(str(other))) == (one == other)
    assert Decimal(number_text(str(one))) == one


@pytest.mark.parametrize("text", ["x", "", "1e99999999999999999999999", "-", "1,5", "9" * 5_000 + "x"])
def test_what_is_no_number_stays(text):
    """Text that is no number, or one beyond all bounds, is left as it is."""
    assert number_text(text) == text


@pytest.mark.parametrize(("one", "other", "same"), [
    ("flu", " Flu\u00a0", True), ("STRASSE", "straße", True), ("e\u0301", "É", True), ("ｆｌｕ", "flu", True), ("1.0", " 1 ", True),
    ("flu", "flue", False), ("a b", "ab", False), ("", " ", True),
])  # fmt: skip
def test_folded_text(one, other, same):
    """Case, blanks around it, and spellings that Unicode takes for the same, do not make another value."""
    assert (folded_text(one) == folded_text(other)) is same


def told(values, folded=False):
    """The forms of (kind, text) pairs."""
    text = pa.array([value for _, value in values], pa.string())
    return comparable(text, np.array([kind for kind, _ in values], np.int32), folded).to_pylist()


def test_a_column_of_any_kinds():
    """Numbers count by value whatever is asked for, text only on request, booleans and nothing never change."""
    values = [(Kind.NUMBER, "1.0"), (Kind.STRING, "1.0"), (Kind.NUMBER, "7"), (Kind.ENCODED, " Flu"), (Kind.TRUE, "true"),
              (Kind.NULL, None)]
    assert told(values) == ["1", "1.0", "7", " Flu", "true", None]
    assert told(values, True) == ["1", "1", "7", "flu", "true", None]
    assert told([]) == told([], True) == []
    assert told([(Kind.NUMBER, "3"), (Kind.NUMBER, "30")]) == ["3", "30"]


def test_listed_values_are_met_in_every_form():
    """A listed value is found by number and, folded, by any case; two of a list that are one are refused."""
    kinds = [Kind.STRING, Kind.NUMBER, Kind.STRING, Kind.NUMBER]
    for folded, found in ((False, [False, True, True, False]), (True, [True, True, True, False])):
        domain = Listed(["low", "2", "High"], folded)
        text = comparable(pa.array([" LOW", "2.0", "High", "3"]), np.array(kinds, np.int32), folded)
        codes, ok = domain.encode(text, np.array(kinds, np.int32))
        assert ok.tolist() == found and codes[1] == 1 and codes[2] == 2
    with pytest.raises(PolicyError, match="twice"):
        Listed(["Low", "low "], True)
