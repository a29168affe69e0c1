"""Addresses of key rings."""

import subprocess
import sys

import pytest

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.providers import fingerprint, open_ring, wrapper_at
from flink_masking.keys.providers.address import Address, is_safe_endpoint

GCP = "gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k"


@pytest.mark.parametrize(("uri", "parts"), [
    ("file:///a?b#c%20d", ("file", "/a?b#c d", {}, "")),
    ("env://A%20B", ("env", "A%20B", {}, "")),
    ("vault://h:8200/secret/data/a?tls=off#keys", ("vault", "h:8200/secret/data/a", {"tls": "off"}, "keys")),
    ("aws-kms://arn:aws:kms:eu-west-1:1:key/k?ring=file:///a%20b",
     ("aws-kms", "arn:aws:kms:eu-west-1:1:key/k", {"ring": "file:///a b"}, "")),
    ("aws-kms://k?ring=vault://h/secret/data/a%23f", ("aws-kms", "k", {"ring": "vault://h/secret/data/a#f"}, "")),
])
def test_an_address_is_taken_apart(uri, parts):
    """Scheme, name, options and field; files and variables have names only."""
    assert tuple(Address.parse(uri)) == parts


def test_an_address_is_put_together_again():
    """The address for another ring leads to the same key and names that ring, whatever its path holds."""
    address = Address.parse("aws-kms://alias/my%20key?region=eu-west-1&ring=file:///old")
    again = Address.parse(address.of("file:///new?x&y#z 1"))
    assert again == Address("aws-kms", "alias/my key", {"region": "eu-west-1", "ring": "file:///new?x&y#z 1"}, "")
    assert address.of(None) == "aws-kms://alias/my%20key?region=eu-west-1"


@pytest.mark.parametrize(("uri", "said"), [
    ("vault://user:s3cret@h/secret/data/a", "no user and no password"),
    ("vault://user%3As3cret%40h/secret/data/a", "no user and no password"),
    ("aws-kms://k?s3cret", "cannot be read"),
    ("aws-kms://k?ring=file:///s3cret&ring=file:///b", "each once"),
    ("aws-kms://?ring=file:///a", "names nothing"),
])
def test_addresses_that_are_refused_are_not_repeated(uri, said):
    """An address with a password, broken or doubled options or no name is refused, and the part that is wrong not repeated."""
    with pytest.raises(KeyRingError, match=f"{said}.*") as caught:
        open_ring(uri)
    assert "s3cret" not in str(caught.value) and "Hint: " in str(caught.value)


@pytest.mark.parametrize(("uri", "said"), [
    ("aws-kms://k?region=eu-west-1", "names no ring. Hint: add ring="),
    ("aws-kms://k?region=eu-west-1&ring=aws-kms://k", "not stored at aws-kms://"),
    ("aws-kms://k?region=eu-west-1&token=x&ring=file:///a", "token is not an option of this address"),
    ("aws-kms://k?endpoint=http://kms.example&region=eu-west-1&ring=file:///a", "over TLS"),
    ("vault://h/secret/a", "names no secret"),
    ("vault://h", "names no secret"),
    ("vault://h/secret/data/a?ring=file:///a", "ring is not an option of this address"),
    ("vault+transit://h/transit/k?ring=file:///a", "names no key"),
    ("gcp-kms://projects/p?ring=file:///a", "names no key"),
    (GCP + "/cryptoKeyVersions/1?ring=file:///a", "names no key"),
    ("azure-kv://v.vault.azure.net/secrets/k?ring=file:///a", "names no key"),
    ("azure-kv://v.vault.azure.net/keys/?ring=file:///a", "names no key"),
])
def test_addresses_that_are_not_complete(uri, said):
    """An address that its provider cannot use is an error that says why, with a hint, before anything is called."""
    with pytest.raises(KeyRingError, match=f"{said}.*") as caught:
        open_ring(uri)
    assert "Hint: " in str(caught.value)


def test_only_wrapping_keys_wrap():
    """A place where rings are stored wraps nothing."""
    with pytest.raises(KeyRingError, match=r"file:// cannot wrap keys\. Hint: known are vault\+transit://"):
        wrapper_at(Address.parse("file:///a"))


@pytest.mark.parametrize(("scheme", "host", "safe"), [
    ("https", "vault.example:8200", True), ("http", "localhost:8200", True), ("http", "127.0.0.1", True), ("http", "[::1]:8200", True),
    ("http", "vault.example:8200", False), ("http", "localhost.example", False), ("http", "localhost@vault.example", False),
    ("", "localhost", False), ("ftp", "localhost", False),
])
def test_keys_travel_over_tls_or_stay_on_the_machine(scheme, host, safe):
    """Without TLS only this machine is a safe place."""
    assert is_safe_endpoint(scheme, host) == safe


SDKS = {
    "vault://h/secret/data/a": ("hvac", "flink-masking[vault]"),
    "vault+transit://h/transit/keys/k?ring=file:///a": ("hvac", "flink-masking[vault]"),
    "aws-kms://k?ring=file:///a": ("boto3", "flink-masking[aws]"),
    GCP + "?ring=file:///a": ("google.cloud", "flink-masking[gcp]"),
    "azure-kv://v.vault.azure.net/keys/k?ring=file:///a": ("azure", "flink-masking[azure]"),
}


def test_a_missing_sdk_is_named_with_its_extra():
    """Where an SDK is not installed the error names what to install; nothing else of the library needs it."""
    program = "import sys\nfrom flink_masking.keys.providers import open_ring\nfrom flink_masking.errors import KeyRingError\n"
    program += "sys.modules.update(dict.fromkeys(('hvac', 'boto3', 'botocore', 'google.cloud', 'azure', 'azure.identity')))\n"
    program += f"for uri in {list(SDKS)!r}:\n try: open_ring(uri)\n except KeyRingError as error: print(error)\n"
    lines = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(SDKS)
    for line, (_, extra) in zip(lines, SDKS.values(), strict=True):
        assert "which is not installed" in line and f"Hint: pip install '{extra}'" in line


def test_providers_are_loaded_when_they_are_needed():
    """Opening a file loads no SDK."""
    program = "import sys; import flink_masking.keys.watch, flink_masking.keys.providers.stored\n"
    program += "print([m for m in ('hvac', 'boto3', 'requests', 'google.cloud', 'azure') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_fingerprints_of_files_and_variables(tmp_path, monkeypatch):
    """A fingerprint is the same while nothing changes, another one after a change, and holds nothing of the ring."""
    path = tmp_path / "keys.json"
    ring = files.create(path)
    monkeypatch.setenv("RING", ring.dump().decode())
    before = [fingerprint(uri) for uri in (f"file://{path}", "env://RING")]
    assert before == [fingerprint(uri) for uri in (f"file://{path}", "env://RING")]
    files.edit(path, lambda data: ring.rotated().dump())
    monkeypatch.setenv("RING", ring.rotated().dump().decode())
    after = [fingerprint(uri) for uri in (f"file://{path}", "env://RING")]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert max(map(len, before)) < 100
