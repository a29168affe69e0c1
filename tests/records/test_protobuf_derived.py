"""Schemas of views whose values become text: what the derived schema reads of a view is what the rules make of the record."""

import random

import protobuf_oracle as oracle
import pyarrow as pa
import pytest
from google.protobuf import descriptor_pb2, message_factory
from test_protobuf_laws import chooses, described, expected, readable

from flink_masking.errors import InputError, RegistryError
from flink_masking.records.codec import Layout, Outcome, Result, View, codec_for
from flink_masking.records.edits import DROP, KEEP, KEEP_VALUE, USE, Replace
from flink_masking.records.paths import Wild, format_path
from flink_masking.records.protobuf.schemas import messages
from flink_masking.records.spans import FATAL
from flink_masking.records.trie import Paths
from flink_masking.registry.outputs import KnownOutputs
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

OUTCOMES = {"change": Outcome(Result.TEXT), "drop": Outcome(Result.DROP), "drop whole": Outcome(Result.DROP)}


def shown(message, plan, steps=()):
    """The contents of a message by names of fields, with `m` in place of what a rule changes."""
    found = {}
    for field, value in message.ListFields():
        repeated = field.label == 3
        own = (*steps, field.name, *([Wild.KEY] if oracle.is_map(field) else [Wild.ELEMENT] if repeated else []))
        change, part = plan.get(format_path(own)) == "change", field.message_type.fields_by_number[2] if oracle.is_map(field) else field

        def one(inner, part=part, change=change, own=own):
            return "m" if change else shown(inner, plan, own) if part.message_type is not None else inner

        several = list(map(one, value)) if repeated and not oracle.is_map(field) else None
        found[field.name] = {key: one(value[key]) for key in value} if oracle.is_map(field) else several if repeated else one(value)
    return found


def test_views_are_read_by_the_derived_schema(long_form):
    """Any type of field, nested, repeated, packed, in maps and oneofs, becomes text under its number; all else stays as it was."""
    read = changed = refused = 0
    for seed in range(3_000 if long_form else 150):
        rng = random.Random(seed)
        file = oracle.schema(rng)
        kind = oracle.classes(file)
        plan = {rule.path: rule.what for rule in oracle.rules(rng, kind.DESCRIPTOR)}
        if not plan:
            continue
        paths = Paths([path for path, what in plan.items() if what != "known"],
                      known=[path for path, what in plan.items() if what == "known"],
                      opaque=[path for path, what in plan.items() if "whole" in what])
        codec = codec_for("protobuf", Layout(framing="none", schema=described(file), message="r.M0"))
        view = View("v", {path: OUTCOMES.get(plan[path], Outcome(Result.KEEP)) for path in paths.names})
        try:
            text, differs = codec.derived(paths, view)
        except InputError as error:
            assert "group" in str(error) or "enum of proto2" in str(error)
            refused += 1
            continue
        made = message_factory.GetMessageClass(messages(text, ()).named("r.M0")) if differs else kind
        changed += differs
        records = [oracle.fill(rng, kind()).SerializeToString() for _ in range(8)]
        records = [record for record in records if len(record) < 200_000 and readable(kind, record)]
        if not chooses(kind.DESCRIPTOR):
            records += [a + b for a, b in zip(records[::2], records[1::2], strict=False)]
        table = codec.scan(pa.array(records, pa.binary()), paths)
        assert not (table.flags & int(FATAL)).any()
        edits = {path: DROP if plan[path] in OUTCOMES and plan[path] != "change" else
                 Replace(pa.scalar("m")) if plan[path] == "change" else KEEP for path in paths.names}
        kept = {path: "keep" if what == "change" else what for path, what in plan.items()}
        for record, row in zip(records, table.splice(edits, view=view).to_pylist(), strict=True):
            one = made.FromString(row)
            assert oracle.known_only(one), seed
            assert shown(one, {}) == shown(expected(kind, record, kept), plan), seed
            read += 1
    assert read > 300 and changed > 60 and refused < changed


