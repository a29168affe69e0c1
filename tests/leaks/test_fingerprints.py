"""Fingerprints find a value however its parts are separated, and nothing else."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.arrow import parts
from flink_masking.keys.ring import KeyRing
from flink_masking.leaks.filters import Filters, fingerprint_keys

RING = KeyRing.ephemeral()
KEYS = fingerprint_keys(RING, "s")


def kept(*values: str) -> tuple[Filters, int]:
    """A filter with these values, and how many it took."""
    filters = Filters("s", ("f",), 1, 0)
    return filters, filters.add(KEYS, 0, pa.array(values, pa.string()))


def found(filters: Filters, text: str, keys: np.ndarray = KEYS) -> list[bytes]:
    """The parts of a text that a filter holds."""
    data, offsets, _ = parts(pa.array([text]))
    starts, ends = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
    return [data[hit.start:hit.end].tobytes() for hit in filters.find(keys, data, starts, ends)]


@pytest.mark.parametrize("text", [
    "123-45-6789", "123456789", "ssn=123 45 6789;", '{"a":"x\\n123-45-6789"}', '"\\u0022123-45-6789"', "(123)45.6789", "é 123-45-6789 é",
])
def test_a_value_is_found_however_it_is_written(text):
    """Blanks and signs between the parts of a value, around it, and escapes before it do not hide it."""
    assert found(kept("123-45-6789")[0], text)


@pytest.mark.parametrize("text", ["123-45-678", "1123-45-6789", "123-45-67890", "***-**-6789", "", "6789 45 123"])
def test_other_texts_are_not(text):
    """A part of a value, a longer one, and its parts in another order are no finding."""
    assert not found(kept("123-45-6789")[0], text)


def test_letters_count_without_case():
    """An e-mail address is found in capitals and inside a sentence."""
    assert found(kept("John.Doe@Example.com")[0], "To: JOHN.DOE@EXAMPLE.COM, thanks") == [b"JOHN.DOE@EXAMPLE.COM"]


def test_common_texts_have_no_fingerprint():
    """What may stand anywhere by chance is not kept: short texts, names, words."""
    assert kept("John Smith", "1234567", "a@b.c", "Springfield", "", "x" * 100 + "1234")[1] == 0


def test_another_key_finds_nothing():
    """Without the ring nothing can be looked up."""
    assert not found(kept("123-45-6789")[0], "123-45-6789", fingerprint_keys(KeyRing.ephemeral(), "s"))


def test_nulls_are_passed_over():
    """A null among values is no value, whatever bytes are behind it."""
    filters = Filters("s", ("f",), 1, 0)
    assert filters.add(KEYS, 0, pa.array([None, "4111 1111 1111 1111", None])) == 1
    assert filters.add(KEYS, 0, pa.array(["4111111111111111"])) == 0


WORD = st.text("abcXYZ0189é", min_size=1, max_size=12)
BETWEEN = st.sampled_from([" ", "-", ".", ", ", "/", "  ", "_"])


@settings(max_examples=300, deadline=None)
@given(st.lists(WORD, min_size=1, max_size=8), st.lists(WORD, max_size=12), st.lists(WORD, max_size=12), BETWEEN, BETWEEN)
def test_every_run_of_words_is_looked_up(value, before, after, inside, around):
    """Any value that a filter takes is found in any text that holds its words in their order; what is found are those words."""
    filters, taken = kept(inside.join(value))
    text = around.join([*before, around.join(value), *after])
    folded = "".join(value).encode().lower()
    hits = {re.sub(rb"[^0-9a-z\x80-\xff]", b"", hit.lower()) for hit in found(filters, text)}
    assert hits == ({folded} if taken else set())


def test_more_hits_than_there_is_room_for():
    """A text that holds a value five thousand times gives as many hits."""
    assert len(found(kept("123-45-6789")[0], "123-45-6789 x " * 5000)) == 5000
