"""Changes of a table in the envelopes of change data capture, and the table that a sink of newest records holds of them."""

import random

import orjson
from connect import schema_of, to_connect

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


def changelog(seed, kind, wrapped, changes):
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

    keys = [{"tenant": tenant, "id": number} for (tenant, number), _ in records]
    made = [value for _, value in records]
    of_key, of_value = schema_of(*keys[:1]), schema_of(*(value for value in (*made[:200], *made[-200:]) if value is not None))

    def wrap(schema, value):
        return None if value is None else orjson.dumps({"schema": schema, "payload": value} if wrapped else value)

    return [wrap(of_key, key) for key in keys], [wrap(of_value, value) for value in made], table


def unwrapped(record):
    """What a record or key holds, read by the schema beside it where it has one."""
    found = orjson.loads(record)
    return to_connect(found["schema"], found["payload"]) if set(found) == {"schema", "payload"} else found


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
        key, row = orjson.dumps(unwrapped(key)), None if value is None else state(kind, unwrapped(value))
        if row is None:
            table.pop(key, None)
        else:
            table[key] = row
    return table


def masked_table(rows):
    """Masked rows, as JSON lines, by the key that each of them has in Kafka."""
    table = {}
    for row in map(orjson.loads, rows):
        table[orjson.dumps({"tenant": row["tenant"], "id": row["id"]})] = row
    return table
