"""Changes of rows in the envelopes of Debezium, Maxwell, Canal and GoldenGate: one rule masks every image of a row, and its key."""

import os

import orjson
import pyarrow as pa
import pytest
from connect import schema_of, to_connect

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry
from flink_masking.engine.record import Parts, Transport
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: customers
record: {record}
fields:
  id: {{class: identifier, type: integer}}
  email: {{class: direct, type: email}}
  card.number: {{class: direct}}
  tags[*]: {{class: plain, type: text}}
  age: {{class: quasi, type: integer}}
unknown_fields: {unknown}
segments:
  one:
    view: masked
    rules:
      id: {{technique: pseudonym, domain: customer}}
      email: {{technique: encrypt_deterministic, domain: email}}
      card.number: {{technique: partial, keep_last: 4}}
      tags[*]: keep
      age: keep
"""
ROW = {"id": 1, "email": "ann@example.com", "card": {"number": "4111111111111111"}, "tags": ["a", "b"], "age": 41}
OLD = {**ROW, "email": "ann@example.org"}
TEXTS = {"id": "1", "email": "ann@example.com", "age": "41"}
CLEAR = ("ann@example", "41111111")
SOURCE = {"version": "3.0", "connector": "postgresql", "name": "db", "ts_ms": 1, "snapshot": "false", "db": "shop", "schema": "public",
          "table": "customers", "txId": 7, "lsn": 9, "query": "UPDATE c SET email = 'ann@example.com'", "user_name": "ann@example.com"}


@pytest.fixture
def step(ring):
    """Makes a Protect for a kind of envelope."""

    def made(record, unknown="quarantine", policy=POLICY):
        plan = compile_plan(load(PolicySource("policy.yaml", policy.format(record=record, unknown=unknown))), ring)
        return Protect(plan, os.urandom, lambda: 0, transport=Transport(record=True, upserts=("one",)))

    return made


def run(step, records, keys=()):
    """What a batch is protected to."""
    payloads = pa.array([None if record is None else orjson.dumps(record) for record in records], pa.binary())
    keys = [*keys, *[b'{"id":1}'] * (len(records) - len(keys))]
    (piece,) = step(payloads, Parts(key=pa.array(keys, pa.binary())))
    return piece


def shown(piece):
    """The records of the view; None where there is none."""
    return [None if view is None else orjson.loads(view) for view in piece.views["one"].to_pylist()]


def reasons(piece):
    """Reason and path of each quarantined row."""
    return {row: (entry.reason, entry.path) for row, line in piece.quarantine for entry in [Entry.decode(line)]}


def wrap(record, wrapped):
    """The record as JsonConverter writes it with or without its schema."""
    return {"schema": schema_of(record, optional=False), "payload": record} if wrapped else record


def envelopes(row, old):
    """Kind of envelope → a change of a row, and where its images stand."""
    return {
        "debezium": ({"before": old, "after": row, "source": SOURCE, "op": "u", "ts_ms": 1,
                      "transaction": {"id": "7", "total_order": 1, "data_collection_order": 1}}, ["before", "after"]),
        "debezium_flat": ({**row, "__op": "u", "__deleted": "false", "__source_ts_ms": 1, "__query": "ann@example.com"}, [None]),
        "maxwell": ({"database": "shop", "table": "customers", "type": "update", "ts": 1, "xid": 3, "commit": True, "position": "b:1",
                     "server_id": 1, "thread_id": 2, "primary_key": [1], "primary_key_columns": ["id"], "query": "ann@example.com",
                     "data": row, "old": {"email": old["email"]}}, ["data", "old"]),
        "ogg": ({"table": "SHOP.C", "op_type": "U", "op_ts": "t", "current_ts": "t", "pos": "1", "primary_keys": ["id"],
                 "tokens": {"t": "ann@example.com"}, "before": old, "after": row}, ["before", "after"]),
    }  # fmt: skip


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", ["debezium", "debezium_flat", "maxwell", "ogg"])
def test_every_image_goes_by_one_rule(step, kind, wrapped):
    """Each image of a row and the key of the record are masked alike; statements of SQL are dropped, the envelope's metadata stays."""
    record, images = envelopes(ROW, OLD)[kind]
    piece = run(step(f"{{envelope: {kind}, wrapped: {str(wrapped).lower()}, key: [id]}}"), [wrap(record, wrapped), None],
                [orjson.dumps(wrap({"id": 1}, wrapped))] * 2)
    (out, deleted), text = shown(piece), b"".join(view or b"" for view in piece.views["one"].to_pylist()).decode()
    assert reasons(piece) == {} and deleted is None and not any(clear in text for clear in CLEAR)
    assert not wrapped or to_connect(out["schema"], out["payload"]) == out["payload"]
    out = out["payload"] if wrapped else out
    rows = [out if image is None else out[image] for image in images]
    ids = {row["id"] for row in rows if "id" in row}
    keys = [orjson.loads(key) for key in piece.parts["one"].key.to_pylist()]
    assert not wrapped or [to_connect(*key.values()) for key in keys] == [{"id": next(iter(ids))}] * 2
    keys = [key["payload"] if wrapped else key for key in keys]
    assert [key["id"] for key in keys] == [*ids] * 2 and ids != {1}
    assert kind != "maxwell" or (set(out["old"]), out["primary_key"]) == ({"email"}, [*ids])
    whole = rows[0] if kind == "maxwell" else rows[-1]
    assert (whole["card"]["number"][-4:], whole["tags"], whole["age"]) == ("1111", ["a", "b"], 41)
    kept = {name for name in record if name not in (*images, "query", "__query", "tokens")} - {"email"}
    assert kept <= set(out) and not {"query", "__query", "tokens"} & set(out)
    assert kind != "debezium" or (out["source"]["db"], "query" in out["source"], "user_name" in out["source"]) == ("shop", False, False)


