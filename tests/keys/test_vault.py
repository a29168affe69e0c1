"""vault:// and vault+transit:// against a server that speaks Vault's HTTP interface."""

import base64
import json
import os
import time

import pytest

from flink_masking.errors import KeyRingError, KeyRingUnavailableError
from flink_masking.keys import files
from flink_masking.keys.providers import attempt, fingerprint, open_ring, wrapper_at
from flink_masking.keys.providers import vault as provider
from flink_masking.keys.providers.address import Address
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.watch import RingWatcher
from flink_masking.keys.wrapped import WrappedRing


def secret(ring):
    """A key that tells rings apart."""
    return ring.derive("p", "d").secret()


@pytest.fixture
def ring():
    """A ring."""
    return KeyRing.new()


@pytest.mark.parametrize("form", [
    lambda data: data.decode(), lambda data: base64.b64encode(data).decode(), json.loads,
], ids=["text", "base64", "object"])
def test_a_ring_in_a_secret(vault, ring, form):
    """The field of a secret holds the ring as JSON text, as its base64 or as an object; ``ring`` is the field by default."""
    vault.put("secret/app/keys", ring=form(ring.dump()), other="x")
    assert secret(open_ring(f"vault://{vault.host}/secret/data/app/keys?tls=off")) == secret(ring)
    vault.put("kv/team/a", mine=form(ring.dump()))
    assert secret(open_ring(f"vault://{vault.host}/kv/data/team/a?tls=off#mine")) == secret(ring)


def test_the_fingerprint_is_the_version_of_the_secret(vault, ring):
    """Writing the secret again changes the fingerprint, and a watcher takes the new ring."""
    vault.put("secret/keys", ring=ring.dump().decode())
    uri, now = f"vault://{vault.host}/secret/data/keys?tls=off", [0.0]
    before = fingerprint(uri)
    watcher = RingWatcher(uri, 30, lambda: now[0])
    assert fingerprint(uri) == before
    vault.put("secret/keys", ring=ring.rotated().dump().decode())
    now[0] = 30
    assert (fingerprint(uri) != before, watcher.ring().primary) == (True, 2)


def test_a_watcher_keeps_its_ring_while_vault_is_down(vault, ring):
    """A sealed Vault during a refresh is reported, and the ring stays."""
    vault.put("secret/keys", ring=ring.dump().decode())
    now, reports = [0.0], []
    watcher = RingWatcher(f"vault://{vault.host}/secret/data/keys?tls=off", 30, lambda: now[0], reports.append)
    first, vault.failing, now[0] = watcher.ring(), 503, 30
    assert watcher.ring() is first
    assert [str(report).partition(":")[0] for report in reports] == ["vault"]


def test_tls_is_the_default(vault_tls, ring, certificate, monkeypatch):
    """Without options the connection has TLS, and a certificate that is not trusted is refused; ca= or VAULT_CACERT trust it."""
    vault_tls.put("secret/keys", ring=ring.dump().decode())
    uri = f"vault://{vault_tls.host}/secret/data/keys"
    with pytest.raises(KeyRingError, match="cannot be reached") as caught:
        open_ring(uri)
    assert vault_tls.server.asked == 0
    assert "certificates" in str(caught.value)
    assert secret(open_ring(f"{uri}?ca={certificate}")) == secret(ring)
    monkeypatch.setenv("VAULT_CACERT", str(certificate))
    assert secret(open_ring(uri)) == secret(ring)
    monkeypatch.setenv("VAULT_CACERT", str(certificate) + ".none")
    with pytest.raises(KeyRingError, match="no such file of certificates"):
        open_ring(uri)


@pytest.mark.parametrize("options", ["tls=off", "tls=maybe"])
def test_no_token_leaves_the_machine_without_tls(vault, options):
    """tls=off is refused for any host but this machine."""
    with pytest.raises(KeyRingError, match=r"is not possible here.*Hint"):
        open_ring(f"vault://vault.example:8200/secret/data/keys?{options}")


