"""Spaces and hyphens beyond ASCII: what they separate is found as if they were ASCII, where it is written."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from found import in_records, in_text
from hypothesis import given

from flink_masking.detect import Detectors

ALL = Detectors()
SPACES = "\u00a0\u2000\u2003\u2007\u2009\u200b\u202f\u205f\u3000"
PIECES = ["4111 1111 1111 1111", "jane@example.com", "DE89 3704 0044 0532 0130 00", "536 90 4399", "Dear Mary Smith", "12 Main Street",
          "+49 30 1234567", "card", "visa", "ssn", "é", "中", "x", "😀", "bsn 111222333", "8.8.8.8", "’", "aged 42", ""]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.lists(st.sampled_from(" " + SPACES), min_size=60, max_size=60))
def test_any_space_separates_as_a_plain_one(pieces, spaces):
    """With other spaces in the place of plain ones the same is found, at the same characters."""
    plain = " ".join(pieces)
    written = "".join(spaces[k % len(spaces)] if c == " " else c for k, c in enumerate(plain))
    assert places(plain) == places(written)


def places(text: str) -> list[tuple[int, int, int, int, int]]:
    """Type, first character, end, confidence and reasons of what is found."""
    raw = text.encode()
    found = ALL.find(np.frombuffer(raw or b"\0", np.uint8), np.zeros(1, np.int64), np.array([len(raw)]))
    return [(int(t), len(raw[:s].decode()), len(raw[:e].decode()), int(c), int(r)) for t, s, e, c, r in
            zip(found.types, found.starts, found.ends, found.confidence, found.reasons, strict=True)]


@pytest.mark.parametrize("dash", "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d")
def test_dashes_in_numbers_are_hyphens(dash):
    """Whatever dash stands between the digits of a number, it is found as with hyphens."""
    for kind, form in (("US_SSN", "536-90-4399"), ("CARD_NUMBER", "4111-1111-1111-1111"), ("PHONE", "(212) 555-0187"),
                       ("FI_HETU", "131052-308T")):  # fmt: skip
        text = form.replace("-", dash)
        assert [(kind, text)] == in_text(ALL, f"it is {text}.")


@pytest.mark.parametrize("dash", "\u2013\u2014\u2015")
def test_dashes_between_words_separate_them(dash):
    """A dash between words, with spaces or without, joins no names."""
    assert [("PERSON", "Mary Smith"), ("EMAIL", "a@b.io")] == in_text(ALL, f"Dear Mary Smith {dash} a@b.io")
    assert "PERSON" in dict(in_text(ALL, f"Dear Mary Smith{dash}welcome"))


@pytest.mark.parametrize("escaped", [False, True])
def test_records_are_searched_alike(escaped):
    """In records, with escapes or without, findings lie where the characters are written, whatever stands in other members."""
    first = {"a": "x\u00a04111\u00a01111\u00a01111\u00a01111\u00a0y", "b": 1, "c": "536\u201190\u20114399"}
    records = [json.dumps(record, ensure_ascii=escaped) for record in (first, {"a": "jane@example.com", "b": "\u00a0"})]
    written = [("a", "CARD_NUMBER", "4111\u00a01111\u00a01111\u00a01111"), ("c", "US_SSN", "536\u201190\u20114399")]
    if escaped:
        written = [(path, kind, json.dumps(text)[1:-1]) for path, kind, text in written]
    assert [*written, ("a", "EMAIL", "jane@example.com")] == in_records(ALL, records)


def test_amounts_are_no_telephone_numbers():
    """Thousands that no-break spaces keep apart are no telephone number, unless a word says so; a number in other groups is one."""
    for space in "\u00a0\u202f\u2009":
        assert [] == in_text(ALL, f"celkem 1{space}234{space}567 Kč")
        assert [] == in_text(ALL, f"total 12{space}345{space}678 €")
        assert [("PHONE", f"603{space}123{space}456")] == in_text(ALL, f"tel. 603{space}123{space}456")
        assert [("PHONE", f"030{space}123{space}4567")] == in_text(ALL, f"unter 030{space}123{space}4567")
    assert [("PHONE", "12 345 678")] == in_text(ALL, "total 12 345 678 €\u00a0")


@given(st.lists(st.binary(max_size=40), max_size=4), st.lists(st.sampled_from([b"\xc2\xa0", b"\xe2\x80", b"\xe2\x80\x91", b"\xe3\x80\x80",
       b"\xef\xbc\x8d", b"4111", b"1111", b"\xe2", b"\xc2"]), max_size=30))  # fmt: skip
def test_any_bytes_with_such_characters_are_searched(values, pieces):
    """Cut and invalid characters never raise, and findings lie inside their values, in the order of values."""
    values = [*values, b"".join(pieces), *values]
    data, ends = np.frombuffer(b"".join(values) or b"\0", np.uint8), np.cumsum([0, *map(len, values)]).astype(np.int64)
    for overlaps in (False, True):
        found = ALL.find(data, ends[:-1], ends[1:], overlaps=overlaps)
        assert (np.diff(found.values) >= 0).all()
        assert (found.starts >= ends[:-1][found.values]).all() and (found.ends <= ends[1:][found.values]).all()
        assert (found.starts < found.ends).all()
