"""Granted views of formats with schemas: one schema holds records with and without a grant, and ordinary readers read them."""

import io
import json

import fastavro
import pytest
from google.protobuf import message_factory
from granted_jobs import Job

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.protobuf.schemas import messages

AVRO = {"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "string"}, {"name": "email", "type": ["null", "string"]}, {"name": "age", "type": "int"},
    {"name": "customer", "type": {"type": "record", "name": "Customer", "fields": [{"name": "name", "type": "string"}]}}]}  # fmt: skip
PROTOBUF = """syntax = "proto3"; package ex; message Customer { string name = 1; }
message Order { string id = 1; string email = 2; int32 age = 3; Customer customer = 4; }"""
POLICY = """\
version: 1
stream: s
format: {format}
schema: order{ending}
{more}
subject: id
fields:
  id: {{class: identifier, optional: false}}
  email: {{class: direct, optional: true}}
  age: {{class: quasi, type: integer}}
  customer.name: {{class: direct}}
segments:
  support:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: d}}, email: {email}, age: keep, customer.name: redact}}
  debug: {{view: granted, of: support, may_show: {{{may_show}}}, max_duration: 2h, max_records: 100}}
"""
MAY_SHOW = "email: {technique: partial, keep_last: 11, on_error: redact}, customer.name: keep"
PROTOBUF_ORDER = message_factory.GetMessageClass(messages(PROTOBUF, ()).named("Order"))


def policy(format_, email="redact", may_show=MAY_SHOW):
    """A policy with a schema file."""
    ending, more = (".avsc", "") if format_ == "avro" else (".proto", "message: ex.Order")
    text = POLICY.format(format=format_, ending=ending, more=more, email=email, may_show=may_show)
    return load(PolicySource("policy.yaml", text, {"order.avsc": json.dumps(AVRO), "order.proto": PROTOBUF}))


def written(format_, number):
    """A record of person ``p<number>``."""
    body = {"id": f"p{number}", "email": f"person{number}@example.com", "age": 40 + number, "customer": {"name": f"Jane {number}"}}
    if format_ == "protobuf":
        made = PROTOBUF_ORDER(id=body["id"], email=body["email"], age=body["age"])
        made.customer.name = body["customer"]["name"]
        return made.SerializeToString()
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(AVRO), body)
    return out.getvalue()


def read(format_, record):
    """A record as an ordinary reader reads it with the schema of the raw records."""
    if format_ == "protobuf":
        made = PROTOBUF_ORDER.FromString(record)
        return {"id": made.id, "email": made.email, "age": made.age, "customer": {"name": made.customer.name}}
    return fastavro.schemaless_reader(io.BytesIO(record), fastavro.parse_schema(AVRO), None)


@pytest.mark.parametrize("format_", ["avro", "protobuf"])
def test_granted_records_have_the_schema_of_the_masked_ones(job, format_):
    """Of subjects and of a predicate, granted records show what their grants say and all else as the masked records, in their schema."""
    made = job(policy(format_))
    names = made.grant(["p1"], fields={"email": None}), made.grant(where={"age": 43}, fields={"customer.name": None})
    piece = made([written(format_, number) for number in range(5)])
    masked = [read(format_, line) for line in piece.views["support"].to_pylist()]
    shown = [None if line is None else read(format_, line) for line in piece.views["debug"].to_pylist()]
    assert [line is not None for line in shown] == [False, True, False, True, False]
    assert shown[1] == {**masked[1], "email": "***example.com"} and masked[1]["email"] == "***"
    assert shown[3] == {**masked[3], "customer": {"name": "Jane 3"}} and masked[3]["customer"] == {"name": "***"}
    assert piece.grants["debug"].to_pylist() == [None, names[0].encode(), None, names[1].encode(), None]


@pytest.mark.parametrize(("format_", "email"), [("avro", "drop"), ("avro", "nullify"), ("protobuf", "nullify")])
def test_a_schema_that_cannot_hold_both_is_refused(format_, email):
    """A field that the masked segment's schema lacks, or holds as another type, cannot be granted: the fault says where."""
    with pytest.raises(PolicyFaults) as found:
        policy(format_, email)
    (fault,) = found.value.faults
    assert "the view's schema cannot hold records with and without a grant for 'email'" in fault.message and fault.line == 16


def test_protobuf_holds_records_without_a_field(job):
    """A field that the masked segment drops can be granted where the schema does not change by that."""
    made = job(policy("protobuf", "drop"))
    made.grant(["p1"], fields={"email": None})
    piece = made([written("protobuf", number) for number in range(2)])
    assert read("protobuf", piece.views["support"][1].as_py())["email"] == ""
    assert read("protobuf", piece.views["debug"][1].as_py())["email"] == "***example.com" and piece.views["debug"][0].as_py() is None


@pytest.mark.parametrize(("type_", "fits"), [("", False), (", type: email", True), (", type: date", False)])
def test_schemas_of_a_registry(type_, fits):
    """Where the schema is not known before records come, a field of a textual type can be kept over a text, and no other one."""
    text = POLICY.replace("schema: order{ending}\n", "framing: confluent\n")
    text = text.replace("email: {{class: direct,", f"email: {{{{class: direct{type_},")
    text = text.format(format="avro", more="", email="redact", may_show="email: keep")
    if fits:
        assert load(PolicySource("policy.yaml", text)).policy.segments["debug"].of == "support"
    else:
        with pytest.raises(PolicyFaults, match="cannot hold records with and without"):
            load(PolicySource("policy.yaml", text))


def test_the_job_is_that_of_a_schema(signers):
    """A granted view of an Avro policy without grants is empty, and the masked view is read as ever."""
    made = Job(signers, policy("avro"))
    piece = made([written("avro", 1)])
    assert piece.views["debug"].to_pylist() == [None] and read("avro", piece.views["support"][0].as_py())["age"] == 41