def test_tokens(vault, ring, monkeypatch, tmp_path):
    """The token comes from the file of the address, else VAULT_TOKEN, else ~/.vault-token; without any nothing is asked."""
    vault.put("secret/keys", ring=ring.dump().decode())
    uri = f"vault://{vault.host}/secret/data/keys?tls=off"
    (tmp_path / "token").write_text(vault.token + "\n")
    monkeypatch.setenv("VAULT_TOKEN", "wrong")
    with pytest.raises(KeyRingError, match="access is refused"):
        open_ring(uri)
    assert secret(open_ring(f"{uri}&token_file={tmp_path}/token")) == secret(ring)
    monkeypatch.delenv("VAULT_TOKEN")
    asked = vault.server.asked
    for bad in (uri, f"{uri}&token_file={tmp_path}/none"):
        with pytest.raises(KeyRingError, match=r"no token for Vault\. Hint: set VAULT_TOKEN"):
            open_ring(bad)
    assert vault.server.asked == asked
    (tmp_path / ".vault-token").write_text(vault.token)
    assert secret(open_ring(uri)) == secret(ring)


@pytest.mark.parametrize(("status", "said"), [
    (403, "access is refused"), (429, "throttles requests"), (500, "cannot be reached"),
    (502, "cannot be reached"), (503, "cannot be reached"),
    (400, "refuses the request"), (412, "call failed"),
])
def test_failures_of_vault(vault, status, said):
    """Each failure is a KeyRingError in few words with a hint, without the server's words or the token."""
    vault.failing = status
    for call in (open_ring, fingerprint):
        with pytest.raises(KeyRingError, match=f"{said}.*Hint: ") as caught:
            call(f"vault://{vault.host}/secret/data/keys?tls=off")
        assert "s3cret" not in str(caught.value) and vault.token not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_failure_of_vault_that_passes_is_none(vault, transit, ring, tmp_path, monkeypatch, status):
    """Each call is made a second time: a standby that takes over, a quota, a proxy that loses its backend."""
    monkeypatch.setattr(attempt, "PAUSE_S", 0)
    vault.put("secret/keys", ring=ring.dump().decode())
    uri = wrapped_file(transit, tmp_path)
    for call in (lambda: open_ring(f"vault://{vault.host}/secret/data/keys?tls=off"), lambda: open_ring(uri),
                 lambda: fingerprint(f"vault://{vault.host}/secret/data/keys?tls=off")):
        vault.passing, asked = [status], vault.server.asked
        call()
        assert vault.server.asked == asked + 2


@pytest.mark.parametrize("status", [400, 403, 404, 412])
def test_a_refusal_of_vault_is_not_asked_for_again(vault, status):
    """What will not pass is asked for once, also by a job that starts."""
    vault.failing = status
    uri = f"vault://{vault.host}/secret/data/keys?tls=off"
    for call in (open_ring, RingWatcher):
        asked = vault.server.asked
        with pytest.raises(KeyRingError):
            call(uri)
        assert vault.server.asked == asked + 1


def test_a_job_that_starts_waits_for_its_ring(vault, ring, monkeypatch):
    """While Vault is sealed or throttles it is asked again for the patience; then the error says that it may pass."""
    monkeypatch.setattr(attempt, "PAUSE_S", 0)
    vault.put("secret/keys", ring=ring.dump().decode())
    vault.passing, uri = [503, 429] * 4, f"vault://{vault.host}/secret/data/keys?tls=off"
    assert secret(RingWatcher(uri).ring()) == secret(ring) and vault.passing == []
    vault.failing = 503
    with pytest.raises(KeyRingUnavailableError, match="cannot be reached"):
        RingWatcher(uri, patience=0.1)


def test_a_certificate_that_is_not_trusted_does_not_pass(vault_tls):
    """A job that starts does not wait for it."""
    with pytest.raises(KeyRingError, match="its certificate is not trusted") as caught:
        RingWatcher(f"vault://{vault_tls.host}/secret/data/keys")
    assert not isinstance(caught.value, KeyRingUnavailableError) and vault_tls.server.asked == 0


