"""XAES-256-GCM: published vectors, AES-GCM underneath, and nonces that survive a seed that comes twice."""

import pickle

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.crypto.aead import Aead
from flink_masking.crypto.xaes import Nonces, Xaes
from flink_masking.errors import DecryptionError

KEY = bytes(range(32))
NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"


@pytest.mark.parametrize(("byte", "associated", "made"), [
    (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
    (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
])  # fmt: skip
def test_published_vectors(byte, associated, made):
    """Both vectors of the specification, with and without the reduction in the key's derivation, hold in both directions."""
    xaes = Xaes(bytes([byte]) * 32)
    assert xaes.seal(NONCE, b"XAES-256-GCM", associated).hex() == made
    assert xaes.open(NONCE, bytes.fromhex(made), associated) == b"XAES-256-GCM"


def test_intermediate_key_of_the_vector():
    """Under the key and nonce that the specification derives, AES-256-GCM by itself gives the same."""
    derived = bytes.fromhex("c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b")
    made = Xaes(b"\1" * 32).seal(NONCE, b"XAES-256-GCM", b"")
    assert AESGCM(derived).encrypt(NONCE[12:], b"XAES-256-GCM", None) == made
    assert Aead(derived).open(NONCE[12:] + made, b"") == b"XAES-256-GCM"


def test_gcm_vector_with_associated_data_opens():
    """Test case 16 of the GCM specification (McGrew and Viega), 60 bytes and associated data, opens."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    sealed = bytes.fromhex(
        "cafebabefacedbaddecaf888"
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    text = Aead(key).open(sealed, bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
    assert text.hex().startswith("d9313225f88406e5a55909c5aff5269a") and text.hex().endswith("b16aedf5aa0de657ba637b39")


BATCHES = st.sampled_from([b"a" * 12, b"b" * 12])


@given(st.lists(st.tuples(BATCHES, st.binary(min_size=12, max_size=12), st.binary(max_size=50)), max_size=12))
def test_values_of_several_batches_open_together(values):
    """Values whose nonces begin differently open in one call, each under its own key."""
    xaes = Xaes(KEY)
    blobs = [first + second + xaes.seal(first + second, text, b"for") for first, second, text in values]
    assert xaes.open_all(blobs, b"for") == [text for _, _, text in values]
    assert xaes.open_all(blobs, b"other") == [None] * len(values)


def test_every_change_is_one_error_without_detail():
    """A changed byte, a cut, another nonce, other associated data and another key all end in the same words."""
    xaes, made = Xaes(KEY), Xaes(KEY).seal(NONCE, b"data", b"for")
    cases = [(xaes, NONCE, bytes([*made[:i], made[i] ^ 1, *made[i + 1 :]]), b"for") for i in range(len(made))]
    cases += [(xaes, NONCE, made[:i], b"for") for i in range(len(made))]
    cases += [(xaes, NONCE[:-1] + b"Y", made, b"for"), (xaes, b"B" + NONCE[1:], made, b"for"), (xaes, NONCE[:-1], made, b"for")]
    cases += [(xaes, NONCE, made, b""), (Xaes(bytes(32)), NONCE, made, b"for")]
    for cipher, nonce, blob, associated in cases:
        with pytest.raises(DecryptionError, match=r"^the value cannot be opened$") as caught:
            cipher.open(nonce, blob, associated)
        assert caught.value.__context__ is None


def test_nonces_depend_on_all_that_is_given():
    """Another key, another seed, other data and another division of the same bytes give other nonces; the same gives the same."""
    drawn = [
        Nonces(b"k").draw(24, b"seed", b"data"),
        Nonces(b"l").draw(24, b"seed", b"data"),
        Nonces(b"k").draw(24, b"see", b"data"),
        Nonces(b"k").draw(24, b"seed", b"date"),
        Nonces(b"k").draw(24, b"seedd", b"ata"),
        Nonces(b"k").draw(24, b"seed", b"data", b""),
    ]
    assert len(set(drawn)) == len(drawn)
    assert Nonces(b"k").draw(24, b"seed", np.frombuffer(b"data", np.uint8)) == drawn[0]
    assert Nonces(b"k").draw(48, b"seed", b"data")[:24] == drawn[0]
    assert Nonces(b"k").draw(0, b"seed") == b""


def test_key_length():
    """Only 256-bit keys are taken."""
    for length in (16, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            Xaes(bytes(length))


def test_stays_in_its_process():
    """Neither the cipher nor the source of nonces is pickled or shown."""
    for secret in (Xaes(KEY), Nonces(KEY)):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(secret)
        assert KEY.hex() not in str(caught.value)
        assert repr(secret) == f"<{type(secret).__name__}>"
