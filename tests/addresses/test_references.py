"""Options of a deployment by reference, and what may never be seen of them."""

import re

import pytest

from flink_masking.addresses.endpoints import collision, kafka_endpoint
from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError, JobError

HEAD = "sinks: {audit: {connector: print}}\nkeys: env://KEYS\n"


@pytest.fixture
def read(tmp_path):
    """Read a deployment from text."""

    def read(text):
        path = tmp_path / "deployment.yaml"
        path.write_text(text)
        return Deployment.read(path)

    return read


def test_variables_and_files_are_put_in(read, tmp_path, monkeypatch):
    """References become the variable's value and the file's text, without its last line end, in source, sinks and settings."""
    monkeypatch.setenv("BROKER_PASSWORD", "hunter2-hunter2")
    (tmp_path / "ca.pem").write_text("-----BEGIN-----\nabc\n-----END-----\n")
    found = read('source: {a: "user=x password=${env:BROKER_PASSWORD};", n: 3, "properties.ssl.truststore.certificates": "${file:ca.pem}"}'
                 '\n'
                 f'sinks: {{audit: {{b: "${{file:{tmp_path}/ca.pem}}"}}}}\nkeys: k\nflink: {{s3.secret-key: "${{env:BROKER_PASSWORD}}"}}\n')
    assert found.source == {"a": "user=x password=hunter2-hunter2;", "n": 3,
                            "properties.ssl.truststore.certificates": "-----BEGIN-----\nabc\n-----END-----"}
    assert found.sinks["audit"]["b"] == "-----BEGIN-----\nabc\n-----END-----"
    assert found.settings() == {"s3.secret-key": "hunter2-hunter2"}
    assert found.has_secrets and not read(f"source: {{}}\n{HEAD}").has_secrets


def test_references_of_the_kafka_clients_are_theirs(read, monkeypatch):
    """Where a table names config providers, their references in properties.* stay as written; others are resolved."""
    monkeypatch.setenv("NAME", "value-of-name")
    found = read('source: {"properties.config.providers": "file, x", "properties.a": "${file:/s/kafka.properties:password}", '
                 '"properties.b": "${env:NAME}"}\n' + HEAD)
    assert found.source["properties.a"] == "${file:/s/kafka.properties:password}"
    assert found.source["properties.b"] == "value-of-name"


@pytest.mark.parametrize(
    ("reference", "said"),
    [("${env:NOT_SET_ANYWHERE}", "source.p: the environment variable NOT_SET_ANYWHERE is not set"),
     ("${file:nowhere}", "source.p: nowhere cannot be read (No such file or directory)"),
     ("${file:}", "source.p:  cannot be read (Is a directory)"),
     ("${file:binary}", "source.p: binary is not text"),
     ("${file:empty}", "source.p: empty is empty"),
     ("${file:large}", "source.p: large is larger than 1048576 bytes")],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_a_clear_error(read, tmp_path, reference, said):
    """The error names file, option and reference, on one line with a hint."""
    (tmp_path / "binary").write_bytes(b"\xfe\xed\xfe\xed\xff")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "large").write_text("x" * 1_048_577)
    with pytest.raises(InputError) as caught:
        read(f'source: {{p: "{reference}"}}\n{HEAD}')
    message = str(caught.value)
    place = re.escape(str(tmp_path / "deployment.yaml"))
    assert re.match(rf"{place}:1:13: {re.escape(said)}", message) and " Hint: " in message and "\n" not in message


def test_no_secret_is_printed(read, tmp_path, monkeypatch):
    """Neither the repr of a deployment nor a concealed text shows what was given by reference, or by an option at all."""
    monkeypatch.setenv("BROKER_PASSWORD", "hunter2-hunter2")
    (tmp_path / "key.pem").write_text("-----BEGIN-----\nMIIEsecret\n-----END-----\n")
    found = read('source: {a: "${env:BROKER_PASSWORD}", b: "${file:key.pem}", c: in-the-file}\n' + HEAD)
    for text in (repr(found), str(found)):
        assert not any(secret in text for secret in ("hunter2", "MIIEsecret", "in-the-file"))
    assert found.concealed("x hunter2-hunter2 y MIIEsecret z") == "x *** y *** z"


def test_no_secret_is_in_an_error_about_another(read, monkeypatch):
    """An error about a later reference shows nothing of an earlier one."""
    monkeypatch.setenv("BROKER_PASSWORD", "hunter2-hunter2")
    with pytest.raises(InputError) as caught:
        read('source: {a: "${env:BROKER_PASSWORD}", b: "${env:NOT_SET_ANYWHERE}"}\n' + HEAD)
    assert "hunter2" not in str(caught.value) and caught.value.__cause__ is None


KAFKA = {"connector": "kafka", "topic": "raw", "properties.bootstrap.servers": "a:9092,b:9092"}


def test_the_kafka_side_of_a_table():
    """Servers, topics, group and transactional prefix come from the options; other connectors have none."""
    assert kafka_endpoint({"connector": "filesystem", "topic": "raw"}) is None
    source = kafka_endpoint({**KAFKA, "topic": "x; y", "properties.group.id": "job"})
    assert source is not None
    assert (source.servers, source.topics, source.group, source.transactions) == (("a:9092", "b:9092"), ("x", "y"), "job", None)
    sink = {**KAFKA, "connector": "upsert-kafka", "sink.transactional-id-prefix": "tx"}
    assert [kafka_endpoint({**sink, "sink.delivery-guarantee": g}).transactions for g in ("exactly-once", "at-least-once")] == ["tx", None]


@pytest.mark.parametrize(
    ("other", "shared"),
    [({}, "topic raw"), ({"topic": "a;raw"}, "topic raw"), ({"topic": "rawer"}, None), ({"connector": "upsert-kafka"}, "topic raw"),
     ({"properties.bootstrap.servers": "B:9092"}, "topic raw"), ({"properties.bootstrap.servers": "c:9092"}, None),
     ({"topic": "", "topic-pattern": "r.w"}, "topic raw"), ({"topic": "", "topic-pattern": "r.+["}, None),
     ({"connector": "filesystem", "path": "file:///out"}, None)],
)  # fmt: skip
def test_tables_that_are_one_topic(other, shared):
    """Two tables collide on a topic of one cluster, whichever lists or patterns name it."""
    assert collision(KAFKA, {**KAFKA, **other}) == shared == collision({**KAFKA, **other}, KAFKA)


def test_two_segments_in_one_place_are_refused(read):
    """A deployment whose tables share a topic or a directory is a JobError that names both."""
    kafka = "connector: kafka, properties.bootstrap.servers: b"
    one = read(f"source: {{{kafka}, topic: raw}}\nkeys: k\nsinks: {{a: {{{kafka}, topic: t}}, b: {{{kafka}, topic: t}}}}\n")
    with pytest.raises(JobError, match=r"sinks\.a and sinks\.b are both the topic t, so who may read one reads the other\. Hint"):
        one.require(["a", "b"])
    loop = read(f"source: {{{kafka}, topic: raw}}\nkeys: k\nsinks: {{a: {{{kafka}, topic: raw}}}}\n")
    with pytest.raises(JobError, match=r"source and sinks\.a are both the topic raw, so the job would read what it writes\. Hint"):
        loop.require(["a"])
    files = "connector: filesystem, path: 'file:///o"
    two = read(f"source: {{connector: datagen}}\nkeys: k\nsinks: {{a: {{{files}'}}, b: {{{files}/'}}}}\n")
    with pytest.raises(JobError, match=r"both the directory file:///o"):
        two.require(["a", "b"])
