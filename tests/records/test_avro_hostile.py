"""Mutated Avro records, against fastavro: no crash, nothing in a view that a reader of the record would not have masked."""

import io
import json
import random
import struct

import fastavro
import pyarrow as pa
import pytest
from guard_pages import guarded_column, guarded_output

from flink_masking import arrow
from flink_masking.errors import FlinkMaskingError, RegistryError
from flink_masking.records.avro.schema import parse_schema
from flink_masking.records.codec import Layout, View, codec_for
from flink_masking.records.edits import DROP, KEEP, Replace
from flink_masking.records.spans import FATAL, Limits
from flink_masking.records.trie import Paths
from flink_masking.registry.outputs import KnownOutputs
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

SCHEMA = {"type": "record", "name": "Event", "fields": [
    {"name": "id", "type": "string"},
    {"name": "email", "type": ["null", "string"]},
    {"name": "age", "type": "int"},
    {"name": "score", "type": "double"},
    {"name": "ok", "type": "boolean"},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}},
    {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 4}},
    {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
        {"name": "sku", "type": "string"}, {"name": "price", "type": ["long", "null"]}]}}},
    {"name": "tags", "type": {"type": "map", "values": "string"}},
    {"name": "raw", "type": "bytes"},
]}  # fmt: skip
KEPT = ["age", "score", "ok", "kind", "hash", "items[*].price", "tags.*"]
RULES = {"id": Replace(pa.scalar("***")), "email": Replace(pa.scalar("***")), "items[*].sku": DROP, "raw": DROP}
PATHS = [*KEPT, *RULES]


def records(count, generator):
    """Records as bytes."""
    schema, made = fastavro.parse_schema(SCHEMA), []
    for number in range(count):
        event = {"id": f"secret-{number}", "email": generator.choice([None, f"secret{number}@example.com"]), "age": number,
                 "score": number / 7, "ok": number % 2 == 0, "kind": "ABC"[number % 3], "hash": struct.pack(">I", number),
                 "items": [{"sku": f"secret {k}", "price": k or None} for k in range(number % 4)],
                 "tags": {"a": "b", "c": "é" * (number % 80)}, "raw": b"secret" * (number % 3)}
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, event)
        made.append(out.getvalue())
    return made


def mutated(record, generator):
    """A record with some bytes changed, removed, added or exchanged."""
    body = bytearray(record)
    for _ in range(generator.randint(1, 3)):
        place = generator.randrange(len(body)) if body else 0
        match generator.randrange(6):
            case 0 if body:
                body[place] ^= 1 << generator.randrange(8)
            case 1:
                del body[place : place + generator.randint(1, 4)]
            case 2:
                body[place:place] = generator.randbytes(generator.randint(1, 4))
            case 3:
                body = body[:place]
            case 4:
                body[place : place + 1] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"[: generator.randint(1, 10)]
            case 5 if body:
                body[place] = generator.choice([0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF])
    return bytes(body)


def masked(event):
    """What the view is to show of a record that fastavro has read."""
    return {**{key: event[key] for key in ("age", "score", "ok", "kind", "hash", "tags")}, "id": "***", "email": "***",
            "items": [{"price": item["price"]} for item in event["items"]]}


@pytest.mark.parametrize("seed", range(10))
def test_mutated_records(seed):
    """Of 10,000 mutated records each is in quarantine with the place, or is what fastavro reads of it, masked: 100,000 in all."""
    generator = random.Random(seed)
    rows = [mutated(record, generator) for record in records(500, generator) for _ in range(20)]
    codec = codec_for("avro", Layout(schema=Schema(json.dumps(SCHEMA))))
    table = codec.scan(pa.array(rows, pa.binary()), Paths(PATHS))
    edits = {**dict.fromkeys(KEPT, KEEP), **RULES}
    view = table.splice(edits).to_pylist()
    derived, schema = fastavro.parse_schema(json.loads(codec.shown(table.paths, edits, DROP)[0])), fastavro.parse_schema(SCHEMA)
    accepted = 0
    for row, (record, shown) in enumerate(zip(rows, view, strict=True)):
        if shown is None:
            fault = table.fault(row)
            assert (fault.reason, fault.path) == ("malformed", None)
            assert 0 <= fault.position <= len(record)
            continue
        accepted += 1
        stream, out = io.BytesIO(record), io.BytesIO(shown)
        expected = masked(fastavro.schemaless_reader(stream, schema, None))
        found = fastavro.schemaless_reader(out, derived, None)
        assert not stream.read() and not out.read()
        assert repr(sorted(expected.items())) == repr(sorted(found.items()))
    assert 100 < accepted < len(rows)


