"""Laws of JSON behind framings: what the codec of plain JSON makes of a record, behind the identifier of the view's schema."""

import copy
import json
import uuid

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_oracle import objects, render

from flink_masking.records.codec import Layout, Outcome, Result, View, codec_for
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, USE, Replace
from flink_masking.records.json.codec import scan
from flink_masking.records.spans import Flag
from flink_masking.records.trie import Paths
from flink_masking.registry.outputs import KnownOutputs
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

GUID = uuid.UUID(int=10)
IDENTIFIERS = {"confluent": ("id", 4), "apicurio4": ("content", 4), "apicurio8": ("global", 8)}
POLICIES = st.sampled_from([["a", "b.c", "c[*]", "é"], ["a[*].b", "b.*", "c.d.a"], ["*"], ["*.*", "a.b", "*[*]"]])


def prefix(framing, number):
    """The framing of a record with this identifier."""
    return b"\0" + number.to_bytes(IDENTIFIERS[framing][1])


def codec(framing, text="{}", outputs=None):
    """The codec of records whose schemas 10 and 11 are this text."""
    kind = IDENTIFIERS[framing][0]
    known = {SchemaId(kind, 10): Schema(text, "JSON"), SchemaId(kind, 11): Schema(text, "JSON"), SchemaId(kind, 12): Schema("int", "JSON"),
             SchemaId(kind, 13): Schema("{}", "AVRO"), SchemaId("guid", str(GUID)): Schema(text, "JSON")}
    return codec_for("json", Layout(framing=framing, schemas=KnownSchemas(known), outputs=outputs))


@pytest.mark.parametrize("framing", IDENTIFIERS)
@given(docs=st.lists(objects(unique=True) | objects(), min_size=1, max_size=4), emit=POLICIES, deny=st.booleans(), seed=st.integers(0, 99))
def test_framed_records_are_plain_records_behind_their_identifier(framing, docs, emit, deny, seed):
    """Flags, faults, values and views are those of the same records without framing; positions count from the framing."""
    rows, rng = [render(doc).encode() for doc in docs], np.random.default_rng(seed)
    fronts = [prefix(framing, int(rng.integers(10, 12))) for _ in rows]
    paths = Paths(emit, deny=deny)
    plain = scan(pa.array(rows, pa.binary()), paths)
    made = codec(framing).scan(pa.array([None, *(a + b for a, b in zip(fronts, rows, strict=True))], pa.binary())[1:], paths)
    assert made.flags.tolist() == plain.flags.tolist()
    for row, front in enumerate(fronts):
        one, other = plain.fault(row), made.fault(row)
        assert (one is None) == (other is None)
        if one is not None and one.position is not None:
            assert (one.reason, one.path, one.position + len(front)) == other
    edits = {}
    for name in emit:
        assert made.values(name).text.equals(plain.values(name).text) and made.raw(name).equals(plain.raw(name))
        how = rng.choice([USE, DROP_VALUE], plain.count(name)).astype(np.uint8)
        edits[name] = rng.choice(np.array([KEEP, DROP, Replace(pa.scalar("m")), Replace(pa.scalar("m"), how)], object))
    reject = rng.random(len(rows)) < 0.2
    want = plain.splice(edits, reject=reject).to_pylist()
    assert made.splice(edits, reject=reject).to_pylist() == [None if b is None else a + b for a, b in zip(fronts, want, strict=True)]


@given(st.data())
def test_any_bytes_are_taken_or_refused(data):
    """Whatever stands in a message, nothing but a known identifier and valid JSON behind it comes through."""
    rows = data.draw(st.lists(st.binary(max_size=12) | st.binary(max_size=6).map(lambda b: b"\0\0\0\0\x0a{}" + b), min_size=1, max_size=5))
    table = codec("confluent").scan(pa.array(rows, pa.binary()), Paths(["a"]))
    for row, made in zip(rows, table.splice({"a": KEEP}).to_pylist(), strict=True):
        if made is not None:
            assert row == made and row[:5] in (prefix("confluent", 10), prefix("confluent", 11)) and isinstance(json.loads(row[5:]), dict)


