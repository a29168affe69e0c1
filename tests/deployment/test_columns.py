"""Columns of sinks: what a deployment may say of them, the SQL that is made of it, and what is refused before a job starts."""

import pytest
import yaml

from flink_masking.addresses.endpoints import collision
from flink_masking.deployment.columns import check_columns, definitions, selection
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import Tables, needs_checkpoints
from flink_masking.documents.faults import DeploymentFaults
from flink_masking.engine.plan import compile_plan
from flink_masking.errors import InputError, JobError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.sql.script import job

POLICY = """\
version: 1
stream: s
subject: id
event_time: {field: at}
fields:
  id: {class: identifier, optional: false}
  maybe: {class: identifier}
  at: {class: plain, type: datetime}
  a."o'k": {class: plain}
  n: {class: plain, type: number}
  gone: {class: plain}
segments:
  one:
    view: masked
    rules:
      id: {technique: pseudonym, domain: d, on_error: quarantine}
      maybe: {technique: pseudonym, domain: d, on_error: quarantine}
      at: {technique: generalize, date: day}
      a."o'k": keep
      n: {technique: keep, on_error: quarantine}
  two: {view: masked, rules: {id: {technique: partial, keep_last: 2, on_error: quarantine}, n: keep}}
  three: {view: masked, rules: {id: {technique: pseudonym, domain: d}}}
  sums: {view: aggregated, window: {tumbling: 1min}, metrics: {n: count}, privacy: {epsilon: 100, delta: 0.1}}
"""
JDBC = {"connector": "jdbc", "url": "jdbc:postgresql://127.0.0.1/db", "table-name": "t"}
LOADED = load(PolicySource("policy.yaml", POLICY))


def deployment(columns, names=("one", "two", "three", "sums", "audit", "quarantine"), **more):
    """All sinks tables of a database."""
    sinks = {name: {**JDBC, "table-name": name} for name in names}
    return Deployment(source={"connector": "filesystem", "path": "file:///raw"}, sinks=sinks, keys="k", columns=columns, **more)


def refused(columns, text=POLICY):
    """Why columns are refused."""
    with pytest.raises(JobError) as error:
        check_columns(deployment(columns).columns, load(PolicySource("policy.yaml", text)))
    return str(error.value)


def test_columns_become_a_table_and_a_query():
    """A text is a type, paths lead to members however they are called, and key columns are the primary key."""
    written = {"id": {"type": "string", "key": True}, "o k": {"type": "STRING", "path": "a.\"o'k\""}, "n": "DECIMAL(10, 2)"}
    found = deployment({"one": written})
    columns = found.columns["one"]
    check_columns(found.columns, LOADED)
    assert definitions(columns) == "`id` STRING NOT NULL, `o k` STRING, `n` DECIMAL(10, 2), PRIMARY KEY (`id`) NOT ENFORCED"
    query = selection(columns, "lines of one")
    assert "'lax $[''a''][''o\\''k'']' NULL ON EMPTY ERROR ON ERROR) AS STRING) AS `o k`" in query
    assert query.endswith(" FROM `lines of one`")
    tables = Tables(compile_plan(LOADED, KeyRing.ephemeral()), found, clocked=False)
    assert definitions(columns) in tables.sink("one") and "(line BYTES)" in tables.sink("two") and "'format'" not in tables.sink("one")
    assert tables.settings["table.exec.sink.upsert-materialize"] == "NONE" and needs_checkpoints(found)


@pytest.mark.parametrize("columns, why", [
    ({"none": {"id": "STRING"}}, "columns.none: the policy has no such segment. Hint: segments are one, "),
    ({"one": {"gone": "STRING"}}, "columns.one.gone: the view does not show gone. Hint: "),
    ({"one": {"other": "STRING"}}, "columns.one.other: the view does not show other. Hint: "),
    ({"one": {"x": {"type": "STRING", "path": "a[*]"}}}, "columns.one.x: a column holds one value, and a[*] leads to several. Hint: "),
    ({"one": {"x": {"type": "STRING", "path": "a["}}}, "columns.one.x: path"),
    ({"one": {"maybe": {"type": "STRING", "key": True}}}, "Hint: optional: false for the field maybe"),
    ({"two": {"id": {"type": "STRING", "key": True}}},
     "rows are replaced by this key, and 'partial' can map two keys to one value. Hint: "),
    ({"three": {"id": {"type": "STRING", "key": True}}}, "and on_error: quarantine in its rule"),
    ({"one": {"at": "TIMESTAMP(3)"}}, "columns.one.at: 'generalize' makes text of at, which no TIMESTAMP(3) holds. Hint: a STRING column"),
    ({"one": {"id": "BIGINT"}}, "columns.one.id: id is not declared as what a BIGINT holds. Hint: type: number"),
    ({"two": {"n": "DOUBLE"}}, "columns.two.n: a value that breaks its contract becomes ***, which no DOUBLE holds. Hint: on_error: "),
])  # fmt: skip
def test_what_would_stop_a_job_or_join_rows_is_refused(columns, why):
    """Columns that the view does not show, that cannot hold its values, and keys that two records could share."""
    assert why in refused(columns)