@pytest.mark.parametrize("wrapped", [False, True])
def test_equal_values_of_two_images_stay_equal(step, wrapped):
    """A value that did not change is the same in both images, under a technique that is bound to its field, too."""
    record, _ = envelopes(ROW, ROW)["debezium"]
    (out,) = shown(run(step(f"{{envelope: debezium, wrapped: {str(wrapped).lower()}}}"), [wrap(record, wrapped)]))
    out = out["payload"] if wrapped else out
    assert out["before"] == out["after"] and out["after"]["email"] != ROW["email"]


CANAL = """\
version: 1
stream: customers
record: {record}
fields:
  id: {{class: identifier, type: integer}}
  email: {{class: direct, type: email}}
  age: {{class: quasi, type: integer}}
unknown_fields: {unknown}
segments:
  one:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: customer}}, email: {{technique: partial, keep_last: 3}}, age: keep}}
"""


def canal(*rows, **more):
    """A message of Canal."""
    return {"data": list(rows), "old": [{"email": "ann@example.org"}] * len(rows), "database": "shop", "table": "c", "type": "UPDATE",
            "isDdl": False, "sql": "", "pkNames": ["id"], "mysqlType": {"id": "int"}, "sqlType": {"id": 4}, "es": 1, "ts": 1, "id": 1,
            **more}  # fmt: skip


@pytest.mark.parametrize("wrapped", [False, True])
def test_canal_holds_rows_of_texts(step, wrapped):
    """All rows of the arrays are masked; numbers are texts there and keep their contract as such."""
    rows = [TEXTS, {**TEXTS, "id": "2"}]
    piece = run(step(f"{{envelope: canal, wrapped: {str(wrapped).lower()}, key: [id]}}", policy=CANAL),
                [wrap(canal(*rows), wrapped), wrap(canal({**TEXTS, "age": "ann"}), wrapped)],
                [orjson.dumps(wrap({"id": "1"}, wrapped))] * 2)
    out, wrong = (record["payload"] if wrapped else record for record in shown(piece))
    assert reasons(piece) == {} and "sql" not in out and "ann@" not in str(out)
    assert [row["age"] for row in out["data"]] == ["41", "41"] and wrong["data"][0]["age"] == "***"
    key = orjson.loads(piece.parts["one"].key[0].as_py())
    assert out["data"][0]["id"] == (key["payload"] if wrapped else key)["id"] != out["data"][1]["id"] and len(out["old"]) == 2


@pytest.mark.parametrize("unknown", ["quarantine", "drop", "redact", "scan"])
@pytest.mark.parametrize(("kind", "messages"), [
    ("debezium", [{"ts_ms": 1}, {"status": "BEGIN", "id": "7", "event_count": None, "ts_ms": 1},
                  {"source": SOURCE, "ts_ms": 1, "databaseName": "shop", "ddl": "SECRET", "tableChanges": []},
                  {"op": "m", "source": SOURCE, "message": {"prefix": "p", "content": "SECRET"}}, {"op": 7, "after": ROW}]),
    ("maxwell", [{"type": "table-alter", "database": "shop", "table": "c", "sql": "SECRET", "def": {"columns": []}, "ts": 1},
                 {"database": "shop", "data": ROW}]),
    ("ogg", [{"op_type": "DDL", "tokens": {}}, {"table": "c", "after": ROW}]),
])  # fmt: skip
def test_other_messages_are_refused(step, kind, messages, unknown):
    """Heartbeats, transactions, changes of schemas and logical messages are no changes of rows, whatever becomes of unknown fields."""
    piece = run(step(f"{{envelope: {kind}, key: [id]}}", unknown=unknown), messages)
    assert shown(piece) == [None] * len(messages) and len(piece.quarantine) == len(messages)
    assert piece.parts["one"].key.null_count == len(messages)


