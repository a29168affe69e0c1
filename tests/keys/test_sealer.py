"""Sealing with a key ring."""

import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flink_masking.errors import DecryptionError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer


def test_round_trip_with_associated_data():
    """A blob opens with the associated data that it was sealed with."""
    sealer = Sealer(KeyRing.new(), "quarantine", "payload")
    assert sealer.open(sealer.seal(b"data", b"stream"), b"stream") == b"data"
    assert sealer.open(sealer.seal(b"")) == b""


def test_form():
    """A blob is format 1, the key version, a nonce and AES-256-GCM bound to that header."""
    ring = KeyRing.new()
    blob = Sealer(ring, "p", "d").seal(b"data", b"for")
    assert (blob[:5], len(blob)) == (b"\x01\0\0\0\x01", 4 + 33)
    assert AESGCM(ring.derive("p", "d").secret()).decrypt(blob[5:17], blob[17:], blob[:5] + b"for") == b"data"


def test_a_blob_is_bound_to_its_place():
    """A blob for one stream and segment is format 2, bound to the names with their lengths, and opens nowhere else."""
    ring = KeyRing.new()
    blob = Sealer(ring, "packed", "s", ("orders", "s")).seal(b"data", b"for")
    assert blob[:5] == b"\x02\0\0\0\x01"
    bound = b"\0\0\0\x06orders\0\0\0\x01s"
    assert AESGCM(ring.derive("packed", "s").secret()).decrypt(blob[5:17], blob[17:], blob[:5] + bound + b"for") == b"data"
    assert Sealer(ring, "packed", "s", ("orders", "s")).open(blob, b"for") == b"data"
    for elsewhere in (("events", "s"), ("order", "ss"), ("orders",), ()):
        with pytest.raises(DecryptionError):
            Sealer(ring, "packed", "s", elsewhere).open(blob, b"for")
    with pytest.raises(DecryptionError):  # said to be of the format that was bound to nothing
        Sealer(ring, "packed", "s", ("orders", "s")).open(b"\x01" + blob[1:], b"for")


def test_what_was_sealed_before_it_was_bound_still_opens():
    """Packets and state of an earlier release, in format 1, open in the place that they are now bound to."""
    ring = KeyRing.new()
    assert Sealer(ring, "state", "s", ("orders", "s")).open(Sealer(ring, "state", "s").seal(b"data", b"name"), b"name") == b"data"


def test_opens_what_an_older_version_sealed():
    """After a rotation new blobs carry the new version and old ones still open."""
    ring = KeyRing.new()
    old = Sealer(ring, "p", "d").seal(b"old")
    after = Sealer(ring.rotated(), "p", "d")
    assert after.seal(b"new")[:5] == b"\x01\0\0\0\x02"
    assert after.open(old) == b"old"


def test_anything_wrong_is_one_error():
    """Another ring, purpose, domain, format, version or any changed byte ends in the same words."""
    ring = KeyRing.new()
    sealer, words = Sealer(ring, "p", "d"), set()
    blob = sealer.seal(b"data", b"for")
    tries = [(Sealer(KeyRing.new(), "p", "d"), blob), (Sealer(ring, "q", "d"), blob), (Sealer(ring, "p", "e"), blob), (sealer, b"")]
    tries += [(sealer, bytes([*blob[:i], blob[i] ^ 1, *blob[i + 1:]])) for i in range(len(blob))]
    tries += [(Sealer(ring.rotated(), "p", "d"), bytes([*blob[:4], 2, *blob[5:]]))]
    for opener, content in tries:
        with pytest.raises(DecryptionError) as caught:
            opener.open(content, b"for")
        assert caught.value.__context__ is None
        words.add(str(caught.value))
    with pytest.raises(DecryptionError):
        sealer.open(blob)
    assert words == {"the value cannot be opened"}


def test_stays_in_its_process():
    """A sealer is neither pickled nor shown."""
    sealer = Sealer(KeyRing.new(), "p", "d")
    with pytest.raises(TypeError):
        pickle.dumps(sealer)
    assert repr(sealer) == "<Sealer>"
