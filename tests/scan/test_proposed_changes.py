"""Samples of change data capture: the envelope is recognised, and the proposal is for the rows in it."""

import orjson
import pyarrow as pa
import pytest
from changelogs import changelog
from connect import schema_of

from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.scan import Scanner, propose_policy

OTHERS = {"debezium": [{"ts_ms": 1}, {"status": "BEGIN", "id": "7", "event_count": None, "ts_ms": 1}],
          "maxwell": [{"type": "table-create", "database": "d", "table": "c", "sql": "SECRET", "def": {}, "ts": 1}],
          "canal": [{"type": "ALTER", "isDdl": True, "sql": "SECRET", "data": None, "table": "c"}], "ogg": [], "debezium_flat": []}


def proposed(records):
    """The proposal for records, and the sample."""
    sample = [pa.array([orjson.dumps(record) for record in records], pa.binary())]
    scanner = Scanner()
    for batch in sample:
        scanner.add(batch)
    return propose_policy(scanner.report(), "customers", lambda: iter(sample)), sample[0]


def changes(kind, wrapped=False, more=None):
    """Changes of a table, without tombstones; `more` stands beside what the envelope has."""
    _, values, _ = changelog(5, kind, False, 600)
    records = [{**orjson.loads(value), **(more or {})} for value in values if value is not None]
    named = {"maxwell": {"primary_key_columns": ["tenant", "id"]}, "canal": {"pkNames": ["tenant", "id"]}, "ogg": {"primary_keys": ["id"]}}
    records = [{**record, **named.get(kind, {})} for record in records]
    schema = schema_of(*records[:100])
    return [{"schema": schema, "payload": record} for record in records] if wrapped else records


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", ["debezium", "debezium_flat", "maxwell", "canal", "ogg"])
def test_a_proposal_is_for_the_rows(kind, wrapped):
    """The policy names the envelope, declares the columns of the row once, passes check, and takes every change of the sample."""
    records = changes(kind, wrapped)
    others = [{"schema": records[0]["schema"], "payload": other} if wrapped else other for other in OTHERS[kind]]
    proposal, _ = proposed([*records, *others])
    loaded = load(PolicySource("policy.yaml", proposal.text))
    assert (loaded.images.envelope.envelope, loaded.images.envelope.wrapped) == (kind, wrapped)
    assert set(loaded.written.fields) == {"tenant", "id", "email", "name", "note", "level"}
    assert loaded.written.fields["email"].type == "email" and loaded.written.unknown_fields == "quarantine"
    assert proposal.refused == ({"no_change": len(others)} if others else {})
    named = {"ogg": "key: [id]", "maxwell": "key: [tenant, id]", "canal": "key: [tenant, id]"}.get(kind, "key: […]")
    assert f"# decide: {named}, the columns that are the key in Kafka" in proposal.text
    result = Protector(loaded, KeyRing.ephemeral()).protect([orjson.dumps(record) for record in records])
    assert result.quarantine == [] and b"@example.com" not in b"".join(next(iter(result.views.values())).to_pylist())


def test_members_that_the_library_does_not_know():
    """Where all changes have members that are neither of the row nor known, the proposal drops them and says so."""
    proposal, _ = proposed(changes("debezium", more={"lineage": {"by": "ann"}}))
    assert proposal.refused == {} and "unknown_fields: drop  # decide: the envelopes have members" in proposal.text
    assert "lineage" not in proposal.text and "envelope: debezium" in proposal.text


@pytest.mark.parametrize("record", [
    {"op": "read", "source": {"db": "x"}, "path": "/a"}, {"op": "c", "after": "text", "source": {"db": "x"}},
    {"type": "order", "data": {"id": 1}, "ts": 1}, {"__typename": "Order", "id": 1}, {"schema": {"fields": []}, "payload": {"id": 1}},
    {"op_type": "I", "table": "c", "before": [1]},
])  # fmt: skip
def test_what_only_looks_like_an_envelope(record):
    """Records that have some names of an envelope are taken as they are."""
    proposal, _ = proposed([record] * 20)
    assert "record:" not in proposal.text


def test_placeholders_of_debezium():
    """A placeholder for a value that did not change takes no type from its column."""
    records = changes("debezium")
    for record in records[::7]:
        if record["after"]:
            record["after"]["email"] = "__debezium_unavailable_value"
    proposal, _ = proposed(records)
    assert load(PolicySource("policy.yaml", proposal.text)).written.fields["email"].type == "email"