def test_the_framing_of_every_record_is_looked_at():
    """A header goes before the value; an identifier without a schema, of another format's schema, or another framing is refused."""
    body, header = b'{"a":"x"}', b"\1" + GUID.bytes
    rows = [prefix("confluent", 10) + body, body, header + body, prefix("confluent", 12) + body, prefix("confluent", 13) + body,
            prefix("confluent", 99) + body, b"\0\0\0", b"", None, body, prefix("confluent", 10) + body]
    headers = [None] * 9 + [b"\1\2", None]
    headers[1] = header
    told = {"__value_schema_id": pa.array(headers, pa.binary())}
    table = codec("confluent").scan(pa.array(rows, pa.binary()), Paths(["a"]), headers=told)
    no, bad = Flag.UNKNOWN_SCHEMA, Flag.INVALID
    assert [Flag(flag) for flag in table.flags.tolist()] == [0, 0, 0, no, no, no, bad, bad, Flag.ABSENT, bad, 0]
    views = table.splice({"a": Replace(pa.scalar("***"))}).to_pylist()
    masked = b'{"a":"***"}'
    assert views[:3] == [prefix("confluent", 10) + masked, header + masked, header + masked] and views[3:10] == [None] * 7


def test_views_of_another_schema_have_its_identifier():
    """Where a rule changes a type, records carry the identifier of the derived schema; values that it lacks send theirs to quarantine."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string", "pattern": "^x"}}, "required": ["a", "b"]}
    derived = {**schema, "properties": {**schema["properties"], "a": {"type": "string"}}}
    text = json.dumps(derived, separators=(",", ":"))
    made = codec("apicurio8", json.dumps(schema), KnownOutputs({text: SchemaId("global", 500)}))
    rows = [prefix("apicurio8", 10) + b'{"a":%d,"b":"x"}' % number for number in range(3)]
    table = made.scan(pa.array(rows, pa.binary()), Paths(["a", "b"]))
    view = View("v", {"a": Outcome(Result.TEXT), "b": Outcome(Result.SAME)})
    edits = {"a": Replace(pa.array(["0-9"] * 3)), "b": Replace(pa.array(["xx", "***", None]))}
    assert table.splice(edits, view=view).to_pylist() == [prefix("apicurio8", 500) + b'{"a":"0-9","b":"xx"}', None, None]
    assert {path: rows.tolist() for path, rows in table.unwritable.items()} == {"b": [1, 2]}


# A schema beside records that are valid by it: pairs of a schema and a strategy of values.


def _plain(draw):
    text = draw(st.sampled_from([{"type": "string"}, {"type": "string", "maxLength": 3}, {"enum": ["p", "q"]}, {"type": ["string", "null"]},
                                 {"anyOf": [{"type": "null"}, {"type": "string"}]}, {"$ref": "#/$defs/text"}, {"$ref": "other#/text"}, {}]))
    number = draw(st.sampled_from([{"type": "integer", "minimum": 0}, {"type": "number"},
                                   {"oneOf": [{"type": "null"}, {"type": "integer"}]}]))
    return draw(st.sampled_from([(text, st.sampled_from(["p", "q"])), (number, st.integers(0, 9)),
                                 ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, st.integers(0, 5) | st.just("p"))]))


@st.composite
def described(draw, depth=2):
    """A schema of objects, and a strategy of its objects."""
    members, required = {}, []
    for name in draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, min_size=1)):
        how = draw(st.integers(0, 3)) if depth else 0
        if how == 1:
            members[name] = draw(described(depth - 1))
        elif how == 2:
            inner, values = draw(described(depth - 1)) if draw(st.booleans()) else _plain(draw)
            members[name] = {"type": "array", "items": inner, "minItems": 1, "uniqueItems": False}, st.lists(values, min_size=1, max_size=2)
        else:
            members[name] = _plain(draw)
        required += [name] if draw(st.booleans()) else []
    schema = {"type": "object", "properties": {name: inner for name, (inner, _) in members.items()}, "required": required}
    optional = {name: values for name, (_, values) in members.items() if name not in required}
    values = st.fixed_dictionaries({name: members[name][1] for name in required}, optional=optional)
    if draw(st.booleans()):
        inner, others = _plain(draw)
        schema["additionalProperties"] = inner
        values = st.tuples(values, st.dictionaries(st.sampled_from(["d", "e"]), others, max_size=1)).map(lambda pair: pair[0] | pair[1])
    elif draw(st.booleans()):
        schema["additionalProperties"] = False
    return schema | draw(st.sampled_from([{}, {"minProperties": len(required)}, {"dependentRequired": {"a": required}}])), values


TARGETS = st.sampled_from([["a", "b.*", "c[*]", "*"], ["a.a", "a.b", "b[*].a", "b[*].b", "c", "d"], ["*.*", "a[*]", "a[*].*", "b"],
                           ["*", "c[*].a"], ["a", "b", "c", "d", "e"]])


@given(described(), TARGETS, st.data())
def test_masked_records_are_valid_by_the_derived_schema(pair, emit, data):
    """Whatever the schema and the rules: of a record that was valid the view is valid by the schema that is derived for it."""
    schema, values = pair
    other = json.dumps({"text": {"type": "string"}})
    schema = {**schema, "$defs": {"text": {"type": "string"}, "other": {"text": {"type": "string"}}}}
    rows = [json.dumps(one).encode() for one in data.draw(st.lists(values, min_size=1, max_size=4))]
    whole = copy.deepcopy(schema)
    known = KnownSchemas({SchemaId("id", 1): Schema(json.dumps(schema), "JSON", {"other": other})})

    class Any:
        def identifier(self, view, schema, kind="id"):
            whole.clear()
            whole.update(json.loads(schema.text))
            return SchemaId("id", 2)

    made = codec_for("json", Layout(framing="confluent", schemas=known, outputs=Any()))
    paths = Paths(emit, opaque=emit)
    table = made.scan(pa.array([b"\0\0\0\0\1" + row for row in rows], pa.binary()), paths)
    edits, outcomes = {}, {"": data.draw(st.sampled_from([Outcome(Result.DROP), Outcome(Result.TEXT)]))}
    for name in emit:
        outcome = outcomes[name] = data.draw(st.sampled_from([
            Outcome(Result.KEEP), Outcome(Result.DROP), Outcome(Result.TEXT), Outcome(Result.TEXT, True), Outcome(Result.NULL, True),
            Outcome(Result.TEXT, False, True)]))
        count = table.count(name)
        masks = data.draw(st.lists(st.sampled_from(["m" * 9, None] if outcome.nullable else ["m" * 9]), min_size=count, max_size=count))
        how = np.array(data.draw(st.lists(st.sampled_from([USE, DROP_VALUE] if outcome.absent else [USE]), min_size=count, max_size=count)),
                       np.uint8)
        kinds = table.kinds(name)
        masks = [None if kind == 5 else mask for mask, kind in zip(masks, kinds.tolist(), strict=True)]
        edits[name] = {Result.KEEP: KEEP, Result.DROP: DROP}.get(outcome.result, Replace(pa.array(masks, pa.string()), how))
        if outcome.result is Result.NULL:
            edits[name] = Replace(pa.scalar(None, pa.string()))
    unknown = DROP if outcomes[""].result is Result.DROP else Replace(pa.scalar("***"))
    for row in table.splice(edits, unknown=unknown, view=View("v", outcomes)).drop_null().to_pylist():
        resolved = jsonschema.validators.Draft202012Validator(json.loads(json.dumps(whole).replace("other#/text", "#/$defs/other/text")))
        resolved.validate(json.loads(row[5:]))