def test_a_ddl_statement_of_canal_is_refused(step):
    """A statement that changes a schema is no change of rows."""
    message = canal(type="ALTER", isDdl=True, sql="SECRET", data=None, old=None)
    piece = run(step("{envelope: canal}", unknown="drop", policy=CANAL), [message])
    assert reasons(piece) == {0: ("refused_value", "type")}


@pytest.mark.parametrize("technique", [
    "keep", "redact", "nullify", "{technique: pseudonym, domain: c}", "{technique: partial, keep_last: 2}", "redact_text",
    "{technique: encrypt, domain: e}", "{technique: tokenize, domain: t}", "{technique: fpe, domain: f, format: email}",
    "{technique: substitute, as: email}", "{technique: keep, on_error: quarantine}",
    "{technique: partial, keep_last: 2, on_error: nullify}",
])  # fmt: skip
def test_a_value_that_is_not_in_the_record_stays_so(ring, technique):
    """Debezium's placeholder for a large value that did not change stays as it is in every technique; other values are masked."""
    from flink_masking.vault.memory import MemoryVault

    text = POLICY.format(record="{envelope: debezium}", unknown="quarantine").replace(
        "{technique: encrypt_deterministic, domain: email}", technique)
    step = Protect(compile_plan(load(PolicySource("policy.yaml", text)), ring, MemoryVault()), os.urandom, lambda: 0)
    gone = "__debezium_unavailable_value"
    rows = [{"email": gone}, {"email": "ann@example.com"}, {"email": None}, {"email": "no address"}, {"email": 5}]
    (piece,) = step(pa.array([orjson.dumps({"op": "u", "after": row}) for row in rows], pa.binary()))
    out = [None if record is None else record["after"]["email"] for record in shown(piece)]
    assert out[0] == gone and (technique == "keep" or "quarantine" in technique or out[1] != "ann@example.com")
    assert out[2] is None or technique == "redact"
    assert "no address" not in out and 5 not in out


def test_numbers_beside_a_placeholder_stay_numbers(ring):
    """In a column with placeholders a technique for numbers still writes numbers."""
    text = POLICY.format(record="{envelope: debezium}", unknown="quarantine").replace(
        "age: keep", "age: {technique: perturb, absolute: 3, mode: keyed}")
    step = Protect(compile_plan(load(PolicySource("policy.yaml", text)), ring), os.urandom, lambda: 0)
    rows = [{"age": age} for age in (40, "__debezium_unavailable_value", None)]
    (piece,) = step(pa.array([orjson.dumps({"op": "u", "after": row}) for row in rows], pa.binary()))
    first, second, third = (record["after"]["age"] for record in shown(piece))
    assert isinstance(first, int | float) and abs(first - 40) <= 3 and (second, third) == ("__debezium_unavailable_value", None)


@pytest.mark.parametrize("key", [
    b'{"id":1,"more":2}', b"{}", b'{"id":"ann"}', b'{"id":{"a":1}}', b"1", b"\xff", b'{"id":1,"id":1}', b'{"payload":{"id":1}}', b'{"id":1',
])  # fmt: skip
def test_a_key_that_is_not_as_declared_is_refused(step, key):
    """A key with other members, without a column, or of another type sends its record to quarantine, and no part of it leaves."""
    record, _ = envelopes(ROW, OLD)["debezium"]
    piece = run(step("{envelope: debezium, key: [id]}", unknown="drop"), [record, record, None], [b'{"id":1}', key, key])
    assert reasons(piece) == {row: ("refused_value", "record.key") for row in (1, 2)}
    assert piece.parts["one"].key.null_count == 2 and shown(piece)[0] is not None


def test_a_key_of_several_columns(step):
    """Each column of the key goes by the rule of its own column."""
    record, _ = envelopes(ROW, OLD)["debezium"]
    piece = run(step("{envelope: debezium, key: [email, id]}"), [record], [b'{"id":1,"email":"ann@example.com"}'])
    (out,), key = shown(piece), orjson.loads(piece.parts["one"].key[0].as_py())
    assert key == {"id": out["after"]["id"], "email": out["after"]["email"]}


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_key_of_maxwell(step, wrapped):
    """A key that names database, table and columns as Maxwell does keeps these names; a column in two places, or in none, is refused."""
    record, _ = envelopes(ROW, OLD)["maxwell"]
    keys = [{"database": "shop", "table": "c", "pk.id": 1}, {"table": "c", "pk.id": 1, "id": 1}, {"database": "shop", "table": "c"},
            {"database": "shop", "table": "c", "pk.id": 1, "pk.name": "ann"}, ["shop", "c", [{"id": 1}]]]
    piece = run(step(f"{{envelope: maxwell, wrapped: {str(wrapped).lower()}, key: [id]}}"), [wrap(record, wrapped)] * len(keys),
                [orjson.dumps(wrap(key, wrapped)) if isinstance(key, dict) else orjson.dumps(key) for key in keys])
    assert reasons(piece) == {row: ("refused_value", "record.key") for row in range(1, len(keys))}
    key, out = orjson.loads(piece.parts["one"].key[0].as_py()), shown(piece)[0]
    key, out = (to_connect(*one.values()) if wrapped else one for one in (key, out))
    assert key == {"database": "shop", "table": "c", "pk.id": out["data"]["id"]}


