"""Public check values of key versions, and members that come twice."""

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path

import pytest
from waiting import CLIENT_S

from flink_masking.crypto.hkdf import subkey
from flink_masking.errors import KeyRingError
from flink_masking.keys.checks import check_value
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.wrapped import WrappedRing
from flink_masking.techniques.registry import purposes


class LocalKey:
    """A wrapping key that anyone can use: what is wrapped is the secret itself, as with a public key that all know."""

    def wrap(self, secret):
        """Nothing is hidden."""
        return b"open:" + secret

    def unwrap(self, wrapped):
        """What was wrapped."""
        return wrapped.removeprefix(b"open:")


def body(ring):
    """A ring's JSON."""
    return json.loads(ring.dump())


def parsed(content):
    """The ring of JSON."""
    return KeyRing.parse(content if isinstance(content, bytes) else json.dumps(content).encode(), "keys.json")


def test_a_check_value_is_what_the_page_says():
    """It is the front of an HMAC of a constant under a key that HKDF derives from the root, another for another version."""
    root = bytes(range(32))
    expected = hmac.new(subkey(root, "check", "", 3, 32), b"flink-masking key check 1", hashlib.sha256).hexdigest()[:16]
    assert check_value(root, 3) == expected != check_value(root, 4)


def test_every_version_has_one_and_keeps_it():
    """A version's check value is in the file, and the same in every state, when it is destroyed and in an export."""
    ring = KeyRing.new().added().added()
    checks = [ring.check(number) for number in (1, 2, 3)]
    after = parsed(ring.promoted(3).disabled(1).destroyed(2).dump())
    assert [after.check(number) for number in (1, 2, 3)] == checks and len(set(checks)) == 3
    assert [entry["check"] for entry in body(after)["versions"]] == checks
    assert [facts.check for facts in parsed(after.export(["d"], purposes()).dump()).facts()] == checks
    assert after.check() == checks[2]


def test_a_ring_of_an_earlier_release_gets_its_check_values():
    """A file without check values opens, and has them once it is written again."""
    ring = KeyRing.new().added()
    old = body(ring)
    for entry in old["versions"]:
        del entry["check"]
    del old["generation"]
    again = parsed(old)
    assert [again.check(1), again.check(2)] == [ring.check(1), ring.check(2)] and again.edition.generation == 0
    assert [entry["check"] for entry in body(again)["versions"]] == [ring.check(1), ring.check(2)]


@pytest.mark.parametrize("check", ["0" * 16, "", "0" * 15, "G" * 16, 5])
def test_a_check_value_that_does_not_fit_is_refused(check):
    """A root beside another root's check value, or something that is none, is an error without content."""
    changed = body(KeyRing.new())
    changed["versions"][0]["check"] = check
    with pytest.raises(KeyRingError, match=r"version entry 1.* check value.*Hint: restore") as caught:
        parsed(changed)
    assert changed["versions"][0]["root"] not in str(caught.value)


def test_a_wrapped_root_must_fit_its_check_value():
    """A wrapped root that was replaced is found out when it is unwrapped; a wrapped ring without check values gets them."""
    ring = WrappedRing.new("azure-kv://k", LocalKey())
    opened = ring.unwrap(LocalKey())
    assert ring.check() == opened.check() and body(ring)["versions"][0]["check"] == ring.check()
    forged = body(ring)
    forged["versions"][0]["wrapped"] = base64.b64encode(LocalKey().wrap(b"flink-masking root 1\0\0\0\1" + os.urandom(32))).decode()
    with pytest.raises(KeyRingError, match=r"version 1: its check value does not fit its root"):
        WrappedRing.parse(json.dumps(forged).encode(), "x").unwrap(LocalKey())
    old = body(ring)
    del old["versions"][0]["check"]
    assert WrappedRing.parse(json.dumps(old).encode(), "x").unwrap(LocalKey()).check() == opened.check()


@pytest.mark.parametrize(("place", "twice"), [
    ('"format"', '"format": "flink-masking key ring 1", '), ('"state"', '"state": "enabled", '), ('"root"', '"root": "AAAA", '),
    ('"versions"', '"versions": [], '),
])
def test_a_member_that_comes_twice_is_refused(place, twice):
    """Readers of JSON differ in which of two members they take, so such a ring is no ring; the error holds nothing of it."""
    text = KeyRing.new().dump().decode()
    root = json.loads(text)["versions"][0]["root"]
    with pytest.raises(KeyRingError, match=r"keys\.json: an object has two members of the same name.*Hint: ") as caught:
        parsed(text.replace(place, twice + place, 1).encode())
    assert root not in str(caught.value) and caught.value.__context__ is None


@pytest.mark.parametrize(("name", "value"), [("generation", -1), ("generation", "5"), ("generation", True), ("replaces", 1.5),
                                             ("generation", 1 << 53), ("signature", "!"), ("signature", 5)])
def test_members_of_the_wrong_kind_are_refused(name, value):
    """Generations are whole numbers, a signature is base64."""
    with pytest.raises(KeyRingError, match=rf"'{name}'.*Hint: "):
        parsed({**body(KeyRing.new()), name: value})


def test_the_generation_grows_with_each_change():
    """Each step is a generation; a view of another version and an export are none."""
    ring = KeyRing.new()
    assert [ring.edition.generation, ring.added().edition.generation, ring.rotated().edition.generation] == [1, 2, 3]
    turned = parsed(ring.rotated().dump())
    assert (turned.edition.generation, turned.at(1).edition, turned.export(["d"], []).edition) == (3, turned.edition, turned.edition)


def test_a_file_of_another_user_is_refused(cli_as, tmp_path):
    """A ring that another user owns, and so can change, is refused with the owner that it should have; root's own is read."""
    said = cli_as(1234, tmp_path)
    assert "belongs to another user (uid 1235), who could change it. Hint: chown 1234 " in said


@pytest.fixture
def cli_as():
    """Runs a reader as another user, on a ring of a third one's that all may reach."""
    import subprocess
    import sys

    if os.geteuid() != 0:
        pytest.skip("only root can give files away")

    def run(user, folder):
        path = Path(folder) / "keys.json"
        path.write_bytes(KeyRing.new().dump())
        path.chmod(0o600)
        os.chown(path, 1235, 1235)
        program = ("import os, sys; from flink_masking.keys import files\nf = os.open(sys.argv[1], os.O_RDONLY)\n"
                   f"os.setgid({user}); os.setuid({user})\n"
                   "try: print(files._contents(f, sys.argv[1]))\nexcept Exception as error: print(error)")
        return subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=CLIENT_S).stdout

    return run
