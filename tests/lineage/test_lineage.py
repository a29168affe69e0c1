"""Lineage events: what they say, how datasets are named, and what becomes of them on their way."""

import json
import os
import re
import uuid

import pytest
from lineage_receiver import receiving

from flink_masking.deployment.model import Deployment
from flink_masking.errors import JobError
from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.lineage.datasets import Dataset, dataset
from flink_masking.lineage.emitter import Emitter, configured, emitter
from flink_masking.lineage.events import JobLineage
from flink_masking.policy.load import load, load_policy
from flink_masking.policy.source import PolicySource

RUN = "0190c1a2-0000-7000-8000-000000000000"
POLICY = """\
version: 1
stream: orders
subject: id
event_time: {field: at}
fields: {id: {class: identifier}, email: {class: direct}, zip: {class: quasi, prefix: 5}, note: {class: free_text},
         amount: {class: measure, bounds: [0, 10]}, at: {class: plain, type: datetime}, city: {class: sensitive}}
segments:
  masked: {view: masked, rules: {id: {technique: pseudonym, domain: d}, amount: keep, note: {technique: redact_text, deny: [Jane Roe]}}}
  groups: {view: anonymized, k: 5, quasi_identifiers: [zip], release: [city], l_diversity: {field: city, l: 2}}
  sums: {view: aggregated, window: {tumbling: 1min}, group_by: [{zip: {prefix: 2}}], metrics: {spend: {sum: amount}, orders: count},
         privacy: {epsilon: 1.0, delta: 1e-9}}
"""


@pytest.fixture(autouse=True)
def unconfigured(monkeypatch, tmp_path):
    """No configuration of the machine that the tests run on counts."""
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def loaded():
    """The policy."""
    return load(PolicySource("p", POLICY))


def view(event, name):
    """A view's dataset."""
    return next(one for one in event["outputs"] if one["name"].endswith(name))


def made(event, name, field):
    """What a field of a view is made of: pairs of a field and what is done to it."""
    inputs = view(event, name)["facets"]["columnLineage"]["fields"][field]["inputFields"]
    return [(one["field"], one["transformations"][0]["subtype"], one["transformations"][0]["masking"]) for one in inputs]


def test_each_field_says_what_it_is_made_of_and_whether_it_is_masked(loaded):
    """Column lineage of masked, anonymized and aggregated views; dropped fields are in none; what groups and filters is indirect."""
    event = JobLineage(loaded, None, RUN).event("START")
    assert made(event, "masked", "id") == [("id", "TRANSFORMATION", True)]
    assert made(event, "masked", "amount") == [("amount", "IDENTITY", False)]
    assert set(view(event, "masked")["facets"]["columnLineage"]["fields"]) == {"id", "amount", "note"}
    assert made(event, "groups", "zip") == [("zip", "TRANSFORMATION", True)]
    assert made(event, "groups", "city") == [("city", "IDENTITY", False)]
    assert made(event, "sums", "spend") == [("amount", "AGGREGATION", True)]
    assert made(event, "sums", "orders") == []
    indirect = [(one["field"], one["transformations"][0]["subtype"]) for one in view(event, "sums")["facets"]["columnLineage"]["dataset"]]
    assert indirect == [("zip", "GROUP_BY"), ("at", "WINDOW"), ("id", "FILTER")]
    assert [one["name"] for one in event["outputs"]] == [f"orders/{name}" for name in ("masked", "groups", "sums", "audit", "quarantine")]
    assert (event["eventType"], event["run"]["runId"], event["job"]["name"]) == ("START", RUN, "orders")


def test_neither_lists_nor_logins_are_in_an_event(loaded, tmp_path, monkeypatch):
    """Words of the policy that may name people, passwords of tables and addresses of keys are in no event."""
    monkeypatch.setenv("DB_PASSWORD", "s3cr3t-4711")
    path = tmp_path / "deployment.yaml"
    names = ("masked", "groups", "sums", "audit", "quarantine")
    sinks = "\n".join(f"  {name}: {{connector: jdbc, url: 'jdbc:postgresql://me:s3cr3t-4711@db:5432/lake?password=s3cr3t-4711', "
                      f"table-name: {name}, password: '${{env:DB_PASSWORD}}'}}" for name in names)
    path.write_text("source: {connector: kafka, topic: raw, properties.bootstrap.servers: 'b1:9093,b2:9093', "
                    f"properties.sasl.jaas.config: '${{env:DB_PASSWORD}}'}}\nsinks:\n{sinks}\nkeys: file:///etc/keys/secret-ring.json\n")
    event = JobLineage(loaded, Deployment.read(path), RUN).event("FAIL", error="x")
    text = json.dumps(event)
    assert not re.search("s3cr3t|Jane|secret-ring|DB_PASSWORD", text)
    assert (event["inputs"][0]["namespace"], event["inputs"][0]["name"]) == ("kafka://b1:9093", "raw")
    assert {(one["namespace"], one["name"]) for one in event["outputs"][:1]} == {("postgres://db:5432/lake", "masked")}


