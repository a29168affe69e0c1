"""AES-CMAC of columns: published vectors, an independent implementation, and where the column's passes end."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.crypto.cmac import FEW, BlockCipher, Cmac, doubled

KEY = bytes(range(32))
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
AES_128 = "2b7e151628aed2a6abf7158809cf4f3c"
AES_192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
AES_256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
VECTORS = [  # RFC 4493, 4 (AES-128) and the examples of SP 800-38B, D
    (AES_128, 0, "bb1d6929e95937287fa37d129b756746"),
    (AES_128, 16, "070a16b46b4d4144f79bdd9dd04a287c"),
    (AES_128, 40, "dfa66747de9ae63030ca32611497c827"),
    (AES_128, 64, "51f0bebf7e3b9d92fc49741779363cfe"),
    (AES_192, 0, "d17ddf46adaacde531cac483de7a9367"),
    (AES_192, 16, "9e99a7bf31e710900662f65e617c5184"),
    (AES_192, 40, "8a1de5be2eb31aad089a82e6ee908b0e"),
    (AES_192, 64, "a1d5df0eed790f794d77589659f39a11"),
    (AES_256, 0, "028962f61b7bf89efc6b551f4667d983"),
    (AES_256, 16, "28a7023f452e8f82bd4bf28d8c37c35c"),
    (AES_256, 40, "aaf3d8f1de5640c232f5b169b9c911e6"),
    (AES_256, 64, "e1992190549f6ed5696a2c056c315410"),
]


def reference(message, key=KEY):
    """CMAC by the cryptography package."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def tags(messages, key=KEY):
    """The tags of messages as one column."""
    return [tag.tobytes() for tag in Cmac(key).tags(pa.array(messages, pa.binary()))]


@pytest.mark.parametrize(("key", "length", "tag"), VECTORS)
def test_published_vectors(key, length, tag):
    """The vectors of RFC 4493 and SP 800-38B hold, alone and in a column that takes more than one pass."""
    message = MESSAGE[:length]
    assert Cmac(bytes.fromhex(key)).tag(message).hex() == tag
    assert {made.hex() for made in tags([message] * (2 * FEW), bytes.fromhex(key))} == {tag}


def test_subkeys_of_rfc_4493():
    """K1 and K2 of RFC 4493, 4 come from doubling, with and without the reduction."""
    first = doubled(bytes.fromhex("7df76b0c1ab899b33e42f047b91b546f"))
    assert first.hex() == "fbeed618357133667c85e08f7236a8de"
    assert doubled(first).hex() == "f7ddac306ae266ccf90bc11ee46d513b"


def test_every_length_to_300():
    """Values of 0 to 300 bytes in one column have the tags that the cryptography package gives each."""
    messages = [bytes((k * 7 + i) & 255 for i in range(k)) for k in range(301)]
    assert tags(messages) == [reference(message) for message in messages]


@given(st.lists(st.binary(max_size=70) | st.integers(0, 2_000).map(bytes), max_size=3 * FEW))
def test_any_column(messages):
    """Whatever lengths stand together, each value has its own tag."""
    assert tags(messages) == [reference(message) for message in messages]


@pytest.mark.parametrize("count", [1, FEW - 1, FEW, FEW + 1])
@pytest.mark.parametrize("length", [15, 16, 17, 32, 33, 47, 48, 160])
def test_where_single_rows_take_over(count, length):
    """The last rows of a column end right, however few they are and wherever their last block ends."""
    messages = [bytes([k]) * length for k in range(count)] + [b"short"] * 50
    assert tags(messages) == [reference(message) for message in messages]


def test_nulls_and_slices():
    """A null counts as no bytes, also where its slot has some, and a slice gives the tags of its values."""
    buffers = pa.array([b"one", b"two" * 9, b"three"], pa.binary()).buffers()
    array = pa.Array.from_buffers(pa.binary(), 3, [pa.py_buffer(b"\5"), *buffers[1:]])
    assert Cmac(KEY).tags(array).tobytes() == reference(b"one") + reference(b"") + reference(b"three")
    assert Cmac(KEY).tags(array[1:]).tobytes() == reference(b"") + reference(b"three")
    assert Cmac(KEY).tags(array[:0]).shape == (0, 16)


def test_text_counts_as_utf8():
    """A text has the tag of its UTF-8 bytes."""
    assert Cmac(KEY).tags(pa.array(["žluť"])).tobytes() == reference("žluť".encode())


def test_key_length():
    """Only AES's three key lengths are taken."""
    for length in (0, 15, 31, 33, 64):
        with pytest.raises(ValueError):
            Cmac(bytes(length))


def test_stays_in_its_process():
    """Neither the function nor its block cipher is pickled or shown."""
    for secret in (Cmac(KEY), BlockCipher(KEY)):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(secret)
        assert KEY.hex() not in str(caught.value)
        assert repr(secret) == f"<{type(secret).__name__}>"


def test_block_cipher_is_aes():
    """The block cipher is AES as in FIPS 197, C.3."""
    block = np.frombuffer(bytes.fromhex("00112233445566778899aabbccddeeff"), np.uint8)
    assert BlockCipher(KEY).encrypt(block).tobytes().hex() == "8ea2b7ca516745bfeafc49904b496089"
