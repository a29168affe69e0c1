"""flink-masking acl, as far as it needs no broker."""

import pytest
import yaml

POLICY = """\
version: 1
stream: orders
fields: {customer: {class: identifier}}
segments:
  one: {view: masked, rules: {customer: {technique: pseudonym, domain: a}}}
"""
DEPLOYMENT = """\
source: {connector: kafka, topic: raw, properties.bootstrap.servers: "b:9092", properties.group.id: job, properties.p: SECRET,
  properties.security.protocol: SSL}
sinks:
  one: {connector: kafka, topic: one, properties.bootstrap.servers: "b:9092", properties.security.protocol: SSL}
  audit: {connector: kafka, topic: audit, properties.bootstrap.servers: "b:9092", properties.security.protocol: SSL}
  quarantine: {connector: filesystem, path: "file:///q"}
keys: env://KEYS
"""


@pytest.fixture
def files(tmp_path):
    """Policy, deployment and principals, as arguments."""
    texts = {"policy.yaml": POLICY, "deployment.yaml": DEPLOYMENT, "principals.yaml": "job: User:job\nsegments: {one: User:analytics}\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    policy, deployment, principals = (tmp_path / name for name in texts)
    return policy, deployment, "--principals", principals


def test_commands_are_printed(cli, files):
    """Without a format, commands for review go to stdout, notes to stderr, and no property of the deployment to either."""
    done = cli("acl", *files, "--command-config", "me.properties")
    assert done.code == 0
    wanted = "--add --allow-principal User:analytics --operation Read --operation Describe --topic one"
    assert f"kafka-acls.sh --bootstrap-server b:9092 --command-config me.properties {wanted}" in done.out.splitlines()
    assert done.err == "note: sinks.quarantine is not in Kafka: its own system controls access\n"
    assert "SECRET" not in done.out


def test_kafka_users_are_printed(cli, files):
    """With --format strimzi the output is YAML that the operator takes."""
    done = cli("acl", *files, "--format", "strimzi", "--strimzi-cluster", "main")
    assert done.code == 0
    assert [user["metadata"]["name"] for user in yaml.safe_load_all(done.out)] == ["job", "analytics"]


def test_faults_of_the_principals_end_with_2(cli, files):
    """A fault is printed with file, line, column and hint."""
    files[-1].write_text("job: User:job\nsegments: {onne: User:a}\n")
    done = cli("acl", *files)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"{files[-1]}:2:12: error: 'onne' is not a segment of the policy\n    Hint: did you mean 'one'?\n"


def test_tables_in_clear_are_warned_of(cli, files):
    """A table in Kafka on another machine without TLS is a warning with its hint; where the deployment requires TLS, it is an error."""
    text = DEPLOYMENT.replace("properties.security.protocol: SSL", "properties.security.protocol: PLAINTEXT")
    files[1].write_text(text)
    done = cli("acl", *files)
    assert done.code == 0
    assert f"{files[1]}: warning: sinks.one: Kafka at b:9092 without TLS" in done.err
    assert "warning" not in done.out
    files[1].write_text(text + "transport: {require_tls: true}\n")
    done = cli("acl", *files)
    assert (done.code, done.out) == (1, "")
    assert "transport.require_tls: source: Kafka at b:9092 without TLS" in done.err
