"""The key ring and its handles."""

import base64
import copy
import json
import pickle
import re
import subprocess
import sys

import cloudpickle
import pytest

from flink_masking.crypto.hkdf import subkey
from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import KeyRing

ROOT = base64.b64encode(bytes(range(32))).decode()


def document(**changes):
    """A key ring file with one version."""
    version = {"version": 1, "state": "primary", "created": "2024-03-15T10:30:00+00:00", "root": ROOT, **changes}
    return {"format": "flink-masking key ring 1", "versions": [version]}


def two(**changes):
    """A key ring file with two versions, the second of them changed."""
    return {**document(), "versions": [document()["versions"][0], document(version=2, **changes)["versions"][0]]}


def parse(content):
    """The ring in bytes or in a document."""
    return KeyRing.parse(content if isinstance(content, bytes) else json.dumps(content).encode(), "keys.json")


def test_new_ring_round_trips():
    """A ring that is written and read again derives the same keys."""
    ring = KeyRing.new()
    again = KeyRing.parse(ring.dump(), "x")
    assert (again.primary, again.versions) == (1, (1,))
    assert again.derive("p", "d").secret() == ring.derive("p", "d").secret()
    assert again.dump() == ring.dump()


def test_file_format():
    """The file is JSON with a format name and, for each version, number, state, ISO time and 32 bytes of root in base64."""
    made = json.loads(KeyRing.new().dump())
    (version,) = made["versions"]
    assert made["format"] == "flink-masking key ring 1"
    assert (version["version"], version["state"], len(base64.b64decode(version["root"]))) == (1, "primary", 32)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", version["created"])


def test_derive_is_hkdf_of_the_version():
    """A key is the HKDF subkey of purpose, domain and version, and the handle says which version it is."""
    handle = parse(document()).derive("pseudonym", "customer", length=16)
    assert (handle.version, handle.secret()) == (1, subkey(bytes(range(32)), "pseudonym", "customer", 1, 16))


def test_rotation_keeps_what_was():
    """After a rotation the new version is primary and the old one still gives its keys."""
    ring = KeyRing.new()
    turned = KeyRing.parse(ring.rotated().dump(), "x")
    assert (turned.primary, turned.versions) == (2, (1, 2))
    assert turned.derive("p", "d").secret() != ring.derive("p", "d").secret()
    assert turned.derive("p", "d", version=1).secret() == ring.derive("p", "d").secret()


def test_unknown_version_is_an_error():
    """A version that the ring lacks is a KeyRingError with a hint."""
    with pytest.raises(KeyRingError, match=r"no version 7.*Hint"):
        KeyRing.new().derive("p", "d", version=7)


def test_rings_are_random():
    """Two new rings, and two ephemeral ones, share no key."""
    assert len({ring.derive("p", "d").secret() for ring in (KeyRing.new(), KeyRing.new(), KeyRing.ephemeral(), KeyRing.ephemeral())}) == 4


@pytest.mark.parametrize("make", [KeyRing.new, lambda: KeyRing.new().derive("p", "d")], ids=["ring", "handle"])
@pytest.mark.parametrize("way", [
    pickle.dumps, cloudpickle.dumps, copy.copy, copy.deepcopy, lambda x: pickle.dumps([x], 0), lambda x: cloudpickle.dumps(lambda: x),
])
def test_keys_stay_in_their_process(make, way):
    """Neither a ring nor a handle can be pickled or copied, not even inside a function."""
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        way(make())


def test_repr_is_constant():
    """Printing a ring or a handle tells nothing of the key."""
    ring = KeyRing.new()
    assert {repr(ring), str(ring), f"{ring}"} == {"<KeyRing>"}
    assert {repr(ring.derive("p", "d")), str(ring.derive("p", "d"))} == {"<KeyHandle>"}
    assert not hasattr(ring, "__dict__")
    assert not hasattr(ring.derive("p", "d"), "__dict__")


PART = {name: value for name, value in document()["versions"][0].items() if name != "root"}
SECOND = {**document()["versions"][0], "version": 2}
FAULTS = {
    "not json": b"{" + ROOT.encode(),
    "not utf-8": b"\xff\xfe" + ROOT.encode(),
    "too deep": b"[" * 100_000,
    "a list": [ROOT],
    "other format": {**document(), "format": ROOT},
    "no versions": {"format": "flink-masking key ring 1"},
    "empty": {"format": "flink-masking key ring 1", "versions": []},
    "entry is text": {**document(), "versions": [ROOT]},
    "number zero": document(version=0),
    "number as text": document(version=ROOT),
    "number true": document(version=True),
    "number too large": document(version=1 << 32),
    "unknown state": document(state=ROOT),
    "no primary": document(state="enabled"),
    "two primaries": {**document(), "versions": [document()["versions"][0], SECOND]},
    "number twice": {**document(), "versions": [document()["versions"][0], {**SECOND, "version": 1, "state": "enabled"}]},
    "no time": document(created=None),
    "broken time": document(created=ROOT),
    "root of 31 bytes": document(root=base64.b64encode(bytes(range(31))).decode()),
    "root not base64": document(root=ROOT[:-1] + "!"),
    "root is a number": document(root=5),
    "destroyed without a time": two(state="destroyed"),
    "destroyed with a root": two(state="destroyed", destroyed="2024-03-16"),
    "destroyed and primary": document(destroyed="2024-03-16"),
    "disabled without a root": two(state="disabled", root=None),
    "wrapped among roots": document(wrapped=ROOT),
    "root among wrapped": {**document(), "wrapped_by": "aws-kms://k"},
    "wrapped by no address": {**document(), "wrapped_by": ROOT},
    "wrapped by a terminal escape": {**document(), "wrapped_by": "aws-kms://\x1b[2J"},
    "domains and roots": {**document(), "domains": ["d"]},
    "no domains": {**document(), "domains": []},
    "domains and wrapped": {**document(), "domains": ["d"], "wrapped_by": "aws-kms://k"},
    "keys without a list": {"format": document()["format"], "domains": ["d"], "versions": [{**PART, "keys": ROOT}]},
    "a short key": {
        "format": document()["format"], "domains": ["d"], "versions": [{**PART, "keys": [{"purpose": "fpe", "domain": "d", "key": ROOT}]}],
    },
    "too large": b" " * (1 << 20) + json.dumps(document()).encode(),
}


@pytest.mark.parametrize("content", FAULTS.values(), ids=FAULTS.keys())
def test_broken_rings_are_refused_without_content(content):
    """Whatever is wrong with a ring is a KeyRingError that names the source and gives a hint, and never holds content."""
    with pytest.raises(KeyRingError, match=r"^keys\.json: .*Hint: ") as caught:
        parse(content)
    assert ROOT[:8] not in str(caught.value)
    assert caught.value.__context__ is None
    assert type(pickle.loads(pickle.dumps(caught.value))) is KeyRingError


def test_ephemeral_ring_needs_no_file(tmp_path):
    """An ephemeral ring works in a fresh process without pyflink, numba or pyarrow."""
    code = ("import sys; from flink_masking.keys.ring import KeyRing; KeyRing.ephemeral().derive('p', 'd');"
            "print([m for m in ('pyflink', 'numba', 'pyarrow') if m in sys.modules])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
