"""The text form of protected values: written and read as base64url has it, and nothing else is read."""

import base64

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.crypto.envelope import AES_SIV, XAES_256_GCM, is_text_of, unwrap, wrap

NONE = np.zeros(0, np.uint8)


def written(bodies, version=1, form=AES_SIV, front=b"", fixed=b"", valid=NONE):
    """Bodies as texts."""
    places = np.cumsum([0, *(len(body) for body in bodies)]).astype(np.int32)
    column = np.frombuffer(fixed * len(bodies), np.uint8)
    made = wrap(form, version, front, column, np.frombuffer(b"".join(bodies), np.uint8), places[:-1], places[1:], valid)
    made.validate(full=True)
    return made


def read(texts, form=AES_SIV, least=0, taken=None):
    """(key version, bytes behind it) of each text, or the number that says why there is nothing."""
    array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    taken = np.ones(len(array), np.uint8) if taken is None else np.array(taken, np.uint8)
    data, starts, ends, versions, _ = unwrap(array, taken, [form], least)
    return [(v, data[a:b].tobytes()) if v > 0 else v for v, a, b in zip(versions.tolist(), starts, ends, strict=True)]


def text_of(raw):
    """A text by the standard library."""
    return "fm1." + base64.urlsafe_b64encode(raw).decode().rstrip("=")


@given(st.lists(st.binary(max_size=80), max_size=10), st.integers(1, 2**32 - 1), st.binary(max_size=13), st.binary(max_size=17))
def test_there_and_back(bodies, version, front, fixed):
    """Texts are what the standard library writes of the same bytes, nothing for an empty body, and are read back."""
    header = bytes([AES_SIV]) + version.to_bytes(4, "big")
    texts = written(bodies, version, AES_SIV, front, fixed)
    assert texts.to_pylist() == [text_of(header + front + fixed + body) if body else "" for body in bodies]
    assert read(texts) == [(version, front + fixed + body) if body else 0 for body in bodies]


def test_nulls():
    """Null stays null when written and is nothing when read, whatever lies in its slot."""
    texts = written([b"a", b"", b"c"], valid=np.array([1, 0, 1], np.uint8))
    assert texts.null_count == 1
    buffers = written([b"a", b"b", b"c"]).buffers()
    assert read(pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(b"\5"), *buffers[1:]])) == [(1, b"a"), 0, (1, b"c")]
    assert read(pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\5"), *buffers[1:]], offset=1)) == [0, (1, b"c")]


GOOD = text_of(bytes([AES_SIV, 0, 0, 0, 7]) + b"0123456789")


def test_only_the_form_is_read():
    """Another mark, form or version, a foreign character, a cut and padding are all malformed."""
    assert read([GOOD]) == [(7, b"0123456789")]
    foreign = [GOOD[:8] + character + GOOD[9:] for character in "+/=. \n\0é~"]
    others = [
        GOOD[4:], "fm2" + GOOD[3:], "FM1" + GOOD[3:], " " + GOOD, GOOD + "=", GOOD + "A", "fm1.", "fm1", "f", "fm1.A", "fm1.AAAAA",
        text_of(bytes([XAES_256_GCM, 0, 0, 0, 7]) + b"0123456789"), text_of(bytes([AES_SIV, 0, 0, 0, 0]) + b"0123456789"),
        text_of(bytes([AES_SIV, 0, 0, 0])),
    ]  # fmt: skip
    assert read([*foreign, *others]) == [-1] * (len(foreign) + len(others))


@pytest.mark.parametrize("length", [10, 11, 12])
def test_one_text_for_each_value(length):
    """Of all last characters only one reads as the value: no second text opens."""
    text = text_of(bytes([AES_SIV, 0, 0, 0, 7]) + b"x" * length)
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    values = [found for found in read([text[:-1] + digit for digit in digits]) if found != -1]
    assert len(values) == len(set(values)) == {0: 64, 1: 4, 2: 16}[(5 + length) % 3]


def test_too_short_and_not_taken():
    """A text with fewer bytes than the form needs, and a value that is no text, are malformed."""
    assert read([GOOD, GOOD], least=10) == [(7, b"0123456789")] * 2
    assert read([GOOD, GOOD], least=11) == [-1, -1]
    assert read([GOOD, GOOD, "", None], taken=[1, 0, 0, 0]) == [(7, b"0123456789"), -1, 0, 0]


def test_is_text_of():
    """A single text is judged as a column is, as far as one can without a key."""
    assert is_text_of(AES_SIV, 10, GOOD)
    assert not any(is_text_of(*case) for case in [
        (AES_SIV, 11, GOOD), (XAES_256_GCM, 10, GOOD), (AES_SIV, 10, GOOD[4:]), (AES_SIV, 0, "fm1.~~~~"), (AES_SIV, 0, "é"),
    ])  # fmt: skip
