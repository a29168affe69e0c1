"""Changes a second through Protect in every envelope, beside the same rows as plain JSON in the same run.

``python tests/benchmarks/bench_changes.py [--json FILE]``: one thread, batches of 10,000 updates of a row of about 150 bytes, with old and
new row and a key, and three rules (pseudonym of the key, partial, redact); changes per second of processor time. Ratios are medians over
the rounds. An update holds two rows, and metadata of a few hundred bytes beside them. Nothing fails on time.
"""

import argparse
import io
import json
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

import fastavro
import orjson
import pyarrow as pa

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.record import Parts, Transport
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.registry.outputs import KnownOutputs
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

BATCH, ROUNDS = 10_000, 9
COLUMNS = ("id", "email", "name", "city", "level", "note")
POLICY = """\
version: 1
stream: customers
{head}
fields: {{id: {{class: identifier}}, email: {{class: direct}}, name: {{class: direct}}, city: {{class: plain}}, level: {{class: plain}},
  note: {{class: plain}}}}
segments:
  one:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: c}}, email: {{technique: partial, keep_first: 1}}, name: redact, city: keep, level: keep,
      note: keep}}
"""
SOURCE = {"version": "3.0.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": 1_700_000_000_000, "snapshot": "false",
          "db": "shop", "schema": "public", "table": "customers", "txId": 4711, "lsn": 123456789}
VALUE = {"type": "record", "name": "Value", "fields": [{"name": name, "type": "string"} for name in COLUMNS]}
ENVELOPE = {"type": "record", "name": "Envelope", "namespace": "shop.customers", "fields": [
    {"name": "before", "type": ["null", VALUE], "default": None}, {"name": "after", "type": ["null", "Value"], "default": None},
    {"name": "source", "type": {"type": "record", "name": "Source", "fields": [
        {"name": name, "type": "long" if isinstance(value, int) else "string"} for name, value in SOURCE.items()]}},
    {"name": "op", "type": "string"}, {"name": "ts_ms", "type": "long"}]}  # fmt: skip
KEY = {"type": "record", "name": "Key", "namespace": "shop.customers", "fields": [{"name": "id", "type": "string"}]}
CONNECT = {"type": "struct", "optional": False, "name": "shop.customers.Envelope", "fields": [
    *({"type": "struct", "optional": True, "field": image, "fields": [
        {"type": "string", "optional": False, "field": name} for name in COLUMNS]} for image in ("before", "after")),
    {"type": "struct", "optional": False, "field": "source", "fields": [
        {"type": "int64" if isinstance(value, int) else "string", "optional": False, "field": name} for name, value in SOURCE.items()]},
    {"type": "string", "optional": False, "field": "op"}, {"type": "int64", "optional": True, "field": "ts_ms"}]}  # fmt: skip
CONNECT_KEY = {"type": "struct", "optional": False, "fields": [{"type": "string", "optional": False, "field": "id"}]}


def rows(count: int, seed: int = 5) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Old and new row of updates."""
    rng, found = random.Random(seed), []
    for number in range(count):
        row = {"id": f"C{number:08}", "email": f"user{rng.randrange(10**6)}@example.com", "name": f"Person {rng.randrange(10**6)}",
               "city": rng.choice(["Oslo", "Rome", "Lima"]), "level": rng.choice(["gold", "blue"]), "note": "called twice, will call again"}
        found.append(({**row, "level": "grey"}, row))
    return found


def framed(schema: dict[str, Any], number: int, record: dict[str, Any]) -> bytes:
    """A record in Avro behind its identifier."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return b"\0" + number.to_bytes(4) + out.getvalue()


def measure() -> dict[str, Any]:
    """Figures for `run.py`."""
    changes, plain = rows(BATCH), "rows in plain JSON"
    change = {"source": SOURCE, "op": "u", "ts_ms": 1_700_000_000_000}
    table = {"database": "shop", "table": "customers"}
    keys = [{"id": new["id"]} for _, new in changes]
    value, key = fastavro.parse_schema(ENVELOPE), fastavro.parse_schema(KEY)
    made: dict[str, tuple[str, list[bytes], list[bytes] | None]] = {
        plain: ("", [orjson.dumps(new) for _, new in changes], None),
        "debezium": ("record: {envelope: debezium, key: [id]}",
                     [orjson.dumps({"before": old, "after": new, **change}) for old, new in changes], [orjson.dumps(one) for one in keys]),
        "debezium, wrapped": ("record: {envelope: debezium, wrapped: true, key: [id]}",
                              [orjson.dumps({"schema": CONNECT, "payload": {"before": old, "after": new, **change}})
                               for old, new in changes],
                              [orjson.dumps({"schema": CONNECT_KEY, "payload": one}) for one in keys]),
        "debezium, flattened": ("record: {envelope: debezium_flat, key: [id]}",
                                [orjson.dumps({**new, "__op": "u", "__deleted": "false"}) for _, new in changes],
                                [orjson.dumps(one) for one in keys]),
        "maxwell": ("record: {envelope: maxwell, key: [id]}",
                    [orjson.dumps({**table, "type": "update", "ts": 1, "data": new, "old": {"level": old["level"]}})
                     for old, new in changes],
                    [orjson.dumps(one) for one in keys]),
        "canal": ("record: {envelope: canal, key: [id]}",
                  [orjson.dumps({**table, "type": "UPDATE", "isDdl": False, "sql": "", "data": [new], "old": [{"level": old["level"]}]})
                   for old, new in changes], [orjson.dumps(one) for one in keys]),
        "debezium in Avro": ("format: avro\nframing: confluent\nrecord: {envelope: debezium, key: [id]}",
                             [framed(value, 1, {"before": old, "after": new, **change}) for old, new in changes],
                             [framed(key, 2, one) for one in keys]),
    }  # fmt: skip
    ring = KeyRing.ephemeral()
    schemas = KnownSchemas({SchemaId("id", 1): Schema(json.dumps(ENVELOPE), "AVRO"), SchemaId("id", 2): Schema(json.dumps(KEY), "AVRO")})
    contestants = {}
    for name, (head, values, of_keys) in made.items():
        plan = compile_plan(load(PolicySource("policy.yaml", POLICY.format(head=head))), ring, schemas=schemas, outputs=KnownOutputs({}))
        step = Protect(plan, os.urandom, lambda: 0, transport=Transport(record=of_keys is not None))
        parts = Parts() if of_keys is None else Parts(key=pa.array(of_keys, pa.binary()))
        contestants[name] = step, pa.array(values, pa.binary()), parts
        (piece,) = step(*contestants[name][1:])
        assert piece.quarantine == []
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (step, batch, parts) in contestants.items():
            begun = time.process_time()
            step(batch, parts)
            rates[name].append(BATCH / (time.process_time() - begun))
    found: dict[str, Any] = {}
    for name, (_, batch, _) in contestants.items():
        label = f"changes: {name}, {batch.nbytes // BATCH} B"
        found[label] = {"value": round(max(rates[name])), "unit": "records/s"}
        if name != plain:
            ratio = statistics.median(a / b for a, b in zip(rates[name], rates[plain], strict=True))
            found[label] |= {"ratio": ratio, "against": plain}
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    found = measure()
    if (where := parser.parse_args().json) is not None:
        where.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
