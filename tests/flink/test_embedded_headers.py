"""Headers that a format needs, where Protect is a step of somebody else's job; no Java virtual machine is started."""

from flink_masking.deployment.queries import Names
from flink_masking.flink.embed import Columns, _queries, _wanted

POLICY = """
version: 1
stream: orders
format: avro
framing: {framing}
schema: {{7: order.avsc}}
fields: {{id: {{class: identifier}}}}
segments: {{same: {{view: masked, rules: {{id: redact}}}}}}
"""
SCHEMA = '{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}'


def asked(framing, columns):
    """The headers of raw records that Protect is given, and the columns of the table that are read."""
    from flink_masking.engine.plan import compile_plan
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    plan = compile_plan(load(PolicySource("policy.yaml", POLICY.format(framing=framing), {"order.avsc": SCHEMA})), KeyRing.ephemeral())
    queries = _queries(plan, columns, Names(), True)
    return queries.headers, _wanted(queries)


def test_the_header_with_a_schemas_guid_is_read_where_there_are_headers():
    """With a column of headers Confluent's framing reads the GUID from them; other framings, and tables without headers, read none."""
    assert asked("confluent", Columns(headers="headers")) == (["__value_schema_id"], {"payload", "headers"})
    assert asked("confluent", Columns()) == asked("apicurio4", Columns(headers="headers")) == ([], {"payload"})
