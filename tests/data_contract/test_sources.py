"""Fields, types and tags as the sources tell them."""

import json

import pytest

from flink_masking.data_contract import avro, dbt, json_schema, odcs, protobuf
from flink_masking.data_contract.found import Found
from flink_masking.errors import InputError
from flink_masking.registry.source import Schema


def told(found):
    """Type, whether it may be missing, and tags by path."""
    return {path: (field.type, field.optional, field.tags) for path, field in found.fields.items()}


def record(*fields, name="Top", **more):
    """An Avro record."""
    return {"type": "record", "name": name, "namespace": "ex", "fields": list(fields), **more}


def of_avro(schema, attributes=None, beside=None, references=None):
    """What an Avro schema has."""
    found = Found(attributes or {}, beside or {})
    avro.fields(json.dumps(schema), {name: json.dumps(inner) for name, inner in (references or {}).items()}, found)
    return told(found)


def test_avro_tags_of_a_field_hold_for_all_that_is_in_it():
    """A tag on a field counts for every field of its record, elements and map values; types are told with what they mean."""
    inner = record({"name": "street", "type": "string"}, {"name": "since", "type": {"type": "int", "logicalType": "date"}}, name="Address")
    schema = record(
        {"name": "address", "type": inner, "confluent:tags": ["PII"]},
        {"name": "old", "type": {"type": "array", "items": "ex.Address"}, "confluent:tags": ["HISTORY"]},
        {"name": "labels", "type": {"type": "map", "values": ["null", "string"]}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}, "default": ""},
    )
    assert of_avro(schema) == {
        "address.street": ("string", False, ("PII",)),
        "address.since": ("int (date)", False, ("PII",)),
        "old[*].street": ("string", False, ("HISTORY",)),
        "old[*].since": ("int (date)", False, ("HISTORY",)),
        "labels.*": ("string", True, ()),
        "price": ("bytes (decimal 10, 2)", True, ()),
    }


def test_avro_unions_recursion_and_names_with_dots():
    """Branches are united, a value or an array of such values is [*]?, and a record within itself is declared once."""
    node = record({"name": "a.b", "type": ["null", "string", "long"]}, {"name": "next", "type": ["null", "ex.Top"]},
                  {"name": "either", "type": ["string", {"type": "array", "items": "string"}]})
    assert of_avro(node) == {'"a.b"': ("string | long", True, ()), "either[*]?": ("string", False, ())}


def test_what_is_a_scalar_or_holds_members_is_one_field():
    """No path says both, so it is one field of type json with the tags of its members; arrays of records or a record are [*]?."""
    item = record({"name": "x", "type": "string", "confluent:tags": ["X"]}, name="Item")
    schema = record({"name": "a", "type": ["string", item]}, {"name": "b", "type": ["ex.Item", {"type": "array", "items": "ex.Item"}]},
                    {"name": "c", "type": ["int", {"type": "array", "items": "ex.Item"}]})
    found = Found({})
    avro.fields(json.dumps(schema), {}, found)
    assert {path: (field.type, field.tags, field.holds) for path, field in found.fields.items()} == {
        "a": ("string | object", ("X",), "json"), "b[*]?.x": ("string", ("X",), None), "c[*]?": ("int | object", ("X",), "json")}


def test_avro_references_and_attributes_and_tags_beside_the_schema():
    """Types of referenced schemas are known; attributes are read as tags by a mapping; wildcards stay within a part of a full name."""
    inner = record({"name": "name", "type": "string", "pii": True}, {"name": "level", "type": "int", "pii": "weak"}, name="Person")
    schema = record({"name": "who", "type": "ex.Person"}, {"name": "note", "type": "string"})
    beside = {"ex.Top.*": ["TOP"], "ex.**": ["ALL"], "ex.Pers?n.name": ["NAME"], "*.note": ["WRONG"]}
    assert of_avro(schema, {"pii": "PII"}, beside, {"person": inner}) == {
        "who.name": ("string", False, ("ALL", "NAME", "PII", "TOP")),
        "who.level": ("int", False, ("ALL", "PII.weak", "TOP")),
        "note": ("string", False, ("ALL", "TOP")),
    }


