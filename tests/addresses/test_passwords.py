"""Passwords in addresses of vaults and key rings, in every spelling, wherever an address is given: file, job, SQL, command line."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import CLIENT_S

from flink_masking.addresses.passwords import holds_password
from flink_masking.cli.addresses import named_vault, vault_address
from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError, VaultError
from flink_masking.flink.job_source import JobSource
from flink_masking.policy.source import PolicySource
from flink_masking.sql.session import VAULT, Session

CLI = Path(sys.executable).with_name("flink-masking")
WITH = [
    "postgresql://u:geheim@h/d",
    "postgresql://u:geheim@h1:5432,h2:5432/d",
    "postgresql://u:ge%68eim@h/d",
    "postgresql://u%3Ageheim%40h/d",
    "postgresql://u%253Ageheim%2540h/d",
    "postgresql://u:geheim/x@h/d",
    "postgresql://u:geheim?x@h/d",
    "postgresql://:geheim@h/d",
    "POSTGRESQL://u:geheim@h/d",
    "postgres://u:geheim@h/d",
    "u:geheim@h/d",
    "postgresql://u:${env:A}geheim@h/d",
    "postgresql://u@h/d?password=geheim",
    "postgresql://u@h/d?sslmode=require&password=geheim",
    "postgresql://u@h/d?PassWord=geheim",
    "postgresql://u@h/d?p%61ssword=geheim",
    "postgresql://u@h/d?p%2561ssword=geheim",
    "postgresql://u@h/d?sslpassword=geheim",
    "postgresql://u@h/d?SSLPASSWORD=geheim",
    "postgresql://u@h/d?scram_client_key=geheim",
    "postgresql://u@h/d?oauth_client_secret=geheim",
    "postgresql://u@h/d?password=${env:A}geheim",
    "host=h user=u password=geheim",
    "host=h user=u PASSWORD = 'geheim'",
    "postgresql://host=h password=geheim",
    "vault+transit://h/transit/keys/k?ring=vault://u:geheim@h/secret/data/a",
]
WITHOUT = [
    "postgresql://u@h:5432/d",
    "postgresql://h:5432/d@x",
    "postgresql://[::1]:5432,h:1/d@x",
    "postgresql:///d?host=/run/postgresql",
    "postgresql://u%40realm@h/d",
    "postgresql://u@h/d?passfile=/run/secrets/pgpass&require_auth=password&sslmode=verify-full",
    "postgresql://?service=masking",
    "postgresql://u:${file:/run/secrets/vault}@h/d",
    "postgresql://u@h/d?password=${env:VAULT_PASSWORD}&sslpassword=${file:/run/secrets/key}",
    "${env:VAULT}",
    "${file:/run/secrets/vault}",
    "sqlite:///var/a:b@c/password=x.db",
    "file:///etc/a:b@c/keys.json",
    "env://KEYS",
    "vault://h:8200/secret/data/a#ring",
]
POLICY = """\
stream: s
version: 1
fields: {ssn: {class: direct}}
segments:
  s: {view: masked, rules: {ssn: {technique: tokenize, domain: ssn}}}
"""
TABLES = "source: {connector: filesystem, path: 'file:///raw'}\nsinks: {}\n"


@pytest.mark.parametrize("address", WITH)
def test_a_password_is_found_in_every_spelling(address):
    """User parts, options and libpq's keyword form are searched, whatever case, percent escapes or nesting."""
    assert holds_password(address)


@pytest.mark.parametrize("address", WITHOUT)
def test_addresses_without_a_password_are_taken(address):
    """Users, hosts, ports, files, service names and whole references are no passwords."""
    assert not holds_password(address)


@given(st.text(max_size=200))
def test_any_text_is_judged_at_once(text):
    """No text, however broken, is an error, and doubling it makes the search no more than a few times longer."""
    assert holds_password(text) in (True, False)
    assert holds_password("postgresql://" + text * 50) in (True, False)