@pytest.mark.parametrize("options, expected", [
    (None, Dataset("flink-masking", "n")),
    ({"connector": "kafka", "topic": "a;b", "properties.bootstrap.servers": "h:1"}, Dataset("kafka://h:1", "a;b")),
    ({"connector": "upsert-kafka", "topic": "a", "properties.bootstrap.servers": "h:1,i:2"}, Dataset("kafka://h:1", "a")),
    ({"connector": "filesystem", "path": "file:///data/a%20b"}, Dataset("file", "/data/a b")),
    ({"connector": "filesystem", "path": "/data/x"}, Dataset("file", "/data/x")),
    ({"connector": "filesystem", "path": "s3://me:pw@bucket/a/b"}, Dataset("s3://bucket", "a/b")),
    ({"connector": "jdbc", "url": "jdbc:mysql://u:p@h/db?x=1", "table-name": "t"}, Dataset("mysql://h/db", "t")),
    ({"connector": "jdbc", "url": "jdbc:odd"}, Dataset("jdbc", "n")),
    ({"connector": "blackhole"}, Dataset("flink://blackhole", "n")),
    ({"connector": "kafka", "topic": "a", "properties.bootstrap.servers": "SASL_SSL://h:1"}, Dataset("kafka://h:1", "a")),
    ({"connector": "filesystem", "path": "hdfs:///data/x"}, Dataset("hdfs://", "data/x")),
    ({"connector": "jdbc", "url": "jdbc:postgresql://[::1]:5432,i:2/db?a=b"}, Dataset("postgres://[::1]:5432,i:2/db", "n")),
])
def test_datasets_are_named_by_the_conventions(options, expected):
    """Topics, paths and tables have the names that OpenLineage's conventions give them, without logins."""
    assert dataset("n", options) == expected


@pytest.mark.parametrize("options", [
    *({"connector": "jdbc", "url": f"jdbc:{url}", "table-name": "t"} for url in (
        "postgresql://me:s3/cr3t@h/db", "postgresql://me:s3?cr3t@h/db", "postgresql://me:12/cr3t@h/db", "postgresql://me:12/cr3t?x@h/db",
        "mysql://a:x@h,me:cr3t@i/db", "mysql://(host=h,user=me,password=cr3t)/db", "mysql://address=(host=h)(password=cr3t)/db",
        "postgresql://h/db%3Fpassword=cr3t", "sqlserver://h;user=me;password=cr3t", "oracle:thin:me/cr3t@h:1521/x")),
    *({"connector": "filesystem", "path": path} for path in (
        "s3a://key:s3/cr3t@bucket/p", "s3a://key:12/cr3t@bucket/p", "s3:\\\\key:cr3t@bucket", "abfss://c@account/p;sig=cr3t", "http://h/p#cr3t")),
    {"connector": "kafka", "topic": "a", "properties.bootstrap.servers": "SASL://me:cr3t@h:1"},
])
def test_a_login_is_no_part_of_a_name_in_whatever_form_it_is_written(options):
    """Of an address that is not of the usual form no more than its kind is told."""
    assert "cr3t" not in str(dataset("n", options)) and "me:" not in str(dataset("n", options))


def sent(receiver):
    """Kinds of the events that came."""
    return [event["eventType"] for event in receiver.events]


def with_environment(monkeypatch, values):
    """Set variables."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_events_arrive_by_http(loaded, monkeypatch):
    """START, RUNNING with Flink's id once it is known and after the interval, and COMPLETE come from the client, with its login."""
    with receiving() as receiver:
        with_environment(monkeypatch, {**receiver.environment, "OPENLINEAGE_NAMESPACE": "shop",
                                       "OPENLINEAGE__TRANSPORT__AUTH": '{"type": "api_key", "apiKey": "k"}'})
        told = []
        run = emitter(loaded, None, told.append)
        with run.run():
            run.running()
            run.submitted("a1b2")
        events = receiver.events
    assert (sent(receiver), told) == (["START", "RUNNING", "COMPLETE"], [])
    assert {event["job"]["namespace"] for event in events} == {"shop"} and set(receiver.logins) == {"Bearer k"}
    assert len({event["run"]["runId"] for event in events}) == 1 and uuid.UUID(events[0]["run"]["runId"])
    assert "externalQuery" not in events[0]["run"]["facets"] and events[2]["run"]["facets"]["externalQuery"]["externalQueryId"] == "a1b2"
    assert made(events[0], "masked", "id") == [("id", "TRANSFORMATION", True)]


