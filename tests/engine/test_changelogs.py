"""A changelog that is masked change by change gives the same table as masking the table at its end."""

import os
import random

import orjson
import pyarrow as pa
import pytest

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.record import Parts, Transport
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

CHANGES = 4_000
BATCH = 1_000
POLICY = """\
version: 1
stream: customers
{record}
fields:
  tenant: {{class: plain, type: text}}
  id: {{class: identifier}}
  email: {{class: direct, type: email}}
  name: {{class: direct}}
  note: {{class: free_text}}
  level: {{class: plain, type: text, values: [gold, blue]}}
segments:
  one:
    view: masked
    rules:
      tenant: keep
      id: {{technique: {technique}}}
      email: {{technique: encrypt_deterministic, domain: email}}
      name: {{technique: partial, keep_first: 1}}
      note: redact_text
      level: keep
"""
TECHNIQUES = {"pseudonym": "pseudonym, domain: customer", "encrypt_deterministic": "encrypt_deterministic, domain: customer",
              "fpe": "fpe, domain: customer, alphabet: digits", "tokenize": "tokenize, domain: customer"}


def changelog(seed, kind, wrapped, changes=CHANGES):
    """Changes of a table as (key, value) of Kafka, a tombstone behind each delete; and the table at the end."""
    rng = random.Random(seed)
    table, records = {}, []

    def row(tenant, number):
        note = f"call +1 212 555 {rng.randrange(10_000):04}, mail x{rng.randrange(99)}@example.org"
        return {"tenant": tenant, "id": number, "email": f"u{rng.randrange(50)}@example.com",
                "name": rng.choice(["Ann", "Bob", None, "Zoë"]), "note": note, "level": rng.choice(["gold", "blue"])}

    for _ in range(changes):
        key = (rng.choice(["eu", "us"]), f"{rng.randrange(changes // 8):08}")
        old = table.get(key)
        if old is not None and rng.random() < 0.25:
            del table[key]
            records += [(key, change(kind, "delete", old, None)), (key, None)]
            continue
        new = row(*key) if old is None or rng.random() < 0.5 else {**old, "level": rng.choice(["gold", "blue"])}
        records.append((key, change(kind, "insert" if old is None else "update", old, new)))
        table[key] = new

    def wrap(value):
        return value if value is None or not wrapped else {"schema": {"type": "struct"}, "payload": value}

    keys = [orjson.dumps(wrap({"tenant": tenant, "id": number})) for (tenant, number), _ in records]
    values = [None if value is None else orjson.dumps(wrap(value)) for _, value in records]
    return keys, values, table


def change(kind, what, old, new):
    """A change in an envelope."""
    changed = {} if old is None or new is None else {name: value for name, value in old.items() if new[name] != value}
    match kind:
        case "debezium":
            return {"before": old, "after": new, "op": what[0].replace("i", "c"), "source": {"table": "c", "query": "SECRET"}, "ts_ms": 1}
        case "ogg":
            return {"table": "c", "op_type": what[0].upper(), "before": old, "after": new}
        case "maxwell":
            return {"database": "d", "table": "c", "type": what, "ts": 1, "data": new if new is not None else old,
                    **({"old": changed} if what == "update" else {})}
        case "canal":
            return {"table": "c", "type": what.upper(), "isDdl": False, "sql": "", "data": [new if new is not None else old],
                    "old": [changed] if what == "update" else None}
        case _:
            return {**(new if new is not None else old), "__op": what[0].replace("i", "c"), "__deleted": str(new is None).lower()}


def state(kind, value):
    """The row that a change leaves; None where it is deleted."""
    value = value.get("payload", value)
    match kind:
        case "debezium" | "ogg":
            return value["after"]
        case "maxwell":
            return None if value["type"] == "delete" else value["data"]
        case "canal":
            return None if value["type"] == "DELETE" else value["data"][0]
        case _:
            row = {name: inner for name, inner in value.items() if not name.startswith("__")}
            return None if value["__deleted"] == "true" else row


def materialised(kind, keys, values):
    """The table that a sink of newest records holds: by key; a tombstone or a delete takes the row out."""
    table = {}
    for key, value in zip(keys, values, strict=True):
        row = None if value is None else state(kind, orjson.loads(value))
        if row is None:
            table.pop(key, None)
        else:
            table[key] = row
    return table


def protect(text, ring, vault, upserts=()):
    """A step for a policy."""
    plan = compile_plan(load(PolicySource("policy.yaml", text)), ring, vault)
    return Protect(plan, os.urandom, lambda: 0, transport=Transport(record=bool(upserts), upserts=upserts))


KINDS = pytest.mark.parametrize(("kind", "wrapped", "technique"), [
    ("debezium", False, "pseudonym"), ("debezium", True, "tokenize"), ("debezium_flat", False, "encrypt_deterministic"),
    ("maxwell", False, "fpe"), ("canal", True, "encrypt_deterministic"), ("ogg", False, "fpe"),
])  # fmt: skip


@KINDS
def test_the_table_of_a_masked_changelog_is_the_masked_table(ring, kind, wrapped, technique):
    """Inserts, updates, deletes and tombstones through masks leave the same rows under the same keys as masking the final table."""
    compare(ring, kind, wrapped, technique, CHANGES)


@pytest.mark.slow
@KINDS
def test_the_table_of_a_hundred_thousand_changes(ring, kind, wrapped, technique):
    """The same holds of a changelog of 100,000 changes."""
    compare(ring, kind, wrapped, technique, 100_000)


def compare(ring, kind, wrapped, technique, changes):
    """Mask a changelog and its final table, and compare the tables."""
    from flink_masking.vault.memory import MemoryVault

    vault = MemoryVault()
    record = f"record: {{envelope: {kind}, wrapped: {str(wrapped).lower()}, key: [tenant, id]}}"
    step = protect(POLICY.format(record=record, technique=TECHNIQUES[technique]), ring, vault, ("one",))
    keys, values, table = changelog(7, kind, wrapped, changes)
    masked_keys, masked_values = [], []
    for start in range(0, len(keys), BATCH):
        part = slice(start, start + BATCH)
        (piece,) = step(pa.array(values[part], pa.binary()), Parts(key=pa.array(keys[part], pa.binary())))
        assert piece.quarantine == []
        masked_keys += piece.parts["one"].key.to_pylist()
        masked_values += piece.views["one"].to_pylist()
    assert [value is None for value in masked_values] == [value is None for value in values]
    rows = list(table.values())
    (expected,) = protect(POLICY.format(record="", technique=TECHNIQUES[technique]), ring, vault)(
        pa.array([orjson.dumps(row) for row in rows], pa.binary()))
    assert expected.quarantine == []
    found = materialised(kind, masked_keys, masked_values)
    by_key = {}
    for row in (orjson.loads(line) for line in expected.views["one"].to_pylist()):
        key = {"tenant": row["tenant"], "id": row["id"]}
        by_key[orjson.dumps({"schema": {"type": "struct"}, "payload": key} if wrapped else key)] = row
    assert found == by_key and len(found) == len(table) > changes // 20
    assert len(set(masked_keys)) == len(set(keys))