def test_columns_are_made_of_json():
    """Masked records of another format, parts of Kafka records, and topics have no columns."""
    csv = POLICY.replace("stream: s\n", "stream: s\nformat: csv\ncolumns: [id]\n").replace("  a.\"o'k\": {class: plain}\n", "").replace(
        "      a.\"o'k\": keep\n", "")
    assert "columns.one: its records are csv, and columns are made of JSON. Hint: " in refused({"one": {"id": "STRING"}}, csv)
    assert "columns.sums: its rows are csv" in refused({"sums": {"n": "BIGINT"}}, csv)
    check_columns(deployment({"sums": {"window_start": {"type": "STRING", "key": True}, "n": "BIGINT"}}).columns, LOADED)
    framed = POLICY.replace("stream: s\n", "stream: s\nframing: confluent\n")
    assert "columns.one: its records have framing in front" in refused({"one": {"id": "STRING"}}, framed)
    keyed = POLICY.replace("  one:\n    view: masked\n", "  one:\n    view: masked\n    record: {timestamp: keep}\n")
    assert "have no place in a table of columns. Hint: omit segments.one.record" in refused({"one": {"id": "STRING"}}, keyed)
    found = deployment({"one": {"id": "STRING"}})
    found.sinks["one"] |= {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "b:1"}
    with pytest.raises(JobError, match=r"columns.one: the sink is a kafka table of records as they are\. Hint: "):
        Tables(compile_plan(LOADED, KeyRing.ephemeral()), found, clocked=False)


def test_faults_of_a_deployment_have_places(tmp_path):
    """An unknown type or key is an error with its line; a SQL script has no sinks of columns."""
    body = {"source": {"connector": "filesystem", "path": "/raw"}, "sinks": {}, "keys": "k",
            "columns": {"one": {"id": "TEXT", "n": {"typ": "INT"}}}}
    path = tmp_path / "d.yaml"
    path.write_text(yaml.safe_dump(body))
    with pytest.raises(DeploymentFaults) as error:
        Deployment.read(path)
    assert "is no type of a column" in str(error.value) and "Hint: STRING, BOOLEAN" in str(error.value) and ":3:" in str(error.value)
    with pytest.raises(InputError, match=r"the deployment has sinks of columns.*Hint: run jobs/fan_out\.py"):
        job(compile_plan(LOADED, KeyRing.ephemeral()), "p", deployment({"one": {"id": "STRING"}}), {}, False)


def test_a_database_on_another_machine_without_tls_is_told():
    """As for Kafka and vaults: a warning unless the url asks for TLS; two sinks of one table are refused."""
    def warned(url):
        found = deployment({})
        found.sinks["one"]["url"] = url
        return found.warnings

    assert warned("jdbc:postgresql://[::1]:5432/db") == warned("jdbc:postgresql:db") == []
    assert warned("jdbc:postgresql://db.example/db?sslmode=verify-full") == []
    (text,) = warned("jdbc:postgresql://u:p@db.example:5432/db?sslmode=prefer")
    assert text.startswith("sinks.one: postgresql at db.example:5432 without TLS: ") and "Hint: ?sslmode=verify-full" in text
    assert collision(JDBC, {**JDBC, "username": "x"}) == "table t" and collision(JDBC, {**JDBC, "table-name": "u"}) is None
    lake = {"connector": "iceberg", "warehouse": "file:///w", "catalog-database": "d", "catalog-table": "t"}
    assert collision(lake, lake) == "table t" and collision(lake, {**lake, "catalog-table": "u"}) is None
