"""The way back of Avro and Protobuf: clear values, all else and the schema of the view as they were; other key versions."""

import io
import json
import os

import fastavro
import pytest

from flink_masking.errors import DecryptionError, InputError
from flink_masking.keys.files import create
from flink_masking.keys.providers import open_ring
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.records.inputs import Input
from flink_masking.registry.source import Schema, SchemaId
from flink_masking.tools.rekey import Rekey
from flink_masking.tools.unmask import Unmask
from flink_masking.tools.unmasker import Unmasker

SCHEMA = {
    "type": "record", "name": "Order", "fields": [
        {"name": "id", "type": "string"},
        {"name": "name", "type": ["null", "string"], "default": None},
        {"name": "phones", "type": {"type": "array", "items": "string"}},
        {"name": "amount", "type": "long"},
        {"name": "vip", "type": "boolean"},
        {"name": "address", "type": {"type": "record", "name": "Address", "fields": [{"name": "city", "type": "string"}]}},
        {"name": "note", "type": "bytes"},
        {"name": "gone", "type": "int"}]}  # fmt: skip
POLICY = """\
version: 1
stream: orders
format: avro
framing: FRAMING
fields:
  id: {class: identifier}
  name: {class: direct}
  phones[*]: {class: direct}
  amount: {class: plain, type: number}
  vip: {class: plain, type: boolean}
  address: {class: direct, type: json}
  note: {class: plain}
  gone: {class: plain, type: number}
segments:
  view:
    view: masked
    rules:
      id: {technique: pseudonym, domain: customer}
      name: {technique: encrypt, domain: name}
      phones[*]: {technique: encrypt_deterministic, domain: phone}
      amount: {technique: encrypt_deterministic, domain: amount}
      vip: {technique: encrypt, domain: vip}
      address: {technique: encrypt, domain: address}
      note: keep
"""
RECORDS = [{"id": f"C{n}", "name": None if n % 3 == 0 else f"Žofie {n}", "phones": [f"+1{n}", "x\ny"][: n % 3], "amount": n * 10**12,
            "vip": n % 2 == 0, "address": {"city": f"Bonn {n}"}, "note": b"\n\xff\r" * (n % 4), "gone": n} for n in range(40)]  # fmt: skip
CLEAR = [{key: value for key, value in record.items() if key not in ("id", "gone")} for record in RECORDS]


def as_text(records):
    """Records as an opened view holds them: what was no text is its JSON text, in a field of text."""
    return [{**{key: value for key, value in record.items() if key not in ("id", "gone")}, "amount": str(record["amount"]),
             "vip": json.dumps(record["vip"]), "address": json.dumps(record["address"], separators=(",", ":"))} for record in records]


def without_id(records):
    """Records without the field that nobody opens."""
    return [{key: value for key, value in record.items() if key != "id"} for record in records]


def container(path):
    """The records of a container file, and its schema."""
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        return list(reader), reader.writer_schema


@pytest.fixture
def place(tmp_path, cli):
    """A policy, keys of two versions, and a view that `run`'s own writer has written as a container file."""
    from flink_masking.records.avro.files import put_header
    from flink_masking.records.codec import folded

    (tmp_path / "policy.yaml").write_text(POLICY.replace("FRAMING", "none\nschema: raw.avsc"))
    (tmp_path / "raw.avsc").write_text(json.dumps(SCHEMA))
    create(tmp_path / "keys.json")
    protect = Protector(tmp_path / "policy.yaml", f"file://{tmp_path}/keys.json")
    result = protect.protect([encoded(record) for record in RECORDS])
    assert not result.quarantine
    loaded = load(PolicySource.read(tmp_path / "policy.yaml"))
    ((_, _, schema, differs),) = loaded.schemas_of_views()
    assert differs
    from flink_masking.records.avro.files import container_header

    with (tmp_path / "view.avro").open("wb") as file:
        put_header(container_header(schema), [folded(row) + b"\n" for row in result.views["view"].to_pylist()], file)
    return tmp_path


def encoded(record, schema=SCHEMA):
    """A datum."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def test_a_container_file_is_opened(place, cli):
    """unmask writes a container file with the view's schema; what was no text is text there; nulls and other fields are as they were."""
    done = cli("unmask", place / "policy.yaml", "--segment", "view", "--input", place / "view.avro", "--output", place / "clear.avro",
               "--keys", f"file://{place}/keys.json", "--actor", "ann", "--purpose", "case 7")
    assert done.code == 0, done.err
    masked, before = container(place / "view.avro")
    clear, after = container(place / "clear.avro")
    assert before == after and without_id(clear) == as_text(RECORDS) and [row["id"] for row in clear] == [row["id"] for row in masked]
    events = [json.loads(line) for line in (place / "clear.avro.audit.jsonl").read_text().splitlines()]
    assert events[-1]["values"]["amount"] == {"technique": "encrypt_deterministic", "values": 40, "redacted": 0, "unreadable": 0}