@pytest.mark.parametrize(("record", "position"), [
    (b"", 0), (b"\x02", 0), (b"\x01a", 0), (b"\x02\xff", 0), (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 0),
    (b"\x02a\x04", 2), (b"\x02a\x01", 2), (b"\x02a\x00\x80\x80\x80\x80\x20", 3), (b"\x02a\x00\x02" + bytes(8) + b"\x02", 12),
    (b"\x02a\x00\x02" + bytes(8) + b"\x01\x06", 13), (b"\x02a\x00\x02" + bytes(8) + b"\x01\x00" + bytes(3), 14),
    (b"\x02a\x00\x02" + bytes(8) + b"\x01\x00" + bytes(4) + b"\xfe\xff\xff\xff\x0f", 18),
    (b"\x02a\x00\x02" + bytes(8) + b"\x01\x00" + bytes(4) + b"\x01\x0a\x00\x00\x00\x00\x00", 18 + 5),
    (b"\x02a\x00\x02" + bytes(8) + b"\x01\x00" + bytes(4) + b"\x00\x00\x00\x00", 18 + 3),
])  # fmt: skip
def test_positions(record, position):
    """Each way in which a record is none is told with the byte at which it is noticed."""
    codec = codec_for("avro", Layout(schema=Schema(json.dumps(SCHEMA))))
    table = codec.scan(pa.array([record], pa.binary()), Paths(PATHS))
    assert ("malformed", None, position) == tuple(table.fault(0))


def test_a_count_without_items_ends():
    """Arrays of what takes no byte cannot keep a scanner busy: their items are bounded."""
    nulls = {"type": "array", "items": {"type": "array", "items": "null"}}
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": nulls}]}
    codec = codec_for("avro", Layout(schema=Schema(json.dumps(schema))))
    inner = b"\x80\x80\x04\x00"  # 32,768 nulls
    rows = [b"\x02" + inner + b"\x00", b"\x08" + 4 * inner + b"\x00", b"\x02\xfe\xff\xff\xff\xff\x0f\x00\x00"]
    table = codec.scan(pa.array(rows, pa.binary()), Paths(["a"], opaque=["a"]))
    assert [None, "malformed", "malformed"] == [fault and fault.reason for fault in map(table.fault, range(3))]


def test_depth_is_bounded():
    """A record that holds itself deeper than the limit is malformed; none overruns the stack."""
    schema = {"type": "record", "name": "R", "fields": [{"name": "next", "type": ["null", "R"]}]}
    codec = codec_for("avro", Layout(schema=Schema(json.dumps(schema))))
    rows = [b"\x02" * depth + b"\x00" for depth in (0, 10, 60, 100_000)]
    table = codec.scan(pa.array(rows, pa.binary()), Paths(["next"], opaque=["next"]), Limits(max_depth=64))
    assert [False, False, False, True] == ((table.flags & int(FATAL)) != 0).tolist()
    assert rows[:3] == table.splice({"next": KEEP}).to_pylist()[:3]


def test_a_record_that_holds_itself_without_end():
    """A schema whose records can have no end refuses every record."""
    codec = codec_for("avro", Layout(schema=Schema('{"type":"record","name":"R","fields":[{"name":"next","type":"R"}]}')))
    table = codec.scan(pa.array([b"", b"\x00" * 10], pa.binary()), Paths(["next"], opaque=["next"]))
    assert ["malformed", "malformed"] == [table.fault(row).reason for row in range(2)]


@pytest.mark.parametrize("text", [
    "", "{", "5", "[]", '["int","int"]', '["int",["string"]]', '{"type":"record","name":"R"}', '{"type":"record","fields":[]}', '"unknown"',
    '{"type":"enum","name":"E","symbols":[]}', '{"type":"fixed","name":"F"}', '{"type":"fixed","name":"F","size":-1}', '{"type":"array"}',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}', '{"type":"map","values":"x"}',
    "[" * 5000, '{"type":{"type":' * 200 + '"int"' + "}" * 400,
])  # fmt: skip
def test_bad_schemas(text):
    """What is no schema is refused with a hint."""
    with pytest.raises(FlinkMaskingError, match="Hint"):
        parse_schema(text)


