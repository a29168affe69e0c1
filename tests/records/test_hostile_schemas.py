"""Schemas and records that were made to harm: each costs one record its way into a view, and never the job or another record."""

import base64
import json
import time

import pyarrow as pa
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from flink_masking.errors import FlinkMaskingError
from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.edits import DROP, KEEP, Keys, Replace
from flink_masking.records.trie import Paths
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

F = descriptor_pb2.FieldDescriptorProto
SECRET = b"secret"


def table_of(kind, schema, records, paths, **options):
    """The table of records whose framing names schema 7; beside each of them stands one of schema 8, which is harmless."""
    text = json.dumps({"type": "record", "name": "Fine", "fields": [{"name": paths[0], "type": "string"}]})
    known = {SchemaId("id", 7): schema, SchemaId("id", 8): Schema(text, "AVRO")}
    codec = codec_for(kind, Layout(framing="confluent", schemas=KnownSchemas(known)))
    rows = [b"\0\0\0\0\7" + record for record in records] + ([b"\0\0\0\0\x08\x02a"] if kind == "avro" else [])
    return codec.scan(pa.array(rows, pa.binary()), Paths(paths, **options))


def avro(schema):
    """A schema of Avro."""
    return Schema(json.dumps(schema), "AVRO")


def record(name, **fields):
    """A record's schema."""
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields.items()]}


def nested(depth):
    """Records that hold the next one twice: a short schema of 2**depth fields."""
    return "int" if depth == 0 else record(f"R{depth}", a=nested(depth - 1), b=f"R{depth - 1}" if depth > 1 else "int")


def test_a_schema_that_is_too_large_costs_its_own_records_only():
    """It is a schema that cannot be used, which is found out once; the records of others pass."""
    table = table_of("avro", avro(nested(22)), [b"\0", b"\0"], ["a"])
    assert ["unknown_schema", "unknown_schema", None] == [fault and fault.reason for fault in map(table.fault, range(3))]
    begun = time.process_time()
    table.codec.scan(pa.array([b"\0\0\0\0\7\0"]), table.paths)
    assert time.process_time() - begun < 0.2
    with pytest.raises(FlinkMaskingError, match="too large"):
        codec_for("avro", Layout(schema=avro(nested(22)))).scan(pa.array([b"\0"]), Paths(["a"]))


def test_defaults_within_defaults_end():
    """A default that holds itself, or doubles with each record within it, is none: the field is left out of the view's schema."""
    endless = record("R", x="string", n="int")
    endless["fields"][1] = {"name": "n", "type": {**record("N"), "fields": [{"name": "o", "type": "N", "default": {}}]}, "default": {}}

    def doubled(depth):
        kind = {**record(f"D{depth}"), "fields": []}
        for name in "ab":
            inner = (doubled(depth - 1) if name == "a" else f"D{depth - 1}") if depth > 1 else "int"
            kind["fields"].append({"name": name, "type": inner, "default": {} if depth > 1 else 1})
        return kind

    wide = record("R", x="string")
    wide["fields"].append({"name": "n", "type": ["null", doubled(15)], "default": None})
    wide["fields"].append({"name": "m", "type": ["D15", "null"], "default": {}})
    for schema, body, paths in ((wide, b"\2a\0\2", ["x", "n", "m"]),):
        codec = codec_for("avro", Layout(schema=avro(schema)))
        table = codec.scan(pa.array([body]), Paths(paths, opaque=paths[1:]))
        edits = {"x": KEEP} | dict.fromkeys(paths[1:], DROP)
        names = [field["name"] for field in json.loads(codec.shown(table.paths, edits, DROP)[0])["fields"]]
        assert (names, table.splice(edits).to_pylist()) == (["x", "n"], [b"\2a\0"])
    codec = codec_for("avro", Layout(schema=avro(endless)))
    shown = codec.shown(Paths(["x", "n"], opaque=["n"]), {"x": KEEP, "n": DROP}, DROP)
    assert ["x"] == [field["name"] for field in json.loads(shown[0])["fields"]]


