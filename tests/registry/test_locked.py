"""Schemas that a lock file does not know."""

import json

from flink_masking.registry.locked import LockedSchemas, digest
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

ONE, TWO, NONE = SchemaId("id", 1), SchemaId("guid", "2-2"), SchemaId("id", 3)
KNOWN, NEW = Schema('{"type": "string"}', "AVRO"), Schema('{"type": "int"}', "AVRO")


def locked(strict=False):
    """One schema known, one not."""
    return LockedSchemas(KnownSchemas({ONE: KNOWN, TWO: NEW}), [digest(KNOWN)], strict)


def test_an_unknown_schema_is_told_once_and_used():
    """Drift is the identifier of a schema that the lock file does not know, told once; its records are read by it."""
    schemas = locked()
    assert [schemas.schema(identifier) for identifier in (ONE, TWO, NONE, TWO)] == [KNOWN, NEW, None, NEW]
    assert schemas.drift() == [TWO]
    assert schemas.schema(TWO) == NEW and schemas.drift() == []


def test_a_strict_contract_gives_no_unknown_schema_out():
    """With a strict contract an unknown schema does not exist, so that its records go to quarantine; it is told all the same."""
    schemas = locked(strict=True)
    assert [schemas.schema(identifier) for identifier in (ONE, TWO)] == [KNOWN, None]
    assert schemas.drift() == [TWO]


def test_the_digest_knows_a_schema_however_it_is_laid_out():
    """Blanks, the order of JSON members and line ends do not count; names, references and tags do."""
    schema = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int", "confluent:tags": ["PII"]}]}
    one = Schema(json.dumps(schema), "AVRO")
    assert digest(one) == digest(Schema(json.dumps(schema, indent=2, sort_keys=True), ""))
    assert digest(one) != digest(Schema(json.dumps(schema).replace("PII", "PI"), "AVRO"))
    assert digest(one) != digest(Schema(one.text, "AVRO", {"b": "{}"}))
    assert digest(Schema("message A {\n  int32 x = 1;\n}\n")) == digest(Schema("message A {\r\n int32 x = 1;\r\n\r\n}"))