def test_a_job_that_fails_says_so_without_its_words(loaded, monkeypatch):
    """FAIL comes with the kind of the error; its text, which may quote a record, stays here, and the error goes on."""
    with receiving() as receiver:
        with_environment(monkeypatch, receiver.environment)
        with pytest.raises(JobError, match="Jane"), emitter(loaded, None, print).run():
            raise JobError("the value Jane Roe was bad")
    assert sent(receiver) == ["START", "FAIL"]
    assert receiver.events[1]["run"]["facets"]["errorMessage"]["message"].startswith("JobError: ")
    assert "Jane" not in json.dumps(receiver.events)


def test_a_receiver_that_refuses_or_is_away_fails_no_job(loaded, monkeypatch):
    """What cannot be sent is one warning without the client's words, and the job goes on."""
    with receiving(status=500) as receiver:
        with_environment(monkeypatch, receiver.environment)
        told = []
        with emitter(loaded, None, told.append).run():
            pass
    assert len(told) == 1 and "cannot be sent" in told[0] and "Hint" in told[0]
    with emitter(loaded, None, told.append).run():  # nobody listens there any more
        pass
    assert len(told) == 2 and "127.0.0.1" not in told[1]


def test_running_is_told_once_in_an_interval(loaded):
    """RUNNING comes when an interval has passed since the last event, by the clock given."""
    events, now = [], [0.0]
    run = Emitter(JobLineage(loaded, None, RUN), events.append, print, interval=60.0, clock=lambda: now[0])
    with run.run():
        for now[0] in (10.0, 59.9, 60.0, 61.0, 119.9, 120.0):
            run.running()
    assert [event["eventType"] for event in events] == ["START", "RUNNING", "RUNNING", "COMPLETE"]


def test_events_go_to_a_file_or_to_the_console(loaded, monkeypatch, tmp_path, capsys):
    """The client's own configuration file names the transport: a file, or the console, which is stderr."""
    (tmp_path / "openlineage.yml").write_text(f"transport: {{type: file, log_file_path: {tmp_path / 'events.jsonl'}, append: true}}\n")
    with emitter(loaded, None, print).run():
        pass
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["eventType"] for event in lines] == ["START", "COMPLETE"]
    (tmp_path / "openlineage.yml").write_text("transport: {type: console}\n")
    with emitter(loaded, None, print).run():
        pass
    shown = capsys.readouterr()
    assert shown.out == "" and [json.loads(line)["eventType"] for line in shown.err.splitlines()] == ["START", "COMPLETE"]


def test_a_configuration_that_cannot_be_used_fails_no_job(loaded, monkeypatch):
    """A transport that does not exist is a warning, and nothing is sent."""
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "no_such_transport")
    told = []
    with emitter(loaded, None, told.append).run():
        pass
    assert len(told) == 1 and "cannot be configured" in told[0]


def test_nothing_is_sent_unless_it_is_configured(tmp_path):
    """Without variables and openlineage.yml, or with OPENLINEAGE_DISABLED, there are no events."""
    assert not configured({})
    assert all(configured({name: "x"}) for name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT__TYPE"))
    assert not configured({"OPENLINEAGE_URL": "x", "OPENLINEAGE_DISABLED": "True"})
    (tmp_path / ".openlineage").mkdir()
    (tmp_path / ".openlineage" / "openlineage.yml").touch()
    assert configured({"HOME": str(tmp_path)})


def test_facets_have_the_form_of_the_client(loaded):
    """Facets name the schemas of the client's own classes and have no members but theirs."""
    from openlineage.client.facet_v2 import (
        column_lineage_dataset,
        documentation_job,
        error_message_run,
        external_query_run,
        job_type_job,
        processing_engine_run,
        schema_dataset,
        tags_dataset,
    )

    event = JobLineage(load_policy(CUSTOMER_EVENTS), None, RUN).event("FAIL", error="x", flink_job="y")
    facets = {**event["run"]["facets"], **event["job"]["facets"], **event["inputs"][0]["facets"], **event["outputs"][0]["facets"]}
    classes = {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet, "errorMessage": error_message_run.ErrorMessageRunFacet,
        "externalQuery": external_query_run.ExternalQueryRunFacet, "jobType": job_type_job.JobTypeJobFacet,
        "documentation": documentation_job.DocumentationJobFacet, "schema": schema_dataset.SchemaDatasetFacet,
        "tags": tags_dataset.TagsDatasetFacet, "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet}
    assert set(facets) == set(classes)
    for name, facet in facets.items():
        values = {key: value for key, value in facet.items() if not key.startswith("_")}
        assert classes[name](**values)._get_schema() == facet["_schemaURL"], name
    for one in facets["columnLineage"]["fields"].values():
        for field in one["inputFields"]:
            column_lineage_dataset.InputField(**{**field, "transformations": [
                column_lineage_dataset.Transformation(**made) for made in field["transformations"]]})
