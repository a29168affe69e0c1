"""AES-256-GCM with random nonces."""

import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flink_masking.crypto.aead import Aead
from flink_masking.errors import DecryptionError

KEY = bytes(range(32))


def test_round_trip():
    """What was sealed opens with the same associated data."""
    aead = Aead(KEY)
    for data in (b"", b"x", b"\0" * 1000):
        assert aead.open(aead.seal(data, b"for"), b"for") == data


def test_form_is_nonce_ciphertext_tag():
    """The result is plain AES-GCM: any implementation opens it."""
    sealed = Aead(KEY).seal(b"data", b"for")
    assert len(sealed) == 12 + 4 + 16
    assert AESGCM(KEY).decrypt(sealed[:12], sealed[12:], b"for") == b"data"


def test_gcm_vector_opens():
    """Test case 14 of the GCM specification (McGrew and Viega) opens."""
    sealed = bytes(12) + bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18" "d0d1c8a799996bf0265b98b5d48ab919")
    assert Aead(bytes(32)).open(sealed, b"") == bytes(16)


def test_never_the_same_twice():
    """Sealing the same bytes twice gives two results."""
    aead = Aead(KEY)
    assert len({aead.seal(b"data", b"") for _ in range(50)}) == 50


def test_every_change_is_one_error_without_detail():
    """A changed byte, a cut, other associated data and another key all end in the same words."""
    aead = Aead(KEY)
    sealed = aead.seal(b"data", b"for")
    changed = [(bytes([*sealed[:i], sealed[i] ^ 1, *sealed[i + 1:]]), b"for", aead) for i in range(len(sealed))]
    cut = [(sealed[:i], b"for", aead) for i in range(len(sealed))]
    words = set()
    for blob, associated, cipher in [*changed, *cut, (sealed, b"", aead), (sealed, b"for", Aead(bytes(32)))]:
        with pytest.raises(DecryptionError) as caught:
            cipher.open(blob, associated)
        assert caught.value.__context__ is None
        words.add(str(caught.value))
    assert words == {"the value cannot be opened"}


def test_key_length():
    """Only 256-bit keys are taken."""
    with pytest.raises(ValueError, match="32 bytes"):
        Aead(KEY[:16])


def test_stays_in_its_process():
    """The cipher is neither pickled nor shown."""
    with pytest.raises(TypeError):
        pickle.dumps(Aead(KEY))
    assert repr(Aead(KEY)) == "<Aead>"
