"""flink-masking keys."""

import base64
import json
import os
import re

import pytest

from flink_masking.keys.document import decode
from flink_masking.keys.files import read

VERBS = ("new", "add", "promote", "disable", "enable", "destroy", "list", "export", "restore", "signer", "sign")


def test_a_new_key_ring_is_for_its_owner_only(cli, tmp_path):
    """keys new writes a ring of one version with mode 0600, which opens again, and shows no key."""
    path = tmp_path / "keys.json"
    done = cli("keys", "new", path)
    assert (done.code, path.stat().st_mode & 0o777) == (0, 0o600)
    assert read(path).versions == (1,)
    roots = [line.split('"')[3] for line in path.read_text().splitlines() if '"root"' in line]
    assert roots and not any(root in done.out + done.err for root in roots)
    assert f"file://{path}" in done.out


def test_a_key_ring_is_never_replaced(cli, tmp_path):
    """keys new leaves a file that is there as it is, and says so."""
    path = tmp_path / "keys.json"
    path.write_text("precious")
    done = cli("keys", "new", path)
    assert (done.code, path.read_text()) == (1, "precious")
    assert "exists" in done.err and "Hint:" in done.err


def test_a_directory_that_is_not_there_is_named(cli, tmp_path):
    """keys new into a missing directory is a clear error."""
    done = cli("keys", "new", tmp_path / "nowhere" / "keys.json")
    assert done.code == 1
    assert "nowhere" in done.err and "Traceback" not in done.err


@pytest.fixture
def path(cli, tmp_path):
    """A key ring of two versions."""
    made = tmp_path / "keys.json"
    for verb in ("new", "add"):
        assert cli("keys", verb, made).code == 0
    return made