@pytest.mark.parametrize("text", ["{", '"string"', "[]", '{"type": "record", "fields": []}', '{"type": "record", "name": "A"}',
                                  '{"type": "record", "name": "A", "fields": [{"type": "int"}]}', "[" * 5000, "null", "7"])
def test_what_is_no_avro_record_is_an_error(text):
    """Whatever stands in the place of a schema is an InputError with a hint."""
    with pytest.raises(InputError, match="Hint"):
        avro.fields(text, {}, Found({}))


PROTO = """syntax = "proto3"; package ex; import "confluent/meta.proto"; import "google/protobuf/timestamp.proto";
message Order {
  option (confluent.message_meta).tags = "ORDER";
  message Item { string sku = 1; optional int64 price = 2 [(confluent.field_meta) = {tags: ["PRICE"]}]; }
  enum State { OPEN = 0; }
  string email = 1 [(confluent.field_meta) = {doc: "x", tags: ["PII", "PII.email"]}];
  repeated Item items = 2 [(confluent.field_meta).tags = "ITEMS"];
  map<string, string> labels = 3; google.protobuf.Timestamp at = 4; State state = 5; Order parent = 6;
}
message Other { bytes x = 1; }"""


def test_protobuf_tags_are_read_from_the_field_option():
    """The option confluent.field_meta tells tags, of a message field for all that is in it; a message's count for its fields."""
    found = Found({}, {"ex.Order.state": ["STATE"]})
    assert protobuf.fields(Schema(PROTO, "PROTOBUF"), None, found) == "ex.Order"
    assert told(found) == {
        "email": ("string", True, ("ORDER", "PII", "PII.email")),
        "items[*].sku": ("string", True, ("ITEMS", "ORDER")),
        "items[*].price": ("int64", True, ("ITEMS", "ORDER", "PRICE")),
        "labels.*": ("string", True, ("ORDER",)),
        "at": ("message google.protobuf.Timestamp", True, ("ORDER",)),
        "state": ("enum ex.Order.State", True, ("ORDER", "STATE")),
    }
    other = Found({})
    assert protobuf.fields(Schema(PROTO, "PROTOBUF"), "ex.Other", other) == "ex.Other"
    assert told(other) == {"x": ("bytes", True, ())}
    with pytest.raises(InputError, match="no such message"):
        protobuf.fields(Schema(PROTO, "PROTOBUF"), "ex.Missing", other)


def test_json_schema_tags_of_properties():
    """Properties, $ref, alternatives, arrays and open objects have paths; required properties are told; other keywords by a mapping."""
    schema = {
        "type": "object", "required": ["email", "id"],
        "properties": {
            "email": {"type": "string", "format": "email", "confluent:tags": ["PII.email"]},
            "id": {"type": ["integer", "null"], "x-pii": "id"},
            "address": {"$ref": "#/definitions/Address", "confluent:tags": ["PII"]},
            "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
            "any": {}, "either": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}}]},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}}, "kind": {"enum": ["A"]},
        },
        "definitions": {"Address": {"type": "object", "required": ["city"], "properties": {
            "city": {"type": "string"}, "up": {"$ref": "#/definitions/Address"}}}},
    }
    found = Found({"x-pii": "PII"}, {"$.address.*": ["PLACE"]})
    json_schema.fields(json.dumps(schema), {}, found)
    assert told(found) == {
        "email": ("string (email)", False, ("PII.email",)), "id": ("integer", True, ("PII.id",)),
        "address.city": ("string", True, ("PII", "PLACE")), "items[*].sku": ("string", True, ()), "any": ("any", True, ()),
        "either[*]?": ("string | number", True, ()), "labels.*": ("string", True, ()), "kind": ("enum", True, ()),
    }
    with pytest.raises(InputError, match="leads nowhere"):
        json_schema.fields('{"properties": {"a": {"$ref": "#/nowhere"}}}', {}, Found({}))
    for text in ("{", "[]", "{}", '"x"'):
        with pytest.raises(InputError, match="Hint"):
            json_schema.fields(text, {}, Found({}))


