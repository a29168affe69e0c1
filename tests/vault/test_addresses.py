"""Opening vaults: addresses, files, and what is wrong with them."""

import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

from flink_masking.errors import FlinkMaskingError, VaultError, VaultUnavailableError
from flink_masking.keys.ring import KeyRing
from flink_masking.techniques.tokenize.forms import uuids
from flink_masking.vault.providers import open_vault
from flink_masking.vault.tokenizer import Tokenizer

RING = KeyRing.new()


def make(vault, *texts):
    """Tokens of texts."""
    return Tokenizer(vault, RING, "d", "uuid", uuids).tokens(pa.array(texts)).to_pylist()


def test_a_file_is_made_for_its_owner_alone(tmp_path):
    """The file and what SQLite keeps beside it have mode 0600, whatever the umask."""
    before = os.umask(0)
    try:
        make(open_vault(f"sqlite://{tmp_path}/vault.db"), "x")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 3


def test_relative_and_quoted_paths(tmp_path, monkeypatch):
    """A path after two slashes is relative to the working directory; percent signs are decoded; no name is SQLite's own."""
    monkeypatch.chdir(tmp_path)
    for address in ("a%20b.db", ":memory:", "file:x?mode=memory"):
        token = make(open_vault(f"sqlite://{address}"), "x")
        assert make(open_vault(f"sqlite://{address}"), "x") == token
    assert {"a b.db", ":memory:", "file:x?mode=memory"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("redis://host/0", "no token vault has this scheme. Hint: known are sqlite://, postgresql://"),
        ("/var/vault.db", "starts with sqlite:// or postgresql://"),
        ("sqlite://", "starts with sqlite:// or postgresql://"),
        ("sqlite:///no/such/directory/vault.db", "cannot be made"),
        ("sqlite:///tmp", "not a file"),
        ("postgresql://u:PASSWORD@host/x?nothing=known", "cannot be read. Hint"),
        ("postgresql://u:PASSWORD@127.0.0.1:1/x", "could not be reached for 0.1 s"),
    ],
)
def test_addresses_that_name_no_vault(uri, what):
    """An address that cannot be used is an error that says what to write, never shows a password, and survives pickling."""
    with pytest.raises(VaultError) as caught:
        open_vault(uri, patience=0.1)
    assert what in str(caught.value)
    assert "Hint: " in str(caught.value)
    assert "PASSWORD" not in repr(caught.value)
    assert isinstance(caught.value, VaultUnavailableError) is ("could not be reached" in what)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert isinstance(caught.value, FlinkMaskingError)


def test_a_file_that_others_can_use_is_refused(tmp_path):
    """A vault file with rights for group or others is not opened."""
    path = tmp_path / "vault.db"
    open_vault(f"sqlite://{path}").close()
    path.chmod(0o640)
    with pytest.raises(VaultError, match=r"mode 0640.*Hint: chmod 600"):
        open_vault(f"sqlite://{path}")


def test_files_that_are_no_vault_are_refused(tmp_path):
    """Neither another program's database nor any other file is written to."""
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE people (name TEXT)")
    other.close()
    (tmp_path / "text").write_text("not a database" * 100)
    for name, what in (("other.db", "not a token vault of this release"), ("text", "not a token vault")):
        (tmp_path / name).chmod(0o600)
        with pytest.raises(VaultError, match=what):
            open_vault(f"sqlite://{tmp_path / name}")


def test_a_writer_that_stays_is_waited_for_and_then_an_error(tmp_path):
    """While another writer holds the file, tokens that stand are read; new ones wait, fail whole, and are made when it has gone."""
    vault = open_vault(f"sqlite://{tmp_path}/vault.db", patience=0.3)
    kept = make(vault, "x")
    other = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert Tokenizer(vault, RING, "d", "uuid", uuids).values(pa.array(kept)).to_pylist() == ["x"]
    with pytest.raises(VaultUnavailableError, match=r"busy with other writers for 0\.3 s") as caught:
        make(vault, "x", "SECRET")
    assert "SECRET" not in str(caught.value)
    other.execute("ROLLBACK")
    assert make(vault, "x", "SECRET")[0] == kept[0]


HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def test_another_process_at_the_file_is_waited_for(tmp_path):
    """While another process writes, new tokens wait and then fail whole, standing ones are told; when it dies in time they are made."""
    uri = f"sqlite://{tmp_path}/vault.db"
    kept = make(open_vault(uri), "x")
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path / "vault.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(VaultError, match=r"busy with other writers for 0\.2 s"):
            make(open_vault(uri, patience=0.2), "x", "y")
        assert make(open_vault(uri, patience=0.2), "x") == kept
        threading.Timer(0.3, holder.kill).start()
        made = make(open_vault(uri, patience=20), "x", "y")
    assert made[0] == kept[0] and len(set(made)) == 2


def test_a_closed_vault_is_an_error(tmp_path):
    """A vault that was closed makes no tokens."""
    vault = open_vault(f"sqlite://{tmp_path}/vault.db")
    vault.close()
    with pytest.raises(VaultError, match="cannot be used"):
        make(vault, "x")


def test_psycopg_is_asked_for_by_name(monkeypatch):
    """Without psycopg the error says which extra to install."""
    monkeypatch.setitem(sys.modules, "flink_masking.vault.postgres", None)
    with pytest.raises(VaultError, match=r"pip install 'flink-masking\[postgres\]'"):
        open_vault("postgresql://host/x")
