"""Contracts of views, against the JSON Schema of the Open Data Contract Standard."""

import json
from importlib.resources import files

import pytest
import yaml
from jsonschema import Draft201909Validator

from flink_masking.data_contract.export import contract
from flink_masking.data_contract.found import Found
from flink_masking.data_contract.odcs import fields
from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.policy.load import load, load_policy
from flink_masking.policy.lock import LockedField, SchemaLock
from flink_masking.policy.source import PolicySource


@pytest.fixture(scope="module")
def standard():
    """The standard's own JSON Schema, v3.1.0."""
    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text())
    assert "v3.1.0" in schema["properties"]["apiVersion"]["enum"]
    return Draft201909Validator(schema)


def property_of(document, *names):
    """A property by its name; None leads to the items of an array."""
    node = document["schema"][0]
    for name in names:
        node = node["items"] if name is None else next(one for one in node["properties"] if one["name"] == name)
    return node


def custom(node):
    """Custom properties by name."""
    return {one["property"]: one["value"] for one in node["customProperties"]}


def test_contracts_of_all_kinds_of_views_are_valid(standard):
    """Every view of the example has a contract that the standard takes, also after a way through YAML, and always the same one."""
    loaded = load_policy(CUSTOMER_EVENTS)
    views = {segment.view for segment in loaded.policy.segments.values()}
    assert views == {"masked", "anonymized", "aggregated"}
    for name in loaded.policy.segments:
        document = contract(loaded, name)
        assert [error.message for error in standard.iter_errors(document)] == []
        assert yaml.safe_load(yaml.safe_dump(document)) == document == contract(load_policy(CUSTOMER_EVENTS), name)


POLICY = """\
version: 3
stream: orders
tags: {source: odcs, file: c.yaml, map: {PII: direct, classification: none}, untagged: plain}
subject: id
fields: {id: {class: identifier}, "contacts[*].phone": {class: direct}, "codes[system=x].value": {class: plain, type: text},
         "codes[*].value": {class: plain, type: text}, "codes[*].system": {class: plain, type: text}, "attrs.*": {class: plain},
         zip: {class: quasi, prefix: 5}}
segments:
  v:
    view: masked
    rules: {email: {technique: partial, keep_first: 1, keep_after: "@"}, id: {technique: pseudonym, domain: customer}, total: keep,
            "contacts[*].phone": redact, "codes[system=x].value": keep, "attrs.*": redact, zip: {technique: generalize, prefix: 3},
            note: {technique: redact_text, deny: ["Jane Roe"]}}
    keys: {"attrs.*": plain}
  groups: {view: anonymized, k: 7, quasi_identifiers: [zip]}
"""
LOCK = SchemaLock("odcs", "orders", "ODCS", {
    "email": LockedField(type="VARCHAR(80)", tags=("PII", "classification.restricted")),
    "note": LockedField(type="TEXT", tags=("PII",)),
    "total": LockedField(type="DECIMAL(10,2)", optional=False, tags=("classification.secret-3",)), "zip": LockedField(type="VARCHAR")})


def test_fields_tell_how_they_are_made_and_are_classified_lower(standard):
    """transformLogic is the technique, the classification falls with what it hides; no list of the policy is told."""
    loaded = load(PolicySource("p", POLICY, {"contract.lock.yaml": LOCK.text()}))
    document = contract(loaded, "v")
    assert [error.message for error in standard.iter_errors(document)] == []
    email = property_of(document, "email")
    assert (email["classification"], email["transformLogic"], email["transformSourceObjects"], email["tags"]) == (
        "internal", 'partial(keep_first=1, keep_after="@")', ["orders.email"], ["PII"])
    total = property_of(document, "total")
    assert (total["classification"], total["transformLogic"], total["physicalType"], total["required"]) == (
        "secret-3", "keep", "DECIMAL(10,2)", True)
    assert property_of(document, "id")["classification"] == "confidential"
    assert property_of(document, "contacts", None, "phone")["classification"] == "public"
    assert property_of(document, "codes[system=x]", "value")["transformLogic"] == "keep"
    assert property_of(document, "attrs", "*")["transformLogic"] == "redact"
    assert "Jane" not in json.dumps(document) and "1 values" in property_of(document, "note")["transformLogic"]
    assert document["version"] == "3.0.0"


def test_what_a_view_promises_is_its_quality(standard):
    """k stands as a check of quality and as a custom property."""
    loaded = load(PolicySource("p", POLICY, {"contract.lock.yaml": LOCK.text()}))
    document = contract(loaded, "groups")
    assert [error.message for error in standard.iter_errors(document)] == []
    assert document["schema"][0]["quality"][0]["implementation"] == {"verify": {"k": 7}}
    assert custom(document)["flinkMasking.k"] == 7
    assert property_of(document, "zip")["transformLogic"] == "k-anonymity(k=7)"


def test_an_exported_contract_reads_back():
    """A contract of a view is a source of tags for the next policy: classes are stated in it."""
    loaded = load(PolicySource("p", POLICY, {"contract.lock.yaml": LOCK.text()}))
    found = Found({})
    assert fields(yaml.safe_dump(contract(loaded, "v")), "v.odcs.yaml", None, found) == "v"
    assert found.fields["email"].role == "direct" and "contacts[*].phone" in found.fields


def test_undeclared_members_that_stay_are_told():
    """A view that keeps undeclared members says so; any other says that what is not listed stays in the raw stream."""
    text = POLICY.replace("subject: id\n", "subject: id\nunknown_fields: scan\n")
    text = text.replace("keys: {", "unknown_fields: redact_text\n    keys: {")
    swept = load(PolicySource("p", text, {"contract.lock.yaml": LOCK.text()}))
    plain = load(PolicySource("p", POLICY, {"contract.lock.yaml": LOCK.text()}))
    told = [contract(loaded, "v")["description"]["limitations"] for loaded in (swept, plain)]
    assert "Members that are not listed may be there" in told[0] and "do not leave the raw stream" in told[1]