SCHEMA = """syntax = "proto3"; package shop; import "common.proto"; import "google/protobuf/timestamp.proto";
message Other { Address home = 1; }
message Order {
  message Line { string sku = 1; int32 count = 2; Kind kind = 3; }
  enum Kind { option allow_alias = true; NONE = 0; SHOP = 1; STORE = 1; }
  reserved 40, 42 to 50; reserved "old";
  int64 id = 1; Address billing = 2; Address shipping = 3; repeated Line lines = 4; repeated sint32 scores = 5 [packed = true];
  map<string, double> figures = 6; optional bool known = 7; oneof who { int32 number = 8; string name = 9; }
  google.protobuf.Timestamp at = 10; Order before = 11; int32 some_number = 12 [json_name = "n", deprecated = true];
}
"""
COMMON = """syntax = "proto3"; package shop;
message Unused { int32 x = 1; } message Address { int32 zip = 1; City city = 2; } enum City { A = 0; }
"""
REFERENCES = {"common.proto": COMMON}
PATHS = ["id", "billing.zip", "shipping.zip", "lines[*].count", "lines[*].kind", "scores[*]", "figures.*", "known", "number", "at.seconds",
         "before.id", "some_number"]


def codec_of(outputs=None, framing="confluent"):
    """The codec of orders with identifier 7."""
    schema = Schema(SCHEMA, "PROTOBUF", REFERENCES)
    known = KnownSchemas({SchemaId(kind, 7): schema for kind in ("id", "content", "global")})
    return codec_for("protobuf", Layout(framing=framing, schemas=known, outputs=outputs))


def test_a_view_has_its_own_schema_and_identifier():
    """A message that is changed in one place only gets a second name, an imported one moves in, and index paths lead where they led."""
    schema = messages(SCHEMA, tuple(REFERENCES.items()))
    order = message_factory.GetMessageClass(schema.named("Order"))(id=5, scores=[1, 300, -7], figures={"a": 1.5, "b": 0.0}, number=3)
    order.billing.zip, order.billing.city, order.shipping.zip, order.at.seconds, order.at.nanos = 12345, 0, 99999, 1_700_000_000, 5
    order.lines.add(sku="x", count=2, kind=1)
    order.before.id, order.before.billing.zip, order.known, order.some_number = 4, 1, False, 8
    text = [path for path in PATHS if path not in ("shipping.zip", "before.id")]
    view = View("v", {path: Outcome(Result.TEXT if path in text else Result.KEEP) for path in PATHS})
    paths, told = Paths(PATHS, deny=False), {}

    class Outputs:
        def identifier(self, name, schema, kind="id"):
            told[name, kind] = schema.text
            return SchemaId(kind, 900)

    for framing, size, reference in (("confluent", 4, b"\2\2"), ("apicurio4", 4, b"\7\n\5Order"), ("apicurio8", 8, b"\7\n\5Order")):
        before, after = (b"\0" + number.to_bytes(size) + reference for number in (7, 900))
        codec = codec_of(Outputs(), framing)
        table = codec.scan(pa.array([before + order.SerializeToString(), None, b"\1"], pa.binary()), paths)
        new = {path: pa.array([f"<{value}>" for value in table.values(path).text.to_pylist()], pa.string()) for path in text}
        row, *others = table.splice({path: Replace(new[path]) if path in text else KEEP for path in PATHS}, view=view).to_pylist()
        assert others == [None, None] and row.startswith(after)
    derived = told["v", "id"]
    assert {*told.values()} == {derived}
    found = messages(derived, ())
    assert [message.name for message in found.own.message_type][:2] == ["Other", "Order"]
    assert list(found.own.dependency) == []  # the one of the standard library is changed, and stands in the file
    one = message_factory.GetMessageClass(found.at([1])).FromString(row[len(after) :])
    assert (one.id, one.billing.zip, one.shipping.zip, list(one.scores)) == ("<5>", "<12345>", 99999, ["<1>", "<300>", "<-7>"])
    assert (dict(one.figures), one.known, one.number, one.at.seconds) == ({"a": "<1.5>", "b": "<0>"}, "<false>", "<3>", "<1700000000>")
    assert [(line.sku, line.count, line.kind) for line in one.lines] == [("x", "<2>", "<SHOP>")]
    assert (one.before.id, one.before.billing.zip, one.some_number) == (4, 1, "<8>")
    assert found.own.message_type[1].field[-1].json_name == "n" and "reserved 40, 42 to 50;" in derived and 'reserved "old";' in derived