def test_a_container_file_gets_another_key_version(place, cli):
    """rekey gives the values that a run with the new version gives, whatever type they had: deterministic ones join with those."""
    keys = f"file://{place}/keys.json"
    assert cli("keys", "add", place / "keys.json").code == 0 and cli("keys", "promote", place / "keys.json", "2").code == 0
    done = cli("rekey", place / "policy.yaml", "--segment", "view", "--input", place / "view.avro", "--output", place / "new.avro",
               "--keys", keys, "--from-version", "1", "--to-version", "2", "--actor", "ann")
    assert done.code == 0, done.err
    new, schema = container(place / "new.avro")
    assert schema == container(place / "view.avro")[1]
    fresh = Protector(place / "policy.yaml", keys).protect([encoded(record) for record in RECORDS]).views["view"].to_pylist()
    expected = [fastavro.schemaless_reader(io.BytesIO(row), fastavro.parse_schema(schema)) for row in fresh]
    assert [row["amount"] for row in new] == [row["amount"] for row in expected]
    assert [row["phones"] for row in new] == [row["phones"] for row in expected]
    done = cli("unmask", place / "policy.yaml", "--segment", "view", "--input", place / "new.avro", "--output", place / "clear.avro",
               "--keys", keys, "--actor", "ann", "--purpose", "case 7")
    assert done.code == 0 and without_id(container(place / "clear.avro")[0]) == as_text(RECORDS)


def test_wrong_keys_open_nothing(place):
    """Another ring is one error without detail; values that are skipped have no place in a schema without null, which is told."""
    loaded = load(PolicySource.read(place / "policy.yaml"))
    records = Input.of(place / "view.avro", "avro")
    (batch,) = records.batches()
    of_file = loaded.of_files(records.columns)
    with pytest.raises(DecryptionError, match="a value cannot be opened"):
        Unmask(of_file, "view", KeyRing.new())(batch)
    with pytest.raises(InputError, match=r"record 1: its schema has no null.*Hint: omit --skip-unreadable"):
        Unmask(of_file, "view", KeyRing.new(), skip_unreadable=True)(batch)
    ring = open_ring(f"file://{place}/keys.json")
    skipped = Unmask(of_file, "view", KeyRing.new(), fields=["name"], skip_unreadable=True)
    rows = [fastavro.schemaless_reader(io.BytesIO(row), fastavro.parse_schema(json.loads(records.columns[0])))
            for row in skipped(batch).records.to_pylist()]
    assert {row["name"] for row in rows} == {None} and skipped.fields["name"]["unreadable"] == sum(n % 3 > 0 for n in range(40))
    assert Unmask(of_file, "view", ring, fields=["phones[*]"])(batch).records != batch


class Given:
    """A registry of one schema."""

    def __init__(self, number, schema):
        """Know it."""
        self._known = {SchemaId("id", number): schema}

    def schema(self, identifier):
        """The schema of a number."""
        return self._known.get(identifier)


def test_framed_records_are_opened_by_the_schema_of_the_view(place, tmp_path):
    """Unmasker takes records as they are in Kafka: the registry knows the schema that they name, and the framing stays."""
    _, schema = container(place / "view.avro")
    rows = [b"\0\0\0\0\7" + row for row in Input.of(place / "view.avro", "avro")]
    policy = PolicySource("policy.yaml", POLICY.replace("FRAMING", "confluent"))

    def unmasker(audit, number):
        return Unmasker(policy, "view", f"file://{place}/keys.json", actor="ann", purpose="case 7", audit=tmp_path / audit,
                        registry=Given(number, Schema(json.dumps(schema), "AVRO")))

    with unmasker("audit.jsonl", 7) as opened:
        clear = opened.unmask(rows).to_pylist()
    assert {row[:5] for row in clear} == {b"\0\0\0\0\7"}
    parsed = [fastavro.schemaless_reader(io.BytesIO(row[5:]), fastavro.parse_schema(schema)) for row in clear]
    assert without_id(parsed) == as_text(RECORDS)
    with unmasker("other.jsonl", 8) as opened, pytest.raises(InputError, match="unknown_schema"):
        opened.unmask(rows)


PROTO = """\
syntax = "proto3";
message Order { string id = 1; string name = 2; repeated string phones = 3; int64 amount = 4; Inner inner = 5; }
message Inner { string city = 1; bytes blob = 2; }
"""
MESSAGES = """\
version: 1
stream: orders
format: protobuf
framing: confluent
fields:
  id: {class: identifier}
  name: {class: direct}
  phones[*]: {class: direct}
  amount: {class: plain, type: number}
  inner.city: {class: direct}
  inner.blob: {class: plain}
segments:
  view:
    view: masked
    rules:
      id: keep
      name: {technique: encrypt_deterministic, domain: name}
      phones[*]: {technique: encrypt_deterministic, domain: phone}
      amount: keep
      inner.city: {technique: encrypt_deterministic, domain: city}
      inner.blob: keep
"""


def test_protobuf_records_are_opened_and_get_another_key_version():
    """Framed messages of a view are opened byte for byte; with another key version they are what a run with it makes."""
    begin, name = b"\0\0\0\0\7\0", b"\x12\x06\xc5\xbdofie"
    raw = [begin + b"\n\2C1" + name + b"\x1a\3+11\x1a\2+2\x20\x05\x2a\x0a\n\4Bonn\x12\2\n\xff", begin + b"\n\2C2",
           begin + b"\x12\2hi\x12\2ho"]  # fmt: skip
    loaded, registry = load(PolicySource("policy.yaml", MESSAGES)), Given(7, Schema(PROTO, "PROTOBUF"))
    first = KeyRing.new()
    second = first.rotated()

    def masked(keys):
        result = Protector(loaded, keys, registry=registry).protect(raw)
        assert not result.quarantine
        return result.views["view"]

    assert masked(first).to_pylist() != raw
    assert Unmask(loaded, "view", second, version=1, schemas=registry)(masked(first)).records.to_pylist() == raw
    turned = Rekey(loaded, "view", second, 1, 2, os.urandom, registry)(masked(first))
    assert turned.to_pylist() == masked(second).to_pylist() != masked(first).to_pylist()
