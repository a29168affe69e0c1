"""Tags of a registry's subjects in lock files: all versions, tags beside the schema, a registry that is away."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flink_masking.data_contract.pull import pull
from flink_masking.policy.tags import Tags
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import Schema

TAGS = Tags.model_validate({"source": "registry", "map": {"PII": "direct"}})


def user(*fields):
    """The text of an Avro schema; fields as pairs of a name and a tag or None."""
    written = [{"name": name, "type": "string", "default": "", **({"confluent:tags": [tag]} if tag else {})} for name, tag in fields]
    return json.dumps({"type": "record", "name": "User", "namespace": "ex", "fields": written})


FIRST, SECOND = user(("email", "PII"), ("fax", "PII")), user(("email", "PII"), ("city", None))


def subject(path, _):
    """A registry with one subject of two versions; the second has tags beside the schema."""
    versions = {1: {"id": 5, "version": 1, "schema": FIRST},
                2: {"id": 9, "version": 2, "schema": SECOND, "metadata": {"tags": {"ex.User.c*": ["GEO"]}}}}
    if path == "/subjects/users-value/versions":
        return 200, json.dumps([1, 2]).encode()
    if path.startswith("/subjects/users-value/versions/"):
        return 200, json.dumps(versions[int(path.rpartition("/")[2])]).encode()
    return 404, json.dumps({"error_code": 40401}).encode()


def test_all_versions_of_a_subject_are_locked(answering, tmp_path):
    """The latest version tells fields and tags, inline and beside the schema; what only earlier ones have is marked; all are known."""
    server = answering(subject)
    lock = pull(TAGS, "users", tmp_path, RegistryClient(RegistryOptions(server.url)))
    assert {path: (field.tags, field.removed) for path, field in lock.fields.items()} == {
        "email": (("PII",), False), "city": (("GEO",), False), "fax": (("PII",), True)}
    assert [(one.id, one.version) for one in lock.versions] == [(5, 1), (9, 2)]
    assert (lock.name, lock.format) == ("users-value", "AVRO")


@pytest.mark.parametrize("respond, code, what", [
    (lambda *_: (503, b"{}"), 75, "HTTP 503"), (lambda *_: (404, b'{"error_code": 40401}'), 2, "no subject 'users-value'"),
    (lambda *_: (200, b'"x"'), 2, "of another form"), (lambda *_: (401, b""), 2, "login is refused"),
])
def test_a_registry_that_cannot_be_used(answering, tmp_path, respond, code, what):
    """The command ends with 75 where the registry is away and may answer later, with 2 where it cannot be used; nothing is written."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nstream: users\ntags: {source: registry, map: {PII: direct}}\n"
                      "segments: {v: {view: masked, rules: {class:direct: redact}}}\n")
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text(f"source: {{}}\nsinks: {{}}\nkeys: k\nregistry: {{url: '{answering(respond).url}'}}\nregistry_patience: 200ms\n")
    program = str(Path(sys.executable).with_name("flink-masking"))
    command = [program, "contract", "pull", str(policy), "--deployment", str(deployment)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, what in done.stderr) == (code, True), done.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["deployment.yaml", "policy.yaml"]


def test_a_deployment_names_the_registry(answering, tmp_path):
    """The section registry of a deployment is used, with its login."""
    logins = []

    def with_login(path, headers):
        logins.append(headers.get("Authorization"))
        return subject(path, headers)

    policy, deployment = tmp_path / "policy.yaml", tmp_path / "deployment.yaml"
    policy.write_text("version: 1\nstream: users\ntags: {source: registry, map: {PII: direct, GEO: quasi}}\n"
                      "segments: {v: {view: masked, rules: {class:direct: redact}}}\n")
    (tmp_path / "token").write_text("t0k3n")
    deployment.write_text(f"source: {{}}\nsinks: {{}}\nkeys: k\nregistry: {{url: '{answering(with_login).url}', "
                          f"token: '${{file:{tmp_path / 'token'}}}'}}\n")
    program = str(Path(sys.executable).with_name("flink-masking"))
    done = subprocess.run([program, "contract", "pull", str(policy), "--deployment", str(deployment)], capture_output=True, text=True)
    assert (done.returncode, set(logins)) == (0, {"Bearer t0k3n"}), done.stderr
    again = subprocess.run([program, "contract", "check", str(policy), "--deployment", str(deployment)], capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (0, "view v: compatible\nno differences\n")


def test_inline_tags_survive_a_real_registry(running, tmp_path):
    """What is registered in Apicurio Registry comes back with its tags: Avro and JSON Schema."""
    client = RegistryClient(RegistryOptions(running.url))
    client.register("tagged-avro-value", Schema(FIRST, "AVRO"))
    client.register("tagged-avro-value", Schema(SECOND, "AVRO"))
    lock = pull(TAGS, "tagged-avro", tmp_path, client)
    assert {path: (field.tags, field.removed) for path, field in lock.fields.items()} == {
        "email": (("PII",), False), "city": ((), False), "fax": (("PII",), True)}
    assert [one.version for one in lock.versions] == [1, 2]
    schema = json.dumps({"type": "object", "properties": {"email": {"type": "string", "confluent:tags": ["PII"]}}})
    client.register("tagged-json-value", Schema(schema, "JSON"))
    assert pull(TAGS, "tagged-json", tmp_path, client).fields["email"].tags == ("PII",)
