"""Alphabets: names, one's own characters, and what is refused."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.crypto.alphabet import NAMED, alphabet
from flink_masking.crypto.code_points import OUTSIDE, foreign, normalised, points, table
from flink_masking.errors import PolicyError

RADICES = {"digits": 10, "lower": 26, "upper": 26, "letters": 52, "alphanumeric": 62, "hex": 16}


@pytest.mark.parametrize(("name", "radix"), RADICES.items())
def test_named_alphabets(name, radix):
    """Every name has as many different characters as it says, in ASCII order."""
    characters = alphabet(name).characters
    assert radix == alphabet(name).radix == len(set(characters))
    assert list(characters) == sorted(characters)
    assert set(NAMED) == set(RADICES)


def test_table_and_points_belong_together():
    """A character's number leads back to it, and no other code point has one."""
    own = alphabet("zyx→é\U0001f600")
    numbers, codes = table(own), points(own)
    assert [chr(point) for point in codes] == list(own.characters)
    assert [numbers[ord(character)] for character in own.characters] == list(range(own.radix))
    assert np.count_nonzero(numbers != OUTSIDE) == own.radix


def test_own_characters_are_normalised():
    """An alphabet written in decomposed form is the one in NFC."""
    assert alphabet("aéö") == alphabet(unicodedata.normalize("NFD", "aéö"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "alphabet of 0 characters"),
        ("a", "alphabet of 1 characters"),
        ("abca", "comes twice"),
        ("e\u0301é", "1 characters|comes twice"),
        ("ab\u0301\u0302", "combining"),
        ("ab\n", "combining, control"),
        ("a\u1161", "combining"),
        ("digit", "did you mean 'digits'"),
        ("Alphanumerics", "did you mean 'alphanumeric'"),
        ("a\ud800", "combining, control"),
    ],
)
def test_what_is_no_alphabet(text, message):
    """Too few characters, repeated ones, ones that do not stand alone, and misspelt names are refused."""
    with pytest.raises(PolicyError, match=message):
        alphabet(text)


def test_the_largest_alphabet():
    """65536 characters are an alphabet, one more is none."""
    points = [p for p in range(0x4E00, 0x110000) if unicodedata.category(chr(p))[0] in "LS" and unicodedata.is_normalized("NFC", chr(p))]
    most = "".join(map(chr, points[:65536]))
    assert alphabet(most).radix == 65536
    with pytest.raises(PolicyError, match="65537 characters"):
        alphabet(most + "a")


@given(st.lists(st.none() | st.text("aeo\u0301\u0308éЖ가ᄀ\u1161 ", max_size=6), max_size=6), st.integers(0, 3))
def test_values_are_normalised(texts, skipped):
    """Every value comes out in NFC, a slice as the whole, null as null."""
    array = pa.array(texts, pa.string())[skipped:]
    result, wide = normalised(array)
    assert result.to_pylist() == [None if text is None else unicodedata.normalize("NFC", text) for text in texts[skipped:]]
    assert wide or all(text is None or text.isascii() for text in texts[skipped:])


def test_foreign_characters():
    """Letters, digits, marks and controls are foreign, and pictographs, too; spaces, dashes and signs are not."""
    assert all(foreign()[ord(character)] for character in "aZ0é١１Ж漢\u0301\u200d\t\nⒶ🅰🇦⠁№½™①☎⻅\ue000")
    assert not any(foreign()[ord(character)] for character in " -_/\u00a0–—·€+→±")
