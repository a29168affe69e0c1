"""Laws of Avro records, against fastavro."""

import base64
import datetime
import io
import json
import os
import random
from decimal import Context, Decimal

import fastavro
import pyarrow as pa
import pytest
from avro_samples import Branch, Schemas, bare, encode, named_types, value

from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.edits import DROP, KEEP, Replace
from flink_masking.records.kinds import Kind
from flink_masking.records.trie import Paths
from flink_masking.registry.source import Schema

CHUNK = 50
CHUNKS = range(0, 10_000 if os.environ.get("FLINK_MASKING_SLOW") == "1" else 300, CHUNK)


def declared(schema, types, path="", above=()):
    """Paths of the scalars of a schema with their types, and of what holds itself, which is declared as a whole."""
    if isinstance(schema, str) and schema in types:
        schema = types[schema]
    if isinstance(schema, list):
        for inner in [inner for inner in schema if inner != "null"] or ["null"]:
            yield from declared(inner, types, path, above)
        return
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        if schema["name"] in above:
            yield path, schema
            return
        for field in schema["fields"]:
            yield from declared(field["type"], types, f"{path}.{field['name']}" if path else field["name"], (*above, schema["name"]))
    elif kind == "array":
        yield from declared(schema["items"], types, path + "[*]", above)
    elif kind == "map":
        yield from declared(schema["values"], types, path + ".*", above)
    else:
        yield path, schema


def occurrences(schema, item, types, opaque, path=""):
    """All scalars of a value in the order of the record: path, text, kind."""
    if isinstance(schema, str) and schema in types:
        schema = types[schema]
    if isinstance(schema, list):
        yield from occurrences(schema[item.number], item.value, types, opaque, path)
        return
    kind = schema if isinstance(schema, str) else schema["type"]
    if path in opaque:
        yield path, None, {"record": Kind.OBJECT, "map": Kind.OBJECT, "array": Kind.ARRAY, "null": Kind.NULL}[kind]
    elif kind == "record":
        for field in schema["fields"]:
            inner = f"{path}.{field['name']}" if path else field["name"]
            yield from occurrences(field["type"], item[field["name"]], types, opaque, inner)
    elif kind == "array":
        for inner in item:
            yield from occurrences(schema["items"], inner, types, opaque, path + "[*]")
    elif kind == "map":
        for inner in item.values():
            yield from occurrences(schema["values"], inner, types, opaque, path + ".*")
    else:
        yield path, *text(schema, kind, item)


def text(schema, kind, item):
    """The text and kind of a scalar."""
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if item is None:
        return None, Kind.NULL
    if logical == "date":
        return (datetime.date(1970, 1, 1) + datetime.timedelta(item)).isoformat(), Kind.STRING
    if logical == "decimal":
        return f"{Decimal(item).scaleb(-schema['scale'], Context(prec=60)):f}", Kind.NUMBER
    if kind == "boolean":
        return str(item).lower(), Kind.TRUE if item else Kind.FALSE
    if kind in ("int", "long"):
        return str(item), Kind.NUMBER
    if kind in ("float", "double"):
        return item, Kind.NUMBER
    if kind in ("bytes", "fixed"):
        return base64.b64encode(item).decode(), Kind.STRING
    return item, Kind.STRING


def plain(item):
    """A value as fastavro gives it."""
    if isinstance(item, Branch):
        return plain(item.value)
    if isinstance(item, dict):
        return {key: plain(inner) for key, inner in item.items()}
    return [plain(inner) for inner in item] if isinstance(item, list) else item


def read(record, schema):
    """A record as fastavro reads it; all of it must be read."""
    stream = io.BytesIO(record)
    found = fastavro.schemaless_reader(stream, fastavro.parse_schema(bare(schema)), None)
    assert stream.read() == b""
    return found


def sample(seed, n=5):
    """A schema, its types, values of it and their encoding."""
    generator = random.Random(seed)
    schema = Schemas(generator).record()
    types = named_types(schema)
    items = [value(schema, generator, types) for _ in range(n)]
    return schema, types, items, [encode(schema, item, generator, types) for item in items]


def scanned(schema, types, records, **options):
    """The table of all declared paths, and what is declared as a whole."""
    paths = dict(declared(schema, types))
    opaque = [path for path, part in paths.items() if isinstance(part, dict) and part["type"] == "record"]
    codec = codec_for("avro", Layout(schema=Schema(json.dumps(schema))))
    return codec.scan(pa.array(records, pa.binary()), Paths(paths, opaque=opaque, **options)), paths, opaque