def test_a_secret_that_is_not_there(vault, ring):
    """A missing secret, a missing field and a field with something else are told apart, without content."""
    uri = f"vault://{vault.host}/secret/data/keys?tls=off"
    with pytest.raises(KeyRingError, match="no such object"):
        open_ring(uri)
    vault.put("secret/keys", password="hunter2", number=5)
    with pytest.raises(KeyRingError, match=r"keys#ring: the secret has no such field\. Hint"):
        open_ring(uri)
    for field in ("password", "number"):
        with pytest.raises(KeyRingError) as caught:
            open_ring(f"{uri}#{field}")
        assert "hunter2" not in str(caught.value)


def test_nobody_answers(vault, closed_port):
    """A port where nothing listens is an error, not a wait."""
    with pytest.raises(KeyRingError, match="cannot be reached"):
        open_ring(f"vault://{closed_port}/secret/data/keys?tls=off")


def test_waiting_is_bounded(vault, monkeypatch):
    """A Vault that does not answer in time is given up."""
    assert 0 < attempt.WAIT_S <= 10
    monkeypatch.setattr(provider, "WAIT_S", 0.1)
    vault.slow = 5.0
    begin = time.monotonic()
    with pytest.raises(KeyRingError, match="cannot be reached or does not answer"):
        open_ring(f"vault://{vault.host}/secret/data/keys?tls=off")
    assert time.monotonic() - begin < vault.slow


@pytest.fixture
def transit(vault):
    """The address of a Transit key."""
    vault.keys["transit/ring"] = [os.urandom(32)]
    return f"vault+transit://{vault.host}/transit/keys/ring?tls=off"


def wrapped_file(transit, tmp_path):
    """A file with a ring that is wrapped by a Transit key, and its address."""
    key = Address.parse(transit)
    files.save_new(tmp_path / "keys.json", WrappedRing.new(key.of(None), wrapper_at(key)).dump())
    return key.of(f"file://{tmp_path}/keys.json")


def test_a_ring_wrapped_by_transit(vault, transit, tmp_path):
    """A ring that Transit wrapped opens through it, also after the Transit key was rotated, and not without it."""
    uri = wrapped_file(transit, tmp_path)
    before = secret(open_ring(uri))
    vault.keys["transit/ring"].append(os.urandom(32))
    assert secret(open_ring(uri)) == before
    with pytest.raises(KeyRingError, match=r"its roots are wrapped\. Hint: open it through vault\+transit://"):
        open_ring(f"file://{tmp_path}/keys.json")


def test_the_ring_of_a_transit_key_in_vault(vault, transit):
    """The wrapped ring itself may be kept in Vault's KV engine."""
    key = Address.parse(transit)
    ring = WrappedRing.new(key.of(None), wrapper_at(key))
    vault.put("secret/keys", ring=ring.dump().decode())
    uri = key.of(f"vault://{vault.host}/secret/data/keys?tls=off")
    assert secret(open_ring(uri)) == secret(ring.unwrap(wrapper_at(key)))
    assert fingerprint(uri) == "1:2026-01-01T00:00:01Z"


def test_another_transit_key_opens_nothing(vault, transit, tmp_path):
    """A ring that another key wrapped, or that was changed, is refused; a key that is not there is told."""
    uri = wrapped_file(transit, tmp_path)
    vault.keys["transit/other"] = [os.urandom(32)]
    with pytest.raises(KeyRingError, match="refuses the request") as caught:
        open_ring(uri.replace("keys/ring", "keys/other"))
    assert caught.value.__context__ is None
    with pytest.raises(KeyRingError, match="no such object"):
        open_ring(uri.replace("keys/ring", "keys/none"))


def test_the_fingerprint_of_a_wrapped_ring_asks_no_key(vault, transit, tmp_path):
    """The fingerprint looks at the stored ring only."""
    uri = wrapped_file(transit, tmp_path)
    asked = vault.server.asked
    assert fingerprint(uri) == files.stamp(tmp_path / "keys.json")
    assert vault.server.asked == asked
