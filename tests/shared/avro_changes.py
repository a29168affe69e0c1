"""Changes of rows in Avro: schemas as Debezium and GoldenGate write them, and records behind the identifier of their schema."""

import io
import random

import fastavro

COLUMNS = [{"name": "id", "type": {"type": "int", "connect.type": "int16"}},
           {"name": "email", "type": ["null", "string"], "default": None}, {"name": "age", "type": ["null", "int"], "default": None},
           {"name": "photo", "type": ["null", "bytes"], "default": None}]  # fmt: skip
ROW = {"type": "record", "name": "Value", "fields": COLUMNS, "connect.name": "shop.customers.Value"}
SOURCE = {"type": "record", "name": "Source", "namespace": "io.debezium.connector.postgresql", "fields": [
    {"name": "version", "type": "string"}, {"name": "ts_ms", "type": "long"}, {"name": "db", "type": "string"},
    {"name": "user_name", "type": "string"}, {"name": "query", "type": ["null", "string"], "default": None}]}  # fmt: skip
BLOCK = {"type": "record", "name": "block", "namespace": "event", "fields": [
    {"name": "id", "type": "string"}, *({"name": name, "type": "long"} for name in ("total_order", "data_collection_order"))]}  # fmt: skip
IMAGES = [{"name": "before", "type": ["null", ROW], "default": None}, {"name": "after", "type": ["null", "Value"], "default": None}]
DEBEZIUM = {"type": "record", "name": "Envelope", "namespace": "shop.customers", "connect.name": "shop.customers.Envelope", "fields": [
    *IMAGES, {"name": "source", "type": SOURCE}, {"name": "op", "type": "string"}, {"name": "ts_ms", "type": ["null", "long"]},
    {"name": "transaction", "type": ["null", BLOCK], "default": None}]}  # fmt: skip
FLAT = {"type": "record", "name": "Flat", "namespace": "shop.customers", "fields": [
    *COLUMNS, {"name": "__op", "type": ["null", "string"], "default": None},
    {"name": "__deleted", "type": ["null", "string"], "default": None}, {"name": "__source_ts_ms", "type": ["null", "long"]}]}  # fmt: skip
OGG = {"type": "record", "name": "CUSTOMERS", "namespace": "SHOP", "fields": [
    {"name": "table", "type": "string"}, {"name": "op_type", "type": "string"}, {"name": "op_ts", "type": "string"},
    {"name": "current_ts", "type": "string"}, {"name": "pos", "type": "string"},
    {"name": "primary_keys", "type": {"type": "array", "items": "string"}},
    {"name": "tokens", "type": {"type": "map", "values": "string"}, "default": {}}, *IMAGES]}  # fmt: skip
KEY = {"type": "record", "name": "Key", "namespace": "shop.customers", "fields": [{"name": "id", "type": "int"}]}
SCHEMAS = {"debezium": DEBEZIUM, "debezium_flat": FLAT, "ogg": OGG}
GONE = b"__debezium_unavailable_value"


def written(schema, record, number):
    """A record behind its identifier."""
    if record is None:
        return None
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return b"\0" + number.to_bytes(4, "big") + out.getvalue()


def read(schema, record, number):
    """All of a record, as fastavro reads it by a schema with this identifier."""
    if record is None:
        return None
    assert record[:5] == b"\0" + number.to_bytes(4, "big")
    stream = io.BytesIO(record[5:])
    found = fastavro.schemaless_reader(stream, fastavro.parse_schema(schema), None)
    assert not stream.read()
    return found


def change(kind, old, new):
    """A change of a row."""
    op = "c" if old is None else "d" if new is None else "u"
    match kind:
        case "debezium":
            source = {"version": "3", "ts_ms": 1, "db": "shop", "user_name": "ann@example.com", "query": "SECRET ann@example.com"}
            block = {"id": "1", "total_order": 1, "data_collection_order": 2}
            return {"before": old, "after": new, "source": source, "op": op, "ts_ms": 3, "transaction": block if op == "u" else None}
        case "ogg":
            return {"table": "SHOP.C", "op_type": {"c": "I"}.get(op, op.upper()), "op_ts": "t", "current_ts": "t", "pos": "1",
                    "primary_keys": ["id"], "tokens": {"t": "ann@example.com"}, "before": old, "after": new}
    return {**(new or old), "__op": op, "__deleted": str(new is None).lower(), "__source_ts_ms": 1}


def row_of(kind, record):
    """The row that a change leaves; None where it is deleted."""
    if kind != "debezium_flat":
        return record["after"]
    return None if record["__deleted"] == "true" else {name: record[name] for name in ("id", "email", "age", "photo")}


def changelog(changes, seed=3):
    """Pairs of old and new row; a tombstone is a pair of nothing. And the table at the end."""
    rng, table, found = random.Random(seed), {}, []
    for _ in range(changes):
        key = rng.randrange(changes // 8)
        old = table.get(key)
        if old is not None and rng.random() < 0.25:
            del table[key]
            found += [(key, old, None), (key, None, None)]
            continue
        table[key] = new = {"id": key, "email": rng.choice([None, f"u{rng.randrange(50)}@example.com"]), "age": rng.randrange(90),
                            "photo": rng.choice([None, GONE, b"\x89PNG"])}
        found.append((key, old, new))
    return found, table
