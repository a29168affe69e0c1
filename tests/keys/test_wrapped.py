"""Rings whose roots are wrapped, with a key of this process in the place of a service."""

import base64
import json
import os
import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.wrapped import WrappedRing, parse_any


class LocalKey:
    """A wrapping key that counts its uses."""

    def __init__(self):
        """A fresh AES key."""
        self.cipher, self.wraps, self.unwraps = AESGCM(os.urandom(32)), 0, 0

    def wrap(self, secret):
        """AES-GCM."""
        self.wraps += 1
        nonce = os.urandom(12)
        return nonce + self.cipher.encrypt(nonce, secret, None)

    def unwrap(self, wrapped):
        """AES-GCM."""
        self.unwraps += 1
        return self.cipher.decrypt(wrapped[:12], wrapped[12:], None)


@pytest.fixture
def key():
    """A wrapping key."""
    return LocalKey()


def new(key):
    """A wrapped ring that was written and read again."""
    return WrappedRing.parse(WrappedRing.new("aws-kms://key", key).dump(), "keys.json")


def test_a_wrapped_ring_unwraps_to_the_same_keys(key):
    """Each unwrapping gives the same keys; another ring gives others."""
    ring = new(key)
    assert ring.unwrap(key).derive("p", "d").secret() == ring.unwrap(key).derive("p", "d").secret()
    assert ring.unwrap(key).derive("p", "d").secret() != new(key).unwrap(key).derive("p", "d").secret()


def test_no_root_is_in_the_file(key):
    """The file names the wrapping key and holds no root."""
    ring = new(key)
    root = json.loads(ring.unwrap(key).dump())["versions"][0]["root"]
    text = ring.dump().decode()
    assert base64.b64decode(root) not in base64.b64decode(json.loads(text)["versions"][0]["wrapped"])
    assert root not in text
    assert json.loads(text)["wrapped_by"] == "aws-kms://key"


def test_states_change_without_the_service(key):
    """Promoting, disabling, enabling and destroying ask nothing of the wrapping key; adding asks once."""
    ring = new(key).added(key).added(key)
    assert (key.wraps, key.unwraps) == (3, 0)
    after = WrappedRing.parse(ring.promoted(3).disabled(2).enabled(2).disabled(1).destroyed(1).dump(), "x")
    assert (key.wraps, key.unwraps, after.wrapped_by) == (3, 0, "aws-kms://key")
    assert [facts.state for facts in after.facts()] == ["destroyed", "enabled", "primary"]
    assert "wrapped" not in json.loads(after.dump())["versions"][0]
    opened = after.unwrap(key)
    assert (key.unwraps, opened.primary, opened.versions) == (2, 3, (2, 3))
    assert opened.facts() == after.facts()
    with pytest.raises(KeyRingError, match="was destroyed on"):
        opened.derive("p", "d", 1)


def test_roots_do_not_change_places(key):
    """The root of one version in the place of another's is found out."""
    body = json.loads(new(key).added(key).dump())
    body["versions"][0]["wrapped"] = body["versions"][1]["wrapped"]
    with pytest.raises(KeyRingError, match=r"version 1 was wrapped as something else.*Hint"):
        WrappedRing.parse(json.dumps(body).encode(), "x").unwrap(key)


def test_what_was_wrapped_for_another_use_is_no_root(key):
    """A secret that the same key wrapped elsewhere is not taken for a root."""
    body = json.loads(new(key).dump())
    body["versions"][0]["wrapped"] = base64.b64encode(key.wrap(os.urandom(32))).decode()
    with pytest.raises(KeyRingError, match="something else"):
        WrappedRing.parse(json.dumps(body).encode(), "x").unwrap(key)


def test_kinds_of_rings_are_told_apart(key):
    """A wrapped ring is not opened as a plain one, nor a plain one as a wrapped one; a file is read as what it is."""
    wrapped, plain = new(key), KeyRing.new()
    with pytest.raises(KeyRingError, match=r"its roots are wrapped\. Hint: open it through aws-kms://key"):
        KeyRing.parse(wrapped.dump(), "x")
    with pytest.raises(KeyRingError, match=r"its roots are not wrapped\. Hint: 'flink-masking keys new FILE --wrap"):
        WrappedRing.parse(plain.dump(), "x")
    assert [type(parse_any(ring.dump(), "x")) for ring in (wrapped, plain, plain.export(["d"], ["fpe"]))] == [WrappedRing, KeyRing, KeyRing]


def test_a_wrapped_ring_stays_in_its_process(key):
    """A wrapped ring is neither pickled nor shown."""
    with pytest.raises(TypeError):
        pickle.dumps(new(key))
    assert repr(new(key)) == "<WrappedRing>"
