"""fpe with an alphabet: what may stay in clear between encrypted characters, and what sends a value to on_error."""

import string
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.techniques.fpe import TECHNIQUE

CZECH = "aábcčdďeéěfghiíjklmnňoópqrřsštťuúůvwxyýzž"
REFUSED = "(refused)"


@pytest.mark.parametrize(("alphabet", "text"), [
    ("digits", "Smith John 1234567"),
    ("digits", "CUST-0012345"),
    ("digits", "1234567\tx"),
    ("digits", "1234567\n"),
    ("digits", "1234567\x7f"),
    ("digits", "1234567 Ⓢⓜⓘⓣⓗ"),
    ("digits", "1234567 🇩🇪"),
    ("digits", "1234567 ½"),
    ("digits", "1234567 ⠎⠍⠊⠞⠓"),
    ("hex", "550E8400-E29B-41D4-A716-446655440000"),
    ("lower", "john smith 42"),
    (CZECH, "ďábel Novak"),
])  # fmt: skip
def test_letters_and_digits_outside_the_alphabet_are_refused(run, alphabet, text):
    """A letter, digit, mark, control character or pictograph that the alphabet lacks is no separator: nothing of the value is shown."""
    assert [REFUSED] == run(TECHNIQUE, {"domain": "d", "alphabet": alphabet}, [text])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20).map(lambda text: "1234567" + text), max_size=6),
       st.sampled_from(["digits", "alphanumeric", CZECH + "0123456789"]))
def test_nothing_but_punctuation_spaces_and_symbols_stays(run, texts, name):
    """Of a value that is taken, no letter, digit, mark or control character outside the alphabet stands in the result."""
    inside = {"digits": "0123456789", "alphanumeric": string.ascii_letters + string.digits}.get(name, name)
    for text, result in zip(texts, run(TECHNIQUE, {"domain": "d", "alphabet": name}, texts), strict=True):
        others = [c for c in unicodedata.normalize("NFC", text) if c not in inside]
        if result != REFUSED:
            assert [c for c in result if c not in inside] == others
            assert {unicodedata.category(c)[0] for c in others} <= set("PSZ") and "So" not in map(unicodedata.category, others)
        elif all(c.isascii() for c in others):
            assert [c for c in others if c not in string.punctuation + " "]