def test_framing():
    """Each framing names the schema; another first byte, and an identifier that does not exist, go to quarantine."""
    body = records(1, random.Random(1))[0]
    schema = Schema(json.dumps(SCHEMA), "AVRO")
    guid = "0a1b2c3d-0000-4000-8000-00000000abcd"
    raw = bytes.fromhex(guid.replace("-", ""))
    known = KnownSchemas({SchemaId("id", 7): schema, SchemaId("guid", guid): schema, SchemaId("content", 7): schema,
                          SchemaId("global", 1 << 40): schema})  # fmt: skip
    own = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO")
    cases = {
        "confluent": [b"\0\0\0\0\7" + body, b"\1" + raw + body],
        "apicurio4": [b"\0\0\0\0\7" + body],
        "apicurio8": [b"\0" + (1 << 40).to_bytes(8, "big") + body],
        "single_object": [b"\xc3\x01" + bytes.fromhex(own) + body],
    }
    wrong = [b"\x02" + body, b"", b"\0\0", b"\xc3\x02" + bytes(8) + body]
    for framing, good in cases.items():
        codec = codec_for("avro", Layout(framing=framing, schema=schema, schemas=known))
        absent = bytes([*good[0][: 1 if framing != "single_object" else 2], *([1] * 8)]) + body
        rows = [*good, *wrong, absent, b"", None]
        table = codec.scan(pa.array(rows, pa.binary()), Paths(PATHS))
        n = len(good)
        assert good == table.splice(dict.fromkeys(PATHS, KEEP)).to_pylist()[:n]
        reasons = [table.fault(row).reason for row in range(n, len(rows))]
        assert ["malformed"] * 4 + ["unknown_schema", "malformed", "missing_payload"] == reasons
        assert 0 == table.fault(n).position


def test_guid_in_a_header():
    """The header names the schema of a value without prefix, and the view has it in the value; one that is none is a fault."""
    body = records(1, random.Random(1))[0]
    guid = "0a1b2c3d-0000-4000-8000-00000000abcd"
    codec = codec_for("avro", Layout(framing="confluent", schemas=KnownSchemas({SchemaId("guid", guid): Schema(json.dumps(SCHEMA))})))
    headers = [b"\1" + bytes.fromhex(guid.replace("-", "")), b"\2" + bytes(16), b"\1" + bytes(16), None]
    table = codec.scan(pa.array([body] * 4, pa.binary()), Paths(PATHS), headers={"__value_schema_id": pa.array(headers, pa.binary())})
    assert [None, "malformed", "unknown_schema", "malformed"] == [fault and fault.reason for fault in map(table.fault, range(4))]
    assert headers[0] + body == table.splice(dict.fromkeys(PATHS, KEEP))[0].as_py()


def test_no_byte_too_far_is_touched(monkeypatch):
    """With records, whole, cut and mutated, and views up against pages that may not be touched, nothing crashes."""
    monkeypatch.setattr(arrow, "output", guarded_output)
    generator, paths = random.Random(3), Paths(PATHS)
    codec = codec_for("avro", Layout(schema=Schema(json.dumps(SCHEMA))))
    texts = Replace(pa.scalar("m" * 40))
    for record in records(120, generator):
        for rows in [record], [record[: generator.randrange(len(record) + 1)]], [mutated(record, generator) for _ in range(3)]:
            table = codec.scan(guarded_column(rows), paths)
            for path in PATHS:
                table.values(path).text.validate(full=True)
            for edits in {**dict.fromkeys(KEPT, KEEP), **RULES}, dict.fromkeys(PATHS, KEEP) | {"id": texts, "items[*].sku": texts}:
                table.splice(edits).validate(full=True)


def test_a_view_of_another_schema_has_its_own_identifier():
    """The framing of a view names the schema that was registered for it; one without an identifier fails, and is not written."""
    body = records(1, random.Random(1))[0]
    edits = {**dict.fromkeys(KEPT, KEEP), **RULES}
    plain = codec_for("avro", Layout(schema=Schema(json.dumps(SCHEMA))))
    text = plain.shown(Paths(PATHS), edits, DROP)[0]
    wanted = plain.scan(pa.array([body]), Paths(PATHS)).splice(edits)[0].as_py()
    source, guid = KnownSchemas({SchemaId("id", 7): Schema(json.dumps(SCHEMA))}), "0a1b2c3d-0000-4000-8000-00000000abcd"
    raw = bytes.fromhex(guid.replace("-", ""))
    for identifier, prefix in ((SchemaId("id", 8), b"\0\0\0\0\x08"), (SchemaId("guid", guid), b"\1" + raw)):
        codec = codec_for("avro", Layout(framing="confluent", schemas=source, outputs=KnownOutputs({text: identifier})))
        table = codec.scan(pa.array([b"\0\0\0\0\7" + body]), Paths(PATHS))
        assert prefix + wanted == table.splice(edits, view=View("support"))[0].as_py()
    codec = codec_for("avro", Layout(framing="confluent", schemas=source, outputs=KnownOutputs({})))
    with pytest.raises(RegistryError, match="view support: its schema differs"):
        codec.scan(pa.array([b"\0\0\0\0\7" + body]), Paths(PATHS)).splice(edits, view=View("support"))
