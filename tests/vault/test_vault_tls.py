"""Vaults on other machines: TLS where it is required, passwords by reference, passfile and service file; deployments that lack TLS."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from postgres_server import PASSWORD, binaries
from waiting import CLIENT_S

from flink_masking.addresses.endpoints import is_loopback
from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError
from flink_masking.vault.address import unencrypted

SCRIPT = Path(__file__).with_name("tls_in_namespace.py")


@pytest.fixture(scope="module")
def found():
    """What came of each address, by its name and whether TLS was required."""
    if binaries() is None and os.environ.get("FLINK_MASKING_SERVICES") != "1":
        pytest.skip("no PostgreSQL server on this machine")
    if os.getuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root, unshare and ip")
    with tempfile.TemporaryDirectory() as folder:  # the server's account reads it, which pytest's own folders do not let it
        done = subprocess.run(["unshare", "--net", sys.executable, SCRIPT, folder], capture_output=True, text=True, timeout=CLIENT_S)
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["require", "service with", "password of a file", "password of a variable", "whole address"])
def test_encrypted_connections_are_taken_where_tls_is_required(found, name):
    """With sslmode=require a vault opens, its password from a passfile, a file, a variable or within an address that is one reference."""
    assert "opened" == found[f"{name}, required"] == found[f"{name}, free"]


@pytest.mark.parametrize("name", ["default", "disable", "service without", "environment"])
def test_connections_in_clear_are_refused_where_tls_is_required(found, name):
    """What speaks in clear, or may, is refused with a hint, be it the address, a service file or libpq's environment; else it opens."""
    assert "PostgreSQL on another machine without TLS" in found[f"{name}, required"]
    assert "Hint: end the address with ?sslmode=verify-full" in found[f"{name}, required"]
    assert "opened" == found[f"{name}, free"]


def test_a_server_that_cannot_be_verified_is_refused(found):
    """With sslmode=verify-full a server whose certificate cannot be checked is no vault, required or not."""
    assert "could not be reached" in found["verify-full of another authority, required"]


def test_a_reference_that_leads_nowhere_is_named(found):
    """The error names the file that is missing."""
    assert "/no/such/file cannot be read" in found["no such file, free"]


@pytest.mark.parametrize(("address", "expected"), [
    ("postgresql://u@db:5432/d", True),
    ("postgresql://u@db/d?sslmode=prefer", True),
    ("postgresql://u@db/d?sslmode=REQUIRE", True),
    ("postgresql://u@db/d?sslmode=require", False),
    ("postgresql://u@db/d?ssl=true", False),
    ("postgresql://u@db/d?sslmode=verify-full", False),
    ("postgresql://u@127.0.0.1,db/d", True),
    ("postgresql://u@localhost:5432,[::1]:5432/d", False),
    ("postgresql://u@127.0.0.2/d", False),
    ("postgresql://u@/d?host=db", True),
    ("postgresql://localhost/d?hostaddr=192.0.2.1", True),
    ("postgresql:///d?host=/run/postgresql", False),
    ("postgresql://%2Frun%2Fpostgresql/d", False),
    ("postgresql:///d", False),
    ("postgresql://?service=masking", True),
    ("postgresql://?service=masking&sslmode=verify-ca", False),
    ("postgresql://u:${file:/a/b@c}@localhost/d", False),
    ("postgresql://u:${file:/a/b@c}@db/d", True),
    ("sqlite:///d", False),
    ("${env:VAULT}", False),
])
def test_addresses_that_may_speak_in_clear_are_known(address, expected):
    """All hosts of an address count, those among its options, too; below sslmode=require any of them may be spoken to in clear."""
    assert expected == unencrypted(address)


@pytest.mark.parametrize(("server", "expected"), [
    ("localhost:9092", True), ("LOCALHOST:9092", True), ("127.0.0.1:9092", True), ("127.1.2.3", True), ("[::1]:9092", True), ("::1", True),
    ("PLAINTEXT://localhost:9092", True), ("broker:9092", False), ("localhost.example.com:9092", False), ("10.0.0.1:9092", False),
    ("127.0.0.1.example.com:9092", False), ("[2001:db8::1]:9092", False), ("", False),
])  # fmt: skip
def test_loopback_is_told_from_other_machines(server, expected):
    """Only localhost and the loopback addresses are this machine."""
    assert expected == is_loopback(server)


KAFKA = "{connector: kafka, topic: t, properties.bootstrap.servers: '%s'%s}"


@pytest.mark.parametrize(("servers", "more", "vault", "expected"), [
    ("broker:9092", "", None, ["source: Kafka at broker:9092", "sinks.s: Kafka at broker:9092"]),
    ("localhost:9092,broker:9092", "", None, ["source: Kafka at broker:9092", "sinks.s: Kafka at broker:9092"]),
    ("broker:9092", ", properties.security.protocol: SASL_PLAINTEXT", None, ["source: Kafka", "sinks.s: Kafka"]),
    ("broker:9092", ", properties.security.protocol: sasl_ssl", None, []),
    ("broker:9092", ", properties.security.protocol: SSL", "postgresql://u@db/d", ["vault: PostgreSQL"]),
    ("localhost:9092", "", "postgresql://u@localhost/d", []),
])
def test_a_deployment_without_tls_is_a_warning_or_an_error(tmp_path, servers, more, vault, expected):
    """What crosses a network in clear is a warning for each place; under ``require_tls`` the first of them is an error with its hint."""
    table = KAFKA % (servers, more)
    text = f"source: {table}\nsinks: {{s: {table}}}\nkeys: env://KEYS\n" + (f"vault: {vault}\n" if vault else "")
    path = tmp_path / "deployment.yaml"
    path.write_text(text)
    warnings = Deployment.read(path).warnings
    assert len(expected) == len(warnings)
    assert all(warning.startswith(start) and " Hint: " in warning for warning, start in zip(warnings, expected, strict=True))
    path.write_text(text + "transport: {require_tls: true}\n")
    if not expected:
        assert Deployment.read(path).transport.require_tls
        return
    with pytest.raises(InputError, match=r"transport\.require_tls: .*without TLS.*Hint: "):
        Deployment.read(path)