def test_decimals_of_more_digits_than_numbers_have_are_malformed():
    """Bytes that no decimal of a thousand digits needs are no decimal; one of a scale that no number has is bytes."""
    schema = record("R", d={"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2})
    table = table_of("avro", avro(schema), [b"\xa0\x1f" + b"\x7f" * 2000, b"\2\5"], ["d"])
    assert ("malformed", 5) == (table.fault(0).reason, table.fault(0).position)
    assert ["0.05"] == table.values("d").text.to_pylist()[:1]
    for large in ({"precision": 10**8, "scale": 5 * 10**7}, {"precision": 10**18, "scale": 0}):
        table = table_of("avro", avro(record("R", d={"type": "bytes", "logicalType": "decimal", **large})), [b"\2\5"], ["d"])
        assert [base64.b64encode(b"\5").decode()] == table.values("d").text.to_pylist()[:1]
        assert table.splice({"d": KEEP})[0].as_py() == b"\0\0\0\0\7\2\5"


def test_records_are_shown_as_deep_as_they_may_be():
    """A record that holds itself through others, to the deepest that is accepted, comes out as text; one deeper is malformed."""
    inner = "R0"
    for number in reversed(range(8)):
        inner = record(f"R{number}", x=["null", {"type": "array", "items": ["null", inner]}])
    codec, paths, deepest = codec_for("avro", Layout(schema=avro(inner))), Paths(["x"], opaque=["x"]), 0
    for depth in range(200, 300):
        table = codec.scan(pa.array([b"\2\2\2" * depth + bytes(depth + 1)]), paths)
        if table.fault(0) is not None:
            break
        [text] = table.values("x").text.to_pylist()
        deepest = text.count("{") + 1
        assert text.startswith('[{"x":[{"x":') and deepest == depth + 1
    assert deepest > 200 and table.fault(0).reason == "malformed"


def chain(length):
    """Messages each of which holds the next one."""
    file = descriptor_pb2.FileDescriptorProto(name="chain.proto", package="p", syntax="proto3")
    for number in range(length):
        message = file.message_type.add(name=f"M{number}")
        message.field.add(name="secret", number=1, type=F.TYPE_STRING, label=1)
        if number + 1 < length:
            message.field.add(name="next", number=2, type=F.TYPE_MESSAGE, label=1, type_name=f".p.M{number + 1}")
    return Schema(base64.b64encode(file.SerializeToString()).decode(), "PROTOBUF")


def test_messages_too_deep_within_each_other_are_never_half_compiled():
    """A schema with more of them than can be followed cannot be used, the second time as the first: nothing of it passes undeclared."""
    body = b"\0" + b"\x0a\6" + SECRET
    table = table_of("protobuf", chain(2_000), [body], ["next"], opaque=["next"])
    for found in (table, table.codec.scan(pa.array([b"\0\0\0\0\7" + body]), table.paths)):
        assert found.fault(0).reason == "unknown_schema"
        assert found.splice({"next": KEEP}).to_pylist() == [None]


def test_a_file_that_imports_too_many_others_in_a_row_cannot_be_used():
    """Descriptors are put in order, however far that leads."""
    files = descriptor_pb2.FileDescriptorSet()
    for number in range(3_000):
        file = files.file.add(name=f"f{number}.proto", syntax="proto3", dependency=[f"f{number - 1}.proto"] if number else [])
        file.message_type.add(name=f"M{number}").field.add(name="a", number=1, type=F.TYPE_STRING, label=1)
    files.file.reverse()
    table = table_of("protobuf", Schema(base64.b64encode(files.SerializeToString()).decode(), "PROTOBUF"), [b"\0\x0a\1a"], ["a"])
    assert table.fault(0).reason == "unknown_schema"


def entries():
    """A message with a map, as a schema and as a class."""
    file = descriptor_pb2.FileDescriptorProto(name="m.proto", package="p", syntax="proto3")
    message = file.message_type.add(name="M")
    entry = message.nested_type.add(name="AttrsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=F.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=F.TYPE_STRING, label=1)
    message.field.add(name="attrs", number=1, type=F.TYPE_MESSAGE, label=3, type_name=".p.M.AttrsEntry")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName("p.M"))
    return Schema(base64.b64encode(file.SerializeToString()).decode(), "PROTOBUF"), made


@pytest.mark.parametrize("tag", [b"\x8a\0", b"\x8a\x80\0", b"\x8a\x80\x80\x80\0"])
def test_the_key_of_a_map_cannot_hide_behind_a_longer_tag(tag):
    """Readers take a tag in more bytes than it needs; a record with such a key is refused, as its value's rule goes by the key."""
    schema, kind = entries()
    inside = tag + b"\5email" + b"\x12\6" + SECRET
    body = b"\x0a" + bytes([len(inside)]) + inside
    assert dict(kind.FromString(body).attrs) == {"email": "secret"}
    table = table_of("protobuf", schema, [b"\0" + body], ["attrs.email", "attrs.*"])
    edits = {"attrs.email": Replace(pa.scalar("***")), "attrs.*": KEEP}
    assert table.splice(edits).to_pylist() == [None]
    assert ("malformed", 8) == (table.fault(0).reason, table.fault(0).position)
    table = table_of("protobuf", schema, [b"\0" + body], ["attrs.*"])
    keys = {"attrs.*": Keys(pa.array(["k"] * table.count("attrs.*"), pa.string()))}
    assert table.splice({"attrs.*": KEEP}, keys=keys).to_pylist() == [None]
