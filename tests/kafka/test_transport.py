"""The main job and its preflight over TLS: passwords (SCRAM), certificates of both sides, and what is said where one of them is wrong."""

import json
import shutil

import pytest
from certificates import Authority

from flink_masking.keys.files import create

pytestmark = pytest.mark.flink
FILE_PROVIDER = "org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.FileConfigProvider"
ASK = """
import sys
from pathlib import Path
from flink_masking.deployment.model import Deployment
from flink_masking.errors import FlinkMaskingError
from flink_masking.flink.jars import job_jars
from flink_masking.kafka.preflight import preflight
from flink_masking.deployment.tables import completed
for name in sys.argv[1:]:
    try:
        deployment = completed(Deployment.read(Path(name)), "orders")
        said = preflight(deployment, job_jars(deployment), 30_000)
        print(f"{Path(name).stem}: fine, {len(said)} tables")
    except FlinkMaskingError as error:
        print(f"{Path(name).stem}: {error}")
"""


@pytest.fixture(scope="module")
def granted(secured):
    """Entries for a job that signs on by password and one that signs on by certificate, and a key ring; records in the raw topic."""
    secured.authority.certificate("certified")
    config = secured.folder / "admin.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in secured.java("admin").items()))
    jobs = {"job": "User:job", "certified": "User:CN=certified"}
    commands = [secured.acl(principal, secured.deployment(name, secured.java("job"))) for name, principal in jobs.items()]
    done = secured.commands(*([*command, "--apply", f"--command-config={config}"] for command in commands))
    assert [found.code for found in done] == [0, 0], done
    create(secured.folder / "keys.json")
    secured.broker.produce("raw", [json.dumps({"customer": f"c{number % 3}", "amount": number}).encode() for number in range(60)])
    return secured


@pytest.fixture
def keys(granted):
    """The address of the key ring."""
    return f"file://{granted.folder / 'keys.json'}"


def arrived(secured, before=None):
    """How many committed records each segment holds, less those of before."""
    counts = {topic: len(secured.broker.consume(topic, closed=True)) for topic in ("analytics", "partners")}
    return {topic: count - (before or {}).get(topic, 0) for topic, count in counts.items()}


def submit(secured, deployment, **environment):
    """Run the main job to the end of the raw topic."""
    return secured.run("-m", "jobs.fan_out", "--policy", secured.folder / "policy.yaml", "--deployment", deployment, "--bounded", "--wait",
                       environment=environment)  # fmt: skip


def test_the_job_runs_by_password_that_only_the_clients_see(granted, keys):
    """Over SASL_SSL under its own principal the job masks every record; the password stays a reference up to the Kafka clients."""
    secret = granted.folder / "job.secret"
    secret.write_text(f"password={granted.passwords['job']}\n")
    secret.chmod(0o600)
    properties = granted.java("job", password=f"${{file:{secret}:password}}")
    properties |= {"config.providers": "file", "config.providers.file.class": FILE_PROVIDER}
    deployment = granted.deployment("job", properties, keys)
    assert granted.leaks(deployment.read_text()) == []
    before = arrived(granted)
    raw = len(granted.broker.consume("raw"))
    done = submit(granted, deployment)
    assert done.code == 0, done.err
    assert arrived(granted, before) == {"analytics": raw, "partners": raw}
    logs = "".join(path.read_text(errors="replace") for path in granted.folder.glob("*.log"))
    assert granted.leaks(done.out + done.err + logs) == []


def test_the_job_runs_by_certificate(granted, keys):
    """Over mutual TLS the job runs as the name in its certificate, key and certificates put in from files by reference."""
    whole = (granted.folder / "certified.pem").read_text()
    end = whole.index("-----BEGIN CERTIFICATE")
    (granted.folder / "key.pem").write_text(whole[:end])
    (granted.folder / "chain.pem").write_text(whole[end:])
    properties = {name: value for name, value in granted.mutual(granted.folder).items() if not name.endswith("location")}
    properties |= {"ssl.keystore.key": "${file:key.pem}", "ssl.keystore.certificate.chain": "${file:chain.pem}",
                   "ssl.truststore.certificates": "${env:AUTHORITY}"}  # fmt: skip
    deployment = granted.deployment("certified", properties, keys)
    before = arrived(granted)
    raw = len(granted.broker.consume("raw"))
    done = submit(granted, deployment, AUTHORITY=granted.authority.path.read_text())
    assert done.code == 0, done.err
    assert arrived(granted, before) == {"analytics": raw, "partners": raw}
    assert granted.leaks(done.out + done.err) == []


def test_each_fault_is_one_line_before_the_job_starts(granted):
    """Wrong password, expired and missing certificates and refused ACLs end in one line each; what is in order passes."""
    authority = granted.authority
    wrong = {
        "job": granted.java("job"),
        "certified": granted.mutual(granted.folder / "certified.pem"),
        "wrong-password": granted.java("job", password="wrong-" + "x" * 8),
        "expired": granted.mutual(authority.certificate("expired", ended=True)),
        "stale-broker": granted.mutual(granted.folder / "certified.pem", "STALE"),
        "no-certificate": {k: v for k, v in granted.mutual(granted.folder).items() if "keystore" not in k},
        "other-authority": granted.mutual(granted.folder / "certified.pem") | {"ssl.truststore.location": str(_stranger(granted))},
        "stranger": granted.java("stranger"),
        "unshaded": granted.java("job", "org.apache.kafka.common.security.scram.ScramLoginModule"),
    }
    files = [granted.deployment(name, properties) for name, properties in wrong.items()]
    done = granted.run("-c", ASK, *files)
    said = dict(line.split(": ", 1) for line in done.out.splitlines() if ": " in line)
    assert said.pop("job") == said.pop("certified") == "fine, 5 tables", done.err
    expected = {
        "wrong-password": "wrong user or password",
        "expired": "the job's own certificate has expired",
        "stale-broker": "the broker's certificate is not valid today",
        "no-certificate": "the broker asks for a certificate",
        "other-authority": "authority that is not trusted here",
        "stranger": "source: topic raw may not be read by the job's user. Hint: grant READ on topic raw",
        "unshaded": "org.apache.flink.kafka.shaded",
    }
    assert {name: words for name, words in expected.items() if words not in said[name]} == {}, said
    assert len(said) == len(expected) and all("Hint: " in line for line in said.values())
    assert granted.leaks(done.out + done.err) == [] and "wrong-xxxx" not in done.out + done.err


def _stranger(secured):
    """The certificate of an authority that has signed nothing here."""
    folder = secured.folder / "strangers"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Authority(folder).path
