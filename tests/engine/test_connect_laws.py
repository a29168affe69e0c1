"""Laws of schemas beside records: whatever the columns and rules are, what leaves is read by the schema beside it, in every image alike."""

import base64
import os
import random

import orjson
import pyarrow as pa
import pytest
from connect import to_connect

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry
from flink_masking.engine.record import Parts, Transport
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

SCALARS = {"int8": lambda r: r.randrange(-9, 10), "int16": lambda r: r.randrange(99), "int32": lambda r: r.randrange(120),
           "int64": lambda r: r.randrange(1 << 40), "float": lambda r: r.randrange(100) / 4, "double": lambda r: r.random() * 100,
           "boolean": lambda r: r.random() < 0.5, "string": lambda r: r.choice(["ann@example.com", "Zoë", "", "call +1 212 555 0199"]),
           "bytes": lambda r: base64.b64encode(r.randbytes(5)).decode()}  # fmt: skip
RULES = ("keep", "redact", "nullify", "drop", "{technique: pseudonym, domain: d}", "{technique: partial, keep_first: 1}",
         "{technique: partial, keep_last: 2, on_error: nullify}", "{technique: generalize, width: 10, on_error: drop}",
         "{technique: generalize, width: 5, on_error: quarantine}", "{technique: perturb, absolute: 3, mode: keyed}",
         "{technique: encrypt_deterministic, domain: e}", "{technique: keep, on_error: nullify}", "{technique: keep, on_error: drop}",
         "redact_text", "{technique: substitute, as: full_name}")  # fmt: skip


def column(rng, name, deep=0):
    """A column: its schema, a maker of its values, and the paths of its values."""
    beside = {"optional": rng.random() < 0.5, **({"field": name} if name else {})}
    kind = rng.choice([*SCALARS, "struct", "array", "map"]) if deep < 2 else rng.choice([*SCALARS])

    def null(make):
        return lambda: None if beside["optional"] and rng.random() < 0.2 else make()

    if kind in SCALARS:
        logical = {"name": "io.debezium.time.Date", "version": 1} if kind == "int32" and rng.random() < 0.3 else {}
        return {"type": kind, **logical, **beside}, null(lambda: SCALARS[kind](rng)), [""]
    if kind == "struct":
        inner = [(f"m{number}", *column(rng, f"m{number}", deep + 1)) for number in range(rng.randint(1, 3))]
        return ({"type": "struct", "fields": [schema for _, schema, _, _ in inner], **beside},
                null(lambda: {member: make() for member, _, make, _ in inner}),
                [f".{member}{path}" for member, _, _, paths in inner for path in paths])
    schema, make, paths = column(rng, None, deep + 1)
    if kind == "array":
        return ({"type": "array", "items": schema, **beside}, null(lambda: [make() for _ in range(rng.randrange(3))]),
                [f"[*]{path}" for path in paths])
    return ({"type": "map", "keys": {"type": "string", "optional": False}, "values": schema, **beside},
            null(lambda: {f"k{number}": make() for number in range(rng.randrange(3))}), [f".*{path}" for path in paths])


def check(seed, ring):
    """One random table, policy and batch; how many records left."""
    rng = random.Random(seed)
    columns = [(f"c{number}", *column(rng, f"c{number}")) for number in range(rng.randint(1, 6))]
    paths = [name + path for name, _, _, paths in columns for path in paths]
    field = {path: rng.choice(["", ", type: integer", ", type: text", ", domain: [0, 50]"]) for path in paths}
    lines = [f"  {path}: {{class: plain{field[path]}}}" for path in paths]
    rules = [f"      {path}: {rng.choice(RULES)}" for path in paths]
    keys = [f"      {path}: plain" for path in dict.fromkeys(path[: path.rindex(".*") + 2] for path in paths if ".*" in path)]
    keys += [f"      {path}: plain" for path in dict.fromkeys(path[: path.index(".*") + 2] for path in paths if path.count(".*") > 1)]
    kind = rng.choice(["debezium", "debezium_flat"])
    text = "\n".join(["version: 1", "stream: c", f"record: {{envelope: {kind}, wrapped: true}}", "fields:", *lines, "segments:", "  one:",
                      "    view: masked", *(["    keys:", *dict.fromkeys(keys)] if keys else []), "    rules:", *rules])  # fmt: skip
    image = [schema for _, schema, _, _ in columns]
    envelope = [{"type": "struct", "optional": True, "field": part, "fields": image} for part in ("before", "after")]
    fields = [*envelope, {"type": "string", "field": "op"}] if kind == "debezium" else [*image, {"type": "string", "field": "__op"}]
    schema = {"type": "struct", "optional": False, "fields": fields}
    batch = []
    for _ in range(20):
        row = {name: make() for name, _, make, _ in columns}
        payload = {"before": row if rng.random() < 0.5 else None, "after": row, "op": "u"} if kind == "debezium" else {**row, "__op": "u"}
        to_connect(schema, payload)
        batch.append(orjson.dumps({"schema": schema, "payload": payload}))
    plan = compile_plan(load(PolicySource("policy.yaml", text)), ring)
    (piece,) = Protect(plan, os.urandom, lambda: 0, transport=Transport())(pa.array(batch, pa.binary()), Parts())
    reasons = {Entry.decode(line).reason for _, line in piece.quarantine}
    assert reasons <= {"refused_value", "unwritable_value"}, (text, reasons)
    left = 0
    for record in piece.views["one"].to_pylist():
        if record is not None:
            found, left = orjson.loads(record), left + 1
            read = to_connect(found["schema"], found["payload"])
            if kind == "debezium" and found["payload"]["before"] is not None:
                assert read["before"] == read["after"], text
    return left


@pytest.mark.parametrize("part", range(2))
def test_what_leaves_is_read_by_its_schema(ring, part):
    """Random tables through random rules: every record that leaves is read by the schema beside it, and both images say the same."""
    counts = [check(1000 * part + seed, ring) for seed in range(60)]
    assert sum(counts) > 500, counts
