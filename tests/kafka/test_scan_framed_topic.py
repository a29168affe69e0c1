"""flink-masking scan of topics whose records name their schema in a registry: Avro of two versions of a schema, and Protobuf."""

import io
import json
import subprocess
import sys
from pathlib import Path

import fastavro
import pytest
import yaml

from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import Schema

pytestmark = pytest.mark.flink
PROGRAM = str(Path(__file__).with_name("several_commands.py"))
FIRST = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"}, {"name": "email", "type": ["null", "string"], "default": None},
    {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
        {"name": "sku", "type": "string"}]}}}]}  # fmt: skip
SECOND = {**FIRST, "fields": [*FIRST["fields"], {"name": "phone", "type": ["null", "string"], "default": None}]}
PROTO = 'syntax = "proto3"; package shop; message Other { string x = 1; } ' \
    'message Order { string id = 1; string email = 2; int64 cents = 3; }'


def avro(number, schema, record):
    """A framed record."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return b"\0" + number.to_bytes(4, "big") + out.getvalue()


def protobuf(number, n):
    """A framed message with the second message's index path."""
    fields = f"C{n}".encode(), f"p{n}@example.org".encode()
    return (b"\0" + number.to_bytes(4, "big") + b"\2\2"
            + b"".join(bytes([8 * place + 2, len(field)]) + field for place, field in enumerate(fields, 1)) + b"\x18" + bytes([n]))


def test_framed_topics_are_scanned_and_proposed_for(broker, topic, registry, key_uri, tmp_path):
    """Schemas come from the deployment's registry, several of a topic together; proposals name the framing, and take every record."""
    client = RegistryClient(RegistryOptions(registry.url))
    one, two, three = (client.register(subject, Schema(text, kind)) for subject, text, kind in (
        ("orders-value", json.dumps(FIRST), "AVRO"), ("orders-value", json.dumps(SECOND), "AVRO"), ("messages-value", PROTO, "PROTOBUF")))
    orders, messages = topic("orders"), topic("messages")
    broker.produce(orders, [avro(one, FIRST, {"id": f"C{n}", "email": f"p{n}@example.org", "lines": [{"sku": "A"}]}) for n in range(60)]
                   + [avro(two, SECOND, {"id": f"C{n}", "email": None, "lines": [], "phone": f"+49 30 90182{n:03}"}) for n in range(40)]
                   + [b"no record", avro(9_999, FIRST, {"id": "C1", "lines": []})])
    broker.produce(messages, [protobuf(three, n) for n in range(90)])
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    known = {"registry": {"url": registry.url}}
    for file, name, more in (("orders", orders, known), ("messages", messages, known), ("none", orders, {})):
        body = {"source": {**table, "topic": name}, "sinks": {}, "keys": key_uri, **more}
        (tmp_path / f"{file}.yaml").write_text(yaml.safe_dump(body))
    commands = [
        ["scan", "--deployment", tmp_path / "orders.yaml", "--format", "avro", "--json", "--propose", tmp_path / "avro.yaml"],
        ["scan", "--deployment", tmp_path / "orders.yaml", "--against", tmp_path / "avro.yaml"],
        ["scan", "--deployment", tmp_path / "messages.yaml", "--format", "protobuf", "--json", "--propose", tmp_path / "protobuf.yaml"],
        ["scan", "--deployment", tmp_path / "none.yaml", "--format", "avro"],
        ["scan", "--deployment", tmp_path / "orders.yaml", "--format", "avro", "--framing", "apicurio8"],
        ["check", tmp_path / "avro.yaml"], ["check", tmp_path / "protobuf.yaml"]]  # fmt: skip
    asked = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run([sys.executable, "-P", PROGRAM, asked], capture_output=True, text=True, check=True)
    found, against, other, without, wrong, *checked = json.loads(done.stdout)
    assert found[0] == 0, found[2]
    report = json.loads(found[1])
    assert report["records"] == 102 and report["broken"] == {"malformed": 1, "unknown_schema": 1}
    paths = {path["path"]: path for path in report["paths"]}
    assert paths["email"]["found"][0]["type"] == "EMAIL" and paths["phone"]["records"] == 40 and "lines[*].sku" in paths
    assert "framing: confluent" in (tmp_path / "avro.yaml").read_text()
    assert report["proposal"]["refused"] == {"malformed": 1, "unknown_schema": 1}
    assert against[0] == 0, against[1] + against[2]
    assert other[0] == 0, other[2]
    assert {path["path"] for path in json.loads(other[1])["paths"]} == {"id", "email", "cents"}
    assert without[0] == 1 and "name their schema by a number" in without[2] and "registry: {url:" in without[2]
    assert wrong[0] == 1 and "begins with the framing apicurio8" in wrong[2]
    assert [code for code, _, _ in checked] == [0, 0], checked
