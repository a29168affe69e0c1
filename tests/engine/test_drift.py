"""Records of a schema that the policy's lock file does not know."""

import io
import json

import fastavro
import pytest

from flink_masking import KeyRing, Protector
from flink_masking.policy.lock import LockedField, SchemaLock, SchemaVersion
from flink_masking.policy.source import PolicySource
from flink_masking.registry.locked import digest
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

POLICY = """\
version: 1
stream: users
format: avro
framing: confluent
unknown_fields: drop
tags: {source: registry, map: {PII: direct}, untagged: plain}
segments:
  v: {view: masked, rules: {class:direct: redact, "*": keep}}
"""


def schema(*names):
    """The text of an Avro schema of these text fields; a view without one of them has its default."""
    return json.dumps({"type": "record", "name": "User", "fields": [{"name": name, "type": "string", "default": ""} for name in names]})


OLD, NEW = schema("email", "city"), schema("email", "city", "iban")
LOCK = SchemaLock("registry", "users-value", "AVRO", {"email": LockedField(type="string", optional=False, tags=("PII",)),
                                                      "city": LockedField(type="string", optional=False)},
                  (SchemaVersion(digest=digest(Schema(OLD, "AVRO")), id=1, version=1),))


def framed(number, text, **values):
    """A record in Confluent's framing."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(text)), values)
    return b"\0" + number.to_bytes(4, "big") + out.getvalue()


def protected(old="", new=""):
    """What a protector with the policy makes of a record of the known schema and one of a new schema, twice."""
    source = PolicySource("p", POLICY.replace(old, new, 1), {"contract.lock.yaml": LOCK.text()})
    schemas = KnownSchemas({SchemaId("id", 1): Schema(OLD, "AVRO"), SchemaId("id", 9): Schema(NEW, "AVRO")})
    protector = Protector(source, KeyRing.ephemeral(), registry=schemas)
    batch = [framed(1, OLD, email="a@b.cd", city="Rome"), framed(9, NEW, email="a@b.cd", city="Bonn", iban="DE89")]
    return protector.protect(batch), protector.protect(batch)


def drift(result):
    """Schemas that the audit tells."""
    return json.loads(result.audit[0]).get("drift", [])


def test_known_fields_are_handled_and_the_rest_is_denied():
    """A record of a new schema is masked by what the lock file knows, its new field reaches no view, and the audit tells it once."""
    first, second = protected()
    old, new = first.views["v"].to_pylist()
    assert b"Rome" in old and b"Bonn" in new and b"***" in new
    assert b"DE89" not in new and b"a@b.cd" not in old + new
    assert (drift(first), drift(second)) == (["id 9"], [])


@pytest.mark.parametrize("new", ["", "unknown_fields: drop\ncontract: strict\n"])
def test_records_of_a_new_schema_go_to_quarantine(new):
    """So they do where undeclared fields do, and with a strict contract; the audit tells the schema all the same."""
    first, _ = protected("unknown_fields: drop\n", new)
    assert [row for row, _ in first.quarantine] == [1] and first.views["v"].to_pylist()[1] is None
    assert drift(first) == ["id 9"]
