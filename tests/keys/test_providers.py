"""Key ring files and addresses."""

import base64
import os
import pathlib

import pytest

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.providers import open_ring


@pytest.fixture
def path(tmp_path):
    """A key ring file."""
    made = tmp_path / "keys.json"
    files.create(made)
    return made


def secret(ring):
    """A key that tells rings apart."""
    return ring.derive("p", "d").secret()


def test_create_is_for_the_owner_only(tmp_path):
    """A new file has mode 0600 whatever the umask, and opens as the ring that was returned."""
    before = os.umask(0)
    try:
        ring = files.create(tmp_path / "keys.json")
    finally:
        os.umask(before)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert secret(open_ring(f"file://{tmp_path}/keys.json")) == secret(ring)


def test_create_never_replaces(path):
    """A file that exists is left as it is."""
    before = path.read_bytes()
    with pytest.raises(KeyRingError, match=r"exists.*Hint"):
        files.create(path)
    assert path.read_bytes() == before


def test_create_in_no_directory(tmp_path):
    """A directory that is not there is a KeyRingError."""
    with pytest.raises(KeyRingError, match="cannot be written"):
        files.create(tmp_path / "none" / "keys.json")


def test_relative_and_quoted_addresses(path, monkeypatch):
    """file:// takes a relative path and percent escapes."""
    monkeypatch.chdir(path.parent)
    pathlib.Path("my keys.json").write_bytes(path.read_bytes())
    os.chmod("my keys.json", 0o400)
    assert secret(open_ring("file://keys.json")) == secret(open_ring("file://my%20keys.json")) == secret(files.read(path))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o610, 0o666, 0o777])
def test_files_open_to_others_are_refused(path, mode):
    """A file that group or others can use is refused, with the command that mends it."""
    path.chmod(mode)
    with pytest.raises(KeyRingError, match=r"accessible to other users.*Hint: chmod 600"):
        open_ring(f"file://{path}")


@pytest.mark.parametrize("as_base64", [False, True], ids=["json", "base64"])
def test_environment(path, monkeypatch, as_base64):
    """env:// takes the JSON itself or its base64, with white space around it."""
    data = path.read_bytes()
    monkeypatch.setenv("RING", f" {base64.b64encode(data).decode() if as_base64 else data.decode()}\n")
    assert secret(open_ring("env://RING")) == secret(files.read(path))


@pytest.mark.parametrize("text", ["c2VjcmV0IQ==", "not a ring", '{"format": "s3cret"', ""])
def test_environment_without_a_ring(monkeypatch, text):
    """A variable that holds anything else is an error without its content."""
    monkeypatch.setenv("RING", text)
    with pytest.raises(KeyRingError, match=r"^env://RING: not a key ring.*Hint") as caught:
        open_ring("env://RING")
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(("uri", "text"), [
    ("keys.json", "starts with file:// or env://"),
    ("ftp://keys.json", "no provider"),
    ("file://", "names nothing"),
    ("env://FLINK_MASKING_NO_SUCH_VARIABLE", "not set"),
    ("file:///no/such/keys.json", "no such key ring"),
])
def test_addresses_that_lead_nowhere(uri, text):
    """Each address that cannot be used is a KeyRingError that says why, with a hint."""
    with pytest.raises(KeyRingError, match=f"{text}.*Hint: "):
        open_ring(uri)


def test_a_wrong_path_is_no_reason_for_a_second_ring():
    """The hint says first to check the path, and what another ring would do to pseudonyms."""
    with pytest.raises(KeyRingError, match=r"Hint: check the path.*first run.*another ring gives other pseudonyms"):
        open_ring("file:///no/such/keys.json")


def test_directory_is_no_ring(tmp_path):
    """A directory is refused as an address."""
    with pytest.raises(KeyRingError, match="Hint"):
        open_ring(f"file://{tmp_path}")


def test_pasted_secret_is_not_repeated():
    """An address with an unknown scheme, or none, is not repeated in the error: it could be the secret itself."""
    for text in ("c2VjcmV0c2VjcmV0", "s3cret://x"):
        with pytest.raises(KeyRingError) as caught:
            open_ring(text)
        assert text not in str(caught.value)