@pytest.mark.parametrize("first", CHUNKS)
def test_values_are_those_of_the_record(first):
    """Every value comes out at its path, in order, with its kind; keeping all of them keeps every byte."""
    for seed in range(first, first + CHUNK):
        check_values(seed)


def check_values(seed):
    """One schema of the test above."""
    schema, types, items, records = sample(seed)
    table, paths, opaque = scanned(schema, types, records)
    assert not table.flags.any(), [table.fault(row) for row in range(len(records))]
    assert records == table.splice(dict.fromkeys(paths, KEEP)).to_pylist()
    for path in paths:
        expected = [(row, *found[1:]) for row, item in enumerate(items)
                    for found in occurrences(schema, item, types, opaque) if found[0] == path]
        values = table.values(path)
        values.text.validate(full=True)
        assert [row for row, _, _ in expected] == values.rows.tolist()
        assert [kind for _, _, kind in expected] == values.kinds.tolist()
        for (_, wanted, kind), found in zip(expected, values.text.to_pylist(), strict=True):
            if isinstance(wanted, float):
                assert abs(wanted - float(found)) <= 1e-6 * abs(wanted)
            elif kind not in (Kind.OBJECT, Kind.ARRAY):
                assert wanted == found


def edited(schema, item, types, path, edits):
    """A value after edits: `edits[path]()` gives the next replacement, or `KEEP`, or `DROP`."""
    if isinstance(schema, str) and schema in types:
        schema = types[schema]
    if isinstance(schema, list):
        return edited(schema[item.number], item.value, types, path, edits)
    kind = schema if isinstance(schema, str) else schema["type"]
    if path in edits:
        found = edits[path](item, kind)
        return raw(schema, kind, item) if found is KEEP else found
    if kind == "record":
        made = {}
        for field in schema["fields"]:
            inner = f"{path}.{field['name']}" if path else field["name"]
            new = edited(field["type"], item[field["name"]], types, inner, edits)
            if new is not DROP:
                made[field["name"]] = new
        return made
    if kind == "array":
        made = [edited(schema["items"], inner, types, path + "[*]", edits) for inner in item]
        return [new for new in made if new is not DROP]
    if kind == "map":
        made = {key: edited(schema["values"], inner, types, path + ".*", edits) for key, inner in item.items()}
        return {key: new for key, new in made.items() if new is not DROP}
    return raw(schema, kind, item)


def raw(schema, kind, item):
    """A scalar as a reader without logical types gives it."""
    if isinstance(schema, dict) and schema.get("logicalType") == "decimal":
        size = schema["size"] if kind == "fixed" else (item + (item < 0)).bit_length() // 8 + 1
        return item.to_bytes(size, "big", signed=True)
    return plain(item)


@pytest.mark.parametrize("first", CHUNKS)
def test_edited_records_are_read_with_the_derived_schema(first):
    """Texts, nulls, same values and dropped fields, elements and entries are read back by fastavro; all else is as it was."""
    for seed in range(first, first + CHUNK):
        check_edits(seed)


def check_edits(seed):
    """One schema of the test above."""
    schema, types, items, records = sample(seed)
    table, paths, opaque = scanned(schema, types, records)
    generator = random.Random(seed)
    edits, reference = {}, {}
    for path, _ in paths.items():
        action = generator.choice(["keep", "keep", "drop", "text", "null", "same"])
        values = table.values(path)
        if action == "keep" or (path in opaque and action == "same"):
            edits[path], reference[path] = KEEP, lambda item, kind: KEEP
            if path in opaque:
                reference[path] = None
        elif action == "drop":
            edits[path], reference[path] = DROP, lambda item, kind: DROP
        elif action == "null":
            edits[path], reference[path] = Replace(pa.scalar(None, pa.string())), lambda item, kind: None
        elif action == "same":
            there = values.text.cast(pa.binary())
            edits[path], reference[path] = Replace(there), lambda item, kind: KEEP
        else:
            texts = [None if known is None else generator.choice(["***", "é" * 40, ""]) for known in values.text.to_pylist()]
            queue = iter(texts)
            edits[path] = Replace(pa.array(texts, pa.string()))
            reference[path] = lambda item, kind, queue=queue: next(queue)
    out = table.splice(edits)
    derived = json.loads(table.codec.shown(table.paths, edits, DROP)[0])
    skipped = {path for path, made in reference.items() if made is None}
    for item, record in zip(items, out.to_pylist(), strict=True):
        assert record is not None, table.unwritable
        expected = edited(schema, item, types, "", {path: made for path, made in reference.items() if path not in skipped})
        assert comparable(expected) == comparable(read(record, derived))


def comparable(item):
    """Values whose equality is that of their text: NaN is itself, and -0.0 is not 0.0."""
    return repr(item)


