"""AES-SIV of columns: the vectors of RFC 5297, an independent implementation, and every kind of damage."""

import pickle

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.crypto.siv import Siv
from flink_masking.crypto.siv_kernels import counters
from flink_masking.errors import DecryptionError

KEY = bytes(range(64))


def spans(values):
    """Values one behind the other: data, starts, ends."""
    places = np.cumsum([0, *(len(value) for value in values)]).astype(np.int32)
    return np.frombuffer(b"".join(values), np.uint8), places[:-1], places[1:]


def sealed(siv, values):
    """Values sealed as one column."""
    data, starts, ends = spans(values)
    out = np.empty(len(data), np.uint8)
    tags = siv.seal_spans(data, starts, ends, out).reshape(-1, 16)
    return [tag.tobytes() + out[a:b].tobytes() for tag, a, b in zip(tags, starts, ends, strict=True)]


def opened(siv, blobs):
    """Blobs opened as one column; None where refused."""
    data, starts, ends = spans(blobs)
    out = np.empty(len(data), np.uint8)
    good = siv.open_spans(data, starts, ends, out)
    return [out[a + 16 : b].tobytes() if ok else None for ok, a, b in zip(good, starts, ends, strict=True)]


def test_rfc_5297_deterministic():
    """The vector of RFC 5297, A.1 holds in both directions."""
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    siv = Siv(key, [bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")])
    text = bytes.fromhex("112233445566778899aabbccddee")
    made = "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"
    assert siv.seal(text).hex() == made
    assert siv.open(bytes.fromhex(made)) == text


def test_rfc_5297_with_nonce():
    """The vector of RFC 5297, A.2, with three parts of associated data, holds in both directions."""
    key = bytes.fromhex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f")
    parts = [
        "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
        "102030405060708090a0",
        "09f911029d74e35bd84156c5635688c0",
    ]
    siv = Siv(key, [bytes.fromhex(part) for part in parts])
    text = b"this is some plaintext to encrypt using SIV-AES"
    made = "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"
    assert siv.seal(text).hex() == made
    assert siv.open(bytes.fromhex(made)) == text


@given(
    st.lists(st.binary(min_size=1, max_size=100), max_size=40), st.lists(st.binary(max_size=40), max_size=3), st.sampled_from([32, 48, 64])
)
def test_equals_an_independent_implementation(values, associated, size):
    """A column sealed is what the cryptography package makes of each value, with every key length, and opens again."""
    siv, other = Siv(KEY[:size], associated), AESSIV(KEY[:size])
    made = sealed(siv, values)
    assert made == [other.encrypt(value, associated) for value in values]
    assert opened(siv, made) == values


@pytest.mark.parametrize("length", [*range(66), 1_000, 99_999, 100_000])
def test_every_length(length):
    """Values of every length round a block's border, none and very long ones, go there and back."""
    value = bytes(k & 255 for k in range(length))
    siv = Siv(KEY, [b"for"])
    assert siv.open(siv.seal(value)) == value
    if length:
        assert siv.seal(value) == AESSIV(KEY).encrypt(value, [b"for"])


def test_every_flipped_bit_is_noticed():
    """A value with any one bit changed does not open, and says no more than that."""
    siv = Siv(KEY, [b"for"])
    for text in (b"short", b"a text of more than sixteen bytes"):
        good = siv.seal(text)
        bad = [bytes([*good[:i], good[i] ^ 1 << bit, *good[i + 1 :]]) for i in range(len(good)) for bit in range(8)]
        assert opened(siv, [good, *bad, good]) == [text, *[None] * len(bad), text]
        for blob in (bad[0], good[:-1], good[:15], b"", good + b"\0"):
            with pytest.raises(DecryptionError, match=r"^the value cannot be opened$") as caught:
                siv.open(blob)
            assert caught.value.__context__ is None


def test_other_associated_data_and_other_keys_do_not_open():
    """What was sealed for one thing, or under one key, does not open for or under another."""
    made = Siv(KEY, [b"ab", b"c"]).seal(b"text")
    others = [(KEY, [b"a", b"bc"]), (KEY, [b"abc"]), (KEY, []), (KEY[:32] * 2, [b"ab", b"c"]), (KEY[::-1], [b"ab", b"c"])]
    for other in (Siv(key, parts) for key, parts in others):
        with pytest.raises(DecryptionError):
            other.open(made)


def test_counters_start_from_the_tag_with_two_bits_cleared():
    """Each block's counter is V without its bits 63 and 31 plus the block's number, also where that carries into these bits."""
    tags = np.frombuffer(b"\xff" * 16 + bytes(16), np.uint8)
    blocks = np.empty(16 * 5, np.uint8)
    places, ends = np.array([0, 16], np.int32), np.array([33, 17], np.int32)
    assert counters(tags, places, np.zeros(2, np.int32), ends, blocks) == 5
    start = (1 << 128) - 1 & ~(1 << 63 | 1 << 31)
    assert [int.from_bytes(block.tobytes(), "big") for block in blocks.reshape(-1, 16)] == [start, start + 1, start + 2, 0, 1]


def test_key_length():
    """Only keys of 256, 384 and 512 bits are taken."""
    for length in (0, 16, 31, 63, 65):
        with pytest.raises(ValueError, match="32, 48 or 64"):
            Siv(bytes(length))


def test_stays_in_its_process():
    """The cipher is neither pickled nor shown."""
    with pytest.raises(TypeError) as caught:
        pickle.dumps(Siv(KEY))
    assert KEY.hex() not in str(caught.value)
    assert repr(Siv(KEY)) == "<Siv>"