def test_values_that_stay_are_written_as_text_too():
    """Where a rule lets some values through, a field that is text in the view has them as text."""
    schema = messages(SCHEMA, tuple(REFERENCES.items()))
    order = message_factory.GetMessageClass(schema.named("Order"))(scores=[1, 2, 3])
    paths = Paths(["scores[*]"], deny=False)
    view = View("v", {"scores[*]": Outcome(Result.TEXT)})
    codec = codec_for("protobuf", Layout(framing="none", schema=Schema(SCHEMA, "PROTOBUF", REFERENCES), message="shop.Order"))
    table = codec.scan(pa.array([order.SerializeToString(), b""], pa.binary()), paths)
    how = pa.array([USE, KEEP_VALUE, USE], pa.uint8()).to_numpy()
    text, _ = codec.derived(paths, view)
    kind = message_factory.GetMessageClass(messages(text, ()).named("Order"))
    rows = table.splice({"scores[*]": Replace(pa.array(["a", None, None], pa.string()), how)}, view=view).to_pylist()
    assert [list(kind.FromString(row).scores) for row in rows] == [["a", "2"], []]
    rows = table.splice({"scores[*]": KEEP}, view=view).to_pylist()
    assert list(kind.FromString(rows[0]).scores) == ["1", "2", "3"]
    assert table.splice({"scores[*]": DROP}, view=view).to_pylist() == [b"", b""]


def test_a_view_without_an_identifier_is_an_error():
    """Nothing is written with an identifier of another schema."""
    table = codec_of(KnownOutputs({})).scan(pa.array([b"\0\0\0\0\7\2\2\x08\5"], pa.binary()), Paths(["id"], deny=False))
    with pytest.raises(RegistryError, match="has no identifier"):
        table.splice({"id": Replace(pa.scalar("m"))}, view=View("v", {"id": Outcome(Result.TEXT)}))


@pytest.mark.parametrize("text, paths, words", [
    ('syntax = "proto2"; message A { repeated group G = 1 { optional int32 x = 1; } }', ["g[*].x"], "in a group"),
    ('syntax = "proto2"; message A { repeated E e = 1; enum E { X = 0; } }', ["e[*]"], "enum of proto2"),
    ('syntax = "proto3"; message A { map<string, int32> m = 1; }', ["m.a"], "some values of a map"),
])
def test_what_no_schema_can_hold_is_refused(text, paths, words):
    """Groups, repeated enums of proto2, and maps with two types of values are refused with a hint."""
    codec = codec_for("protobuf", Layout(framing="none", schema=Schema(text, "PROTOBUF")))
    emitted = [*paths, *(["m.*"] if paths == ["m.a"] else [])]
    with pytest.raises(InputError, match=words) as caught:
        codec.derived(Paths(emitted), View("v", {path: Outcome(Result.TEXT) for path in paths}))
    assert "Hint" in str(caught.value)


def test_the_text_of_a_schema_is_read_back_as_it_was():
    """What is printed compiles to the descriptor that it was printed of: labels, defaults, reserved numbers, options and names."""
    from flink_masking.records.protobuf.printed import proto_text

    old = r"""syntax = "proto2"; package p.q; message A {
      required string a = 1 [default = "x\"\\\001é"]; optional bytes b = 2 [default = "\000\377"]; optional double d = 3 [default = -inf];
      optional E e = 4 [default = TWO]; repeated int32 f = 5 [packed = true, deprecated = true]; optional bool g = 6 [default = true];
      optional group Inner = 7 { optional int32 x = 1; message Deep { optional uint64 y = 1; } optional Deep deep = 2; }
      reserved 100 to max; enum E { reserved -5, 9 to max; reserved "OLD"; ONE = 1; TWO = 2 [deprecated = true]; }
      oneof z { string h = 8; fixed32 i = 9; } map<int64, A> j = 10; optional float k = 11 [default = 1.5e-3]; }"""
    for text in (old, COMMON, "syntax = 'proto3'; message A { optional string x_y = 1; repeated int32 z = 2 [packed = false]; }"):
        found = messages(text, ()).own
        again = messages(proto_text(found), ()).own
        for file in (found, again):
            file.ClearField("source_code_info")
        assert descriptor_pb2.FileDescriptorProto.FromString(again.SerializeToString()) == found
    random.seed(1)
    for seed in range(20):
        file = oracle.schema(random.Random(seed))
        again = messages(proto_text(file), ()).own
        again.name, file.name = "r.proto", "r.proto"
        for field in (one for message in again.message_type for part in (message, *message.nested_type) for one in part.field):
            field.ClearField("json_name")
        assert oracle.classes(file).DESCRIPTOR.full_name == "r.M0"
        assert {message.name: len(message.field) for message in again.message_type} == {m.name: len(m.field) for m in file.message_type}
