"""Signed key rings."""

import base64
import json
import os
import re

import pytest

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.providers import azure_kv, open_ring
from flink_masking.keys.signature import check_signature, new_signer, signed
from flink_masking.keys.watch import RingWatcher
from flink_masking.keys.wrapped import LABEL, WrappedRing


class PublicKey:
    """Stands for the service of an RSA key: whoever can call it can unwrap, and anyone at all can wrap."""

    def __init__(self, *_):
        """Nothing is called."""

    def wrap(self, secret):
        """As with a public key."""
        return b"v:" + secret

    def unwrap(self, wrapped):
        """As with a private key."""
        return wrapped.removeprefix(b"v:")


@pytest.fixture
def ring(tmp_path, monkeypatch):
    """A wrapped ring, its signer's file and public key, and its address with and without the signer."""
    monkeypatch.setattr(azure_kv, "wrapper", PublicKey)
    path, signer = tmp_path / "keys.json", tmp_path / "signer.pem"
    files.save_new(path, WrappedRing.new("azure-kv://n.vault.azure.net/keys/k", PublicKey()).added(PublicKey()).dump())
    public = new_signer(signer)
    address = f"azure-kv://n.vault.azure.net/keys/k?ring=file://{path}"
    return path, signer, public, f"{address}&signer={public}", address


def sign(path, signer):
    """Sign in place."""
    files.edit(path, lambda data: signed(data, "x", signer)[0])


def forged(data, number=1):
    """A ring with a root of somebody else's in it, wrapped as anyone can, and without the check value that would tell."""
    body = json.loads(data)
    body["versions"][number - 1]["wrapped"] = base64.b64encode(b"v:" + LABEL + number.to_bytes(4, "big") + os.urandom(32)).decode()
    del body["versions"][number - 1]["check"]
    return json.dumps(body).encode()


def test_a_forged_ring_opens_without_a_signer_and_not_with_one(ring, caplog):
    """A public wrapping key lets anyone put in a root, which is warned of; an address with a signer refuses it."""
    path, signer, _, address, bare = ring
    sign(path, signer)
    good = open_ring(address).derive("p", "d").secret()
    assert open_ring(bare).derive("p", "d").secret() == good and "wrapped with a public key" in caplog.text
    path.write_bytes(forged(path.read_bytes()))
    assert open_ring(bare).derive("p", "d").secret() != good
    with pytest.raises(KeyRingError, match=r"the signature does not fit the key ring.*Hint: "):
        open_ring(address)


@pytest.mark.parametrize("change", [
    lambda body: body["versions"][0].update(state="enabled") or body["versions"][1].update(state="primary"),
    lambda body: body.update(generation=9), lambda body: body.update(replaces=9),
    lambda body: body.update(wrapped_by="azure-kv://elsewhere.vault.azure.net/keys/k"),
    lambda body: body["versions"].pop(), lambda body: body["versions"][0].update(created="2001-01-01"),
    lambda body: body.update(signature=base64.b64encode(bytes(64)).decode()),
])
def test_a_signature_covers_everything(ring, change):
    """States, generation, address, versions and times cannot be changed without the signing key."""
    path, signer, public, _, _ = ring
    sign(path, signer)
    check_signature(path.read_bytes(), "keys.json", public)
    body = json.loads(path.read_bytes())
    change(body)
    with pytest.raises(KeyRingError, match="does not fit"):
        check_signature(json.dumps(body).encode(), "keys.json", public)


def test_a_change_takes_the_signature_away(ring):
    """After a change the job keeps the ring that it has, reports it, and takes the new one over when that is signed."""
    path, signer, _, address, _ = ring
    sign(path, signer)
    seconds, reports = [0.0], []
    watcher = RingWatcher(address, 30, lambda: seconds[0], reports.append)
    files.edit(path, lambda data: WrappedRing.parse(data, "x").promoted(2).dump())
    seconds[0] += 30
    assert watcher.ring().primary == 1 and "the key ring is not signed. Hint: flink-masking keys sign" in str(reports[0])
    sign(path, signer)
    seconds[0] += 30
    assert (watcher.ring().primary, len(reports)) == (2, 1)


def test_what_is_no_signer_is_refused(ring, tmp_path):
    """A key of another kind, another signer and a public key that is none are errors; nothing of a private key is in them."""
    path, signer, public, address, bare = ring
    with pytest.raises(KeyRingError, match="holds no Ed25519 key"):
        signed(path.read_bytes(), "x", path)
    sign(path, signer)
    other = new_signer(tmp_path / "other.pem")
    with pytest.raises(KeyRingError, match="does not fit"):
        open_ring(f"{bare}&signer={other}")
    for wrong in ("x", public[:-4], "%C3%A4", public + "AAAA"):
        with pytest.raises(KeyRingError, match=r"signer= is no public key.*Hint: "):
            open_ring(f"{bare}&signer={wrong}")
    signer.chmod(0o644)
    with pytest.raises(KeyRingError, match="accessible to other users"):
        signed(path.read_bytes(), "x", signer)
    assert address.count("signer=") == 1


def test_the_commands(cli, ring, tmp_path):
    """keys signer makes a signing key for its owner only, keys sign signs with it, and both print what an address takes."""
    path, _, _, _, bare = ring
    made = cli("keys", "signer", tmp_path / "s.pem")
    assert made.code == 0 and (tmp_path / "s.pem").stat().st_mode & 0o777 == 0o600
    done = cli("keys", "sign", path, "--with", tmp_path / "s.pem")
    public = re.search(r"signer=(\S+)", done.out)[1]
    assert (done.code, made.out.count(f"signer={public}"), path.stat().st_mode & 0o777) == (0, 1, 0o600)
    assert open_ring(f"{bare}&signer={public}").primary == 1
    assert "PRIVATE" not in made.out + done.out and cli("keys", "signer", tmp_path / "s.pem").code == 1


@pytest.fixture
def cli(monkeypatch, capsys):
    """Run commands as a shell would."""
    import sys
    from types import SimpleNamespace

    from flink_masking.cli import main

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["flink-masking", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=left.value.code or 0, out=out, err=err)

    return run