@pytest.mark.parametrize("address", WITH)
def test_no_job_takes_it(address):
    """A job's source refuses the address, and does not repeat it."""
    with pytest.raises(VaultError, match="holds a password") as raised:
        JobSource(PolicySource("policy.yaml", ""), "env://KEYS", address)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("key", ["vault", "keys"])
@pytest.mark.parametrize("address", WITH)
def test_no_deployment_takes_it(tmp_path, key, address):
    """A deployment with it is refused where it is read: main job, preflight, access, SQL scripts."""
    other = "vault: postgresql://u@localhost/d\n" if key == "keys" else "keys: env://KEYS\n"
    (tmp_path / "deployment.yaml").write_text(TABLES + other + f'{key}: "{address}"\n')
    with pytest.raises(InputError, match=rf"deployment.yaml:4:\d+: {key}: .*holds a password.*Hint: ") as raised:
        Deployment.read(tmp_path / "deployment.yaml")
    assert "geheim" not in str(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__


def test_no_job_parameter_takes_it(tmp_path):
    """Job parameters that a deployment sets are looked through, too."""
    text = TABLES + "keys: env://KEYS\nflink: {pipeline.global-job-parameters: \"{flink-masking.vault: 'postgresql://u:%s@h/d'}\"}\n"
    (tmp_path / "deployment.yaml").write_text(text % "geheim")
    with pytest.raises(InputError, match="job-parameters: an address in it holds a password") as raised:
        Deployment.read(tmp_path / "deployment.yaml")
    assert "geheim" not in str(raised.value)
    (tmp_path / "deployment.yaml").write_text(text.replace(":%s@", "@"))
    Deployment.read(tmp_path / "deployment.yaml")


@pytest.mark.parametrize("address", WITH)
def test_no_sql_session_takes_it(address):
    """A session whose job parameters hold it is refused, for they are part of the job graph, too."""
    with pytest.raises(VaultError, match="holds a password"):
        Session({VAULT: address}.get).vault()


@pytest.mark.parametrize("command", [
    ("run", "POLICY", "--input", "raw.jsonl", "--output", "out", "--keys", "file://keys.json", "--vault"),
    ("preview", "POLICY", "raw.jsonl", "--keys", "file://keys.json", "--vault"),
    ("unmask", "POLICY", "--segment", "s", "--input", "raw.jsonl", "--output", "out", "--keys", "file://keys.json", "--actor", "a",
     "--purpose", "p", "--vault"),
])  # fmt: skip
def test_no_command_takes_it(tmp_path, command):
    """Commands refuse it as an option, with a sentence that does not repeat it: other users see the arguments of processes."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "raw.jsonl").write_text('{"ssn":"123-45-6789"}\n')
    subprocess.run([CLI, "keys", "new", "keys.json"], cwd=tmp_path, check=True, capture_output=True, timeout=CLIENT_S)
    words = ["policy.yaml" if word == "POLICY" else word for word in command]
    words.append("postgresql://u:geheim@h/d")
    done = subprocess.run([CLI, *words], cwd=tmp_path, capture_output=True, text=True, timeout=CLIENT_S, check=False)
    assert 1 == done.returncode
    assert "the vault's address holds a password" in done.stderr
    assert "geheim" not in done.stdout + done.stderr


@pytest.mark.parametrize(("address", "warned"), [
    ("postgresql://u@192.0.2.1:1/d", True),
    ("postgresql://u@192.0.2.1:1/d?sslmode=require", False),
    ("postgresql://u@127.0.0.1:1/d", False),
])
def test_a_vault_without_tls_is_warned_of(capsys, address, warned):
    """Commands whose --vault is on another machine, and below sslmode=require, say so."""
    assert address == named_vault(address) == vault_address(address, "env://KEYS")
    assert ("--vault: warning: PostgreSQL on another machine without TLS" in capsys.readouterr().err) is warned


def test_a_reference_to_a_relative_file_is_refused():
    """A file that a vault's address refers to is named by an absolute path: workers run elsewhere."""
    with pytest.raises(VaultError, match="relative name"):
        JobSource(PolicySource("policy.yaml", ""), "env://KEYS", "postgresql://u:${file:secret}@h/d")