def states(path):
    """State by number."""
    return {number: version.state for number, version in decode(path.read_bytes(), "x").versions.items()}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(cli, verb):
    """--help of each verb names its arguments and options, and the group lists the verb."""
    done = cli("keys", verb, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: flink-masking keys {verb} " in done.out
    listed = cli("keys", "--help").out
    assert re.search(rf"^  {verb} .*[^.]\.$", listed, re.MULTILINE), "one whole sentence in the list"


def test_the_life_of_a_version(cli, path):
    """add, promote, disable, enable and destroy change the states, each says so, and the file keeps mode 0600."""
    steps = [
        (("promote", 2), {1: "enabled", 2: "primary"}),
        (("disable", 1), {1: "disabled", 2: "primary"}),
        (("enable", 1), {1: "enabled", 2: "primary"}),
        (("destroy", 1, "--yes"), {1: "destroyed", 2: "primary"}),
        (("add",), {1: "destroyed", 2: "primary", 3: "enabled"}),
    ]
    assert states(path) == {1: "primary", 2: "enabled"}
    for (verb, *rest), after in steps:
        done = cli("keys", verb, path, *rest)
        assert (done.code, done.err, states(path)) == (0, "", after)
        assert str(path) in done.out
        assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["keys.json"]


def test_closing_the_oldest_version_tells_what_it_means_to_people(cli, path):
    """Disabling or destroying the version that people are hashed with says that state kept under it will be refused; others do not."""
    cli("keys", "add", path)
    cli("keys", "promote", path, 3)
    assert "people" not in cli("keys", "disable", path, 2).out
    for verb, *rest in (("disable", 1), ("destroy", 1, "--yes")):
        told = cli("keys", verb, path, *rest).out
        assert "people are now hashed with version 3" in told and "version 1 refuse to restart" in told and "Hint:" in told


def test_destroying_takes_a_yes(cli, path):
    """Without --yes nothing is destroyed, and the message says what it would mean."""
    cli("keys", "promote", path, 2)
    before = path.read_bytes()
    done = cli("keys", "destroy", path, 1)
    assert (done.code, path.read_bytes()) == (1, before)
    assert "never be opened again" in done.err and "Hint: pass --yes" in done.err


def test_steps_that_cannot_be_taken(cli, path):
    """A step that a state does not allow ends with 1 and a message with file, state and hint; the file stays."""
    before = path.read_bytes()
    for verb, *rest in (("promote", 9), ("promote", 1), ("disable", 1), ("enable", 2), ("destroy", 1, "--yes")):
        done = cli("keys", verb, path, *rest)
        assert (done.code, path.read_bytes()) == (1, before)
        assert f"error: {path}: " in done.err and "Hint: " in done.err


def test_a_list_shows_states_and_no_secret(cli, path):
    """keys list shows generation, number, state, check value and times of every version, and no secret."""
    cli("keys", "promote", path, 2)
    cli("keys", "destroy", path, 1, "--yes")
    done = cli("keys", "list", path)
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[:2] == [["generation", "4"], ["version", "state", "check", "created", "destroyed"]]
    checks = [version.check for version in decode(path.read_bytes(), "x").versions.values()]
    assert [row[:3] for row in rows[2:]] == [["1", "destroyed", checks[0]], ["2", "primary", checks[1]]]
    assert [len(row) for row in rows[2:]] == [5, 4]
    assert json.loads(path.read_bytes())["versions"][1]["root"] not in done.out


def test_an_export_opens_its_domains(cli, path):
    """keys export writes a new file, mode 0600, with the keys of the domains; neither output nor file shows a root."""
    part = path.with_name("part.json")
    done = cli("keys", "export", path, "--domain", "customer", "--domain", "card", "--output", part)
    assert (done.code, part.stat().st_mode & 0o777) == (0, 0o600)
    assert read(part).derive("fpe", "card", 2).secret() == read(path).derive("fpe", "card", 2).secret()
    for entry in json.loads(path.read_bytes())["versions"]:
        assert entry["root"] not in part.read_text() + done.out
    listed = cli("keys", "list", part)
    assert "domains: card, customer\n" in listed.out
    key = json.loads(part.read_bytes())["versions"][0]["keys"][0]["key"]
    assert key not in listed.out + done.out


def test_an_export_replaces_nothing(cli, path):
    """keys export leaves a file that is there as it is."""
    before = path.read_bytes()
    done = cli("keys", "export", path, "--domain", "card", "--output", path)
    assert (done.code, path.read_bytes()) == (1, before)
    assert "exists" in done.err
    assert cli("keys", "export", path, "--output", path.with_name("x")).code == 2


def test_an_export_is_not_changed(cli, path):
    """The versions of an exported ring are not changed."""
    part = path.with_name("part.json")
    cli("keys", "export", path, "--domain", "card", "--output", part)
    for verb, *rest in (("add",), ("promote", 2), ("destroy", 2, "--yes")):
        done = cli("keys", verb, part, *rest)
        assert done.code == 1 and "some domains only" in done.err


class _Transit:
    """Stands for a Transit key: the bytes turned around."""

    def __init__(self, address):
        self.address = address

    def wrap(self, secret):
        return secret[::-1]

    def unwrap(self, wrapped):
        return wrapped[::-1]


@pytest.fixture
def wrapped(cli, tmp_path, monkeypatch):
    """A ring that a key which stands for Transit's wraps, and what `keys new` said."""
    from flink_masking.keys.providers import vault_transit

    monkeypatch.setattr(vault_transit, "wrapper", _Transit)
    done = cli("keys", "new", tmp_path / "keys.json", "--wrap", "vault+transit://vault.example:8200/transit/keys/ring?namespace=a")
    assert done.code == 0
    return tmp_path / "keys.json", done.out


def test_a_wrapped_ring_from_new_to_export(cli, wrapped):
    """keys new --wrap writes a ring that says its wrapping key; every verb works on it; the address it prints opens it."""
    from flink_masking.keys.providers import open_ring

    path, said = wrapped
    address = re.search(r"--keys '(.+)'", said)[1]
    assert address == f"vault+transit://vault.example:8200/transit/keys/ring?namespace=a&ring=file://{path}"
    assert path.stat().st_mode & 0o777 == 0o600
    for verb, *rest in (("add",), ("promote", 2), ("disable", 1), ("destroy", 1, "--yes")):
        assert cli("keys", verb, path, *rest).code == 0
    listed = cli("keys", "list", path).out
    assert "wrapped by vault+transit://vault.example:8200/transit/keys/ring?namespace=a\n" in listed
    assert [line.split()[:2] for line in listed.splitlines()[3:]] == [["1", "destroyed"], ["2", "primary"]]
    part = path.with_name("part.json")
    assert cli("keys", "export", path, "--domain", "card", "--output", part).code == 0
    assert read(part).derive("fpe", "card").secret() == open_ring(address).derive("fpe", "card").secret()
    body = json.loads(path.read_bytes())
    assert base64.b64decode(body["versions"][1]["wrapped"])[::-1].startswith(b"flink-masking root 1")


@pytest.mark.parametrize(("wrap", "said"), [
    ("file:///x", "cannot wrap keys"), ("no address", "starts with"), ("vault+transit://h/transit", "names no key"),
    ("vault+transit://h/transit/keys/k?tls=off", "not possible here"),
])
def test_a_wrapping_key_that_cannot_be_used(cli, tmp_path, monkeypatch, wrap, said):
    """An address that wraps nothing leaves no file behind."""
    monkeypatch.setenv("VAULT_TOKEN", "t")
    done = cli("keys", "new", tmp_path / "keys.json", "--wrap", wrap)
    assert done.code == 1 and said in done.err and "Hint: " in done.err
    assert os.listdir(tmp_path) == []