ODCS = """apiVersion: v3.1.0
kind: DataContract
id: 1
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: email, logicalType: string, physicalType: VARCHAR(80), classification: restricted, tags: [PII], required: true}
      - {name: id, logicalType: integer, criticalDataElement: true, customProperties: [{property: pii, value: yes-id}]}
      - name: person
        logicalType: object
        classification: confidential
        properties:
          - {name: iban, logicalType: string, customProperties: [{property: flinkMasking.class, value: direct},
             {property: flinkMasking.type, value: iban}]}
      - {name: phones, logicalType: array, tags: [PHONE], items: {logicalType: string}}
  - name: other
"""


def test_odcs_classification_tags_and_custom_properties():
    """Tags, classification and custom properties are tags; flinkMasking.class and .type state the class themselves."""
    found = Found({"pii": "PII"})
    assert odcs.fields(ODCS, "c.yaml", "orders", found) == "orders"
    assert told(found) == {
        "email": ("VARCHAR(80)", False, ("PII", "classification.restricted")),
        "id": ("integer", True, ("PII.yes-id",)),
        "person.iban": ("string", True, ("classification.confidential",)),
        "phones[*]": ("string", True, ("PHONE",)),
    }
    assert (found.fields["person.iban"].role, found.fields["person.iban"].holds) == ("direct", "iban")


@pytest.mark.parametrize("old, new, name, what", [
    ("kind: DataContract", "kind: DataProduct", "orders", "no data contract"), ("v3.1.0", "v2.2.0", "orders", "another version"),
    ("", "", None, "2 schema objects"), ("", "", "missing", "no schema object"), ("value: direct", "value: secret", "orders", "no class"),
    ("kind:", "kind", "orders", r"c.yaml:\d+:\d+"),
])
def test_what_is_no_such_contract_is_an_error(old, new, name, what):
    """A contract that cannot be used is an InputError that says what is wrong."""
    with pytest.raises(InputError, match=what):
        odcs.fields(ODCS.replace(old, new, 1), "c.yaml", name, Found({}))


MANIFEST = {
    "metadata": {},
    "nodes": {"model.shop.orders": {"name": "orders", "columns": {
        "email": {"name": "email", "data_type": "text", "tags": ["TEXT"],
                  "meta": {"contains_pii": True, "owner": "Jane Doe", "old": False}},
        "address.city": {"name": "address.city", "meta": {}, "config": {"tags": ["GEO"], "meta": {"pii": "city"}},
                         "constraints": [{"type": "not_null"}]}}},
        "test.shop.t": {"name": "t", "columns": {}}},
    "sources": {"source.shop.raw.events": {"name": "events", "columns": {"id": {"name": "id", "data_type": "bigint"}}}},
}


def test_dbt_tags_and_meta_of_columns():
    """Tags of columns and of their config are tags, and meta by a mapping; a nested column has a path; false says nothing."""
    found = Found({"pii": "PII", "contains_pii": "PII", "old": "OLD"})
    assert dbt.fields(json.dumps(MANIFEST), "manifest.json", "orders", found) == "model.shop.orders"
    assert told(found) == {"email": ("text", True, ("PII", "TEXT")),
                           "address.city": ("any", False, ("GEO", "PII.city"))}
    source = Found({})
    assert dbt.fields(json.dumps(MANIFEST), "manifest.json", "source.shop.raw.events", source) == "source.shop.raw.events"
    assert told(source) == {"id": ("bigint", True, ())}


@pytest.mark.parametrize("text, name, what", [
    ("{", "orders", "no manifest"), ("[]", "orders", "no manifest"), ("{}", "orders", "no manifest"),
    (json.dumps(MANIFEST), "missing", "no model called"), (json.dumps(MANIFEST), None, "several models"),
])
def test_what_is_no_such_model_is_an_error(text, name, what):
    """A manifest that cannot be used is an InputError that says what is wrong."""
    with pytest.raises(InputError, match=what):
        dbt.fields(text, "manifest.json", name, Found({}))