def test_a_key_that_is_a_text(step):
    """A key that is the value of a column itself is masked as the column is, so that both can be joined."""
    record, _ = envelopes(ROW, OLD)["debezium"]
    piece = run(step("{envelope: debezium, key: [id], key_format: text}"), [record, None, record], [b"1", b"1", b"one"])
    assert piece.parts["one"].key.to_pylist() == [shown(piece)[0]["after"]["id"].encode()] * 2 + [None]
    assert reasons(piece) == {2: ("refused_value", "record.key")}


def test_a_segment_without_the_key_columns_has_no_key(ring):
    """Where a segment drops the columns of the key, its records leave without a key."""
    policy = POLICY.replace("id: {{technique: pseudonym, domain: customer}}", "id: drop")
    loaded = load(PolicySource("policy.yaml", policy.format(record="{envelope: debezium, key: [id]}", unknown="drop")))
    plan = compile_plan(loaded, ring)
    assert plan.masked[0].record.key is None


def test_a_value_of_a_key_column_that_its_rule_cannot_take_is_refused(step):
    """A value that would be redacted elsewhere sends its record to quarantine: two rows must not share a key."""
    record = {"op": "c", "after": {**ROW, "id": "x"}}
    assert reasons(run(step("{envelope: debezium, key: [id]}"), [record])) == {0: ("refused_value", "after.id")}


def test_a_member_of_the_envelope_is_shown_when_named(step):
    """A statement stays where the policy has a rule for it, by that rule."""
    record, _ = envelopes(ROW, OLD)["debezium"]
    rule = "{technique: redact_text}"
    (out,) = shown(run(step(f"{{envelope: debezium, metadata: {{source.query: {rule}, transaction.id: drop}}}}"), [record]))
    assert out["source"]["query"].startswith("UPDATE") and "ann@" not in out["source"]["query"] and "id" not in out["transaction"]


def test_what_encryption_bound_to_a_field_can_be_opened(step):
    """Values of all images are bound to the column, so the column's rule opens them."""
    loaded = load(PolicySource("policy.yaml", POLICY.format(record="{envelope: debezium}", unknown="drop")))
    assert [loaded.facts(path).path for path in ("before.email", "after.email", "after.card")] == ["email", "email", "card"]


def test_values_of_every_image_are_opened(ring):
    """unmask gives the values of each image back, and a placeholder stays what it is."""
    from flink_masking.tools.unmask import Unmask

    loaded = load(PolicySource("policy.yaml", POLICY.format(record="{envelope: debezium}", unknown="drop")))
    step = Protect(compile_plan(loaded, ring), os.urandom, lambda: 0)
    rows = [{"op": "u", "before": {"email": "ann@example.org"}, "after": {"email": email}}
            for email in ("ann@example.com", "__debezium_unavailable_value", None)]
    (piece,) = step(pa.array([orjson.dumps(row) for row in rows], pa.binary()))
    opened = Unmask(loaded, "one", ring, None)(piece.views["one"])
    assert [orjson.loads(record) for record in opened.records.to_pylist()] == rows


def test_open_objects_and_default_rules_are_the_rows(ring):
    """Rules for keys of objects and the default rule are for every image; the envelope's own members never go by them."""
    text = """\
version: 1
stream: customers
record: {envelope: debezium}
fields: {id: {class: identifier}, attrs.*: {class: direct}, name: {class: direct}}
segments:
  one:
    view: masked
    rules: {attrs.*: redact, "*": {technique: pseudonym, domain: d}}
    keys: {attrs.*: {technique: pseudonym, domain: k}}
"""
    step = Protect(compile_plan(load(PolicySource("policy.yaml", text)), ring), os.urandom, lambda: 0)
    row = {"id": "7", "attrs": {"ann": "x"}, "name": "Ann"}
    (piece,) = step(pa.array([orjson.dumps({"before": row, "after": row, "op": "u", "source": {"db": "shop"}, "ts_ms": 1})], pa.binary()))
    (out,) = shown(piece)
    assert out["before"] == out["after"] and [*out["after"]["attrs"].values()] == ["***"] and "ann" not in out["after"]["attrs"]
    assert "Ann" not in str(out) and (out["op"], out["source"], out["ts_ms"]) == ("u", {"db": "shop"}, 1)
