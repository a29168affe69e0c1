"""Coverage and flow: everything of a record that a view shows, and where each edge of the flow leads by the deployment."""

import json

import pytest

from flink_masking.compliance.subject import PolicyViews
from flink_masking.deployment.model import Deployment
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.report import as_html, figures
from flink_masking.report.coverage import coverage
from flink_masking.report.flow import flow

POLICY = """
version: 1
stream: orders
subject: customer
fields:
  customer: {class: identifier, optional: false}
  contacts[*].kind: {class: plain, type: string}
  contacts[kind=home].phone: {class: direct}
  contacts[*].phone: {class: direct}
  address.city: {class: quasi}
  attrs.*: {class: plain, type: string}
  notes.*: {class: plain, type: string}
  at: {class: plain, type: datetime, optional: false}
unknown_fields: scan
segments:
  support:
    view: masked
    rules:
      customer: {technique: pseudonym, domain: c}
      contacts[*].kind: keep
      contacts[kind=home].phone: redact
      '"contacts"[*].phone': nullify
      address: redact
      attrs.*: keep
      notes.*: nullify
    keys: {attrs.*: {technique: pseudonym, domain: k}, notes.*: plain}
    record: {key: {technique: pseudonym, domain: c}, headers: {trace: keep}, timestamp: keep}
  plain: {view: masked, unknown_fields: drop, keys: {attrs.*: plain}, rules: {attrs.*: keep, "*": drop}}
  debug: {view: granted, of: support, may_show: {'contacts[kind="home"].phone': keep, address: keep}, max_duration: 2h, max_records: 9}
  counts:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [address.city]
    metrics: {orders: count}
    privacy: {epsilon: 1.0, delta: 1.0e-9, max_groups_per_subject: 1, max_records_per_group: 1}
event_time: {field: at, max_out_of_orderness: 5s}
audit: {sink: log}
"""
KEY = "pseudonym {domain: c}"


@pytest.fixture(scope="module")
def views():
    """The policy's views."""
    return PolicyViews(load(PolicySource("policy.yaml", POLICY)))


@pytest.fixture(scope="module")
def rows(views):
    """Rows of the coverage by their path, cells by their view."""
    return {row["path"]: row | {"of": {cell["segment"]: cell for cell in row["cells"]}} for row in coverage(views)["rows"]}


def test_parts_of_a_record_that_no_field_declares_have_rows(rows):
    """Key, headers, timestamp, keys of open objects and undeclared members stand after the declared fields, with what each view tells."""
    others = ["record.key", "record.headers.trace", "record.timestamp", "keys of attrs.*", "keys of notes.*", "undeclared members"]
    assert list(rows)[-6:] == others
    assert [rows[path]["class"] for path in others] == ["record", "record", "record", "keys", "keys", "undeclared"]
    assert all(set(rows[path]["of"]) == {"support", "plain", "debug", "counts"} for path in others)
    told = {path: [cell["tells"] for cell in rows[path]["cells"]] for path in others}
    assert told["record.key"] == ["stand-in", "nothing", "stand-in", "nothing"]
    assert told["record.headers.trace"] == told["record.timestamp"] == ["exact", "nothing", "exact", "nothing"]
    assert told["undeclared members"] == ["part", "nothing", "part", "nothing"]
    key = rows["record.key"]["of"]
    assert key["support"]["rule"] == KEY and not key["support"]["default"]
    assert key["plain"] == {"segment": "plain", "tells": "nothing", "rule": "drop", "granted": False, "default": True}


def test_keys_of_open_objects_that_stay_are_told_as_exact(rows):
    """Where members of an open object stay, with or without their values, plain keys leave as they came."""
    told = {path: [cell["tells"] for cell in rows[path]["cells"]] for path in ("keys of attrs.*", "keys of notes.*")}
    assert told == {"keys of attrs.*": ["stand-in", "exact", "stand-in", "nothing"],
                    "keys of notes.*": ["exact", "nothing", "exact", "nothing"]}
    assert rows["keys of notes.*"]["of"]["support"]["rule"] == "plain" and not rows["keys of notes.*"]["of"]["support"]["default"]


@pytest.mark.parametrize(("path", "granted"), [
    ("contacts[kind=home].phone", True), ("address.city", True), ("contacts[*].phone", False), ("customer", False), ("record.key", False)])
def test_what_a_grant_opens_is_known_in_every_spelling(rows, path, granted):
    """A rule of may_show with selectors, quotes or for a whole object marks the fields that it is for, and no others."""
    assert rows[path]["of"]["debug"]["granted"] is granted
    assert not rows[path]["of"]["support"]["granted"]


def test_a_rule_in_another_spelling_is_no_default(rows):
    """Withheld by default is what no rule names, however a rule spells its path."""
    assert not rows["contacts[*].phone"]["of"]["support"]["default"] and not rows["address.city"]["of"]["support"]["default"]
    assert not rows["contacts[kind=home].phone"]["of"]["debug"]["default"]
    assert rows["at"]["of"]["support"]["default"] and rows["customer"]["of"]["plain"]["default"]


def test_what_passes_names_the_parts_of_a_record(views):
    """The edge of a view tells key, headers, timestamp and undeclared members that leave, beside the count of fields."""
    passes = {one["name"]: one["passes"] for one in flow(views, None)["outputs"]}
    assert passes["support"] == ("2 exact, 1 stand-in; 5 withheld; besides record.key (stand-in), record.headers.trace (exact), "
                                 "record.timestamp (exact), keys of attrs.* (stand-in), keys of notes.* (exact), undeclared members (part)")
    assert passes["plain"] == "1 exact; 7 withheld; besides keys of attrs.* (exact)"
    assert passes["counts"] == "1 exact; 7 withheld"


def deployed(tmp_path, **sinks):
    """A deployment with a source on another machine over TLS."""
    (tmp_path / "deployment.yaml").write_text(json.dumps({
        "source": {"connector": "kafka", "topic": "raw-orders", "properties.bootstrap.servers": "secret-host:9092",
                   "properties.security.protocol": "SSL", "scan.startup.mode": "earliest-offset"},
        "sinks": sinks, "keys": "file:///secret-place/keys.json"}))
    return Deployment.read(tmp_path / "deployment.yaml")


def test_each_edge_has_its_table_and_transport(views, tmp_path):
    """With a deployment, source and outputs tell topic, table or kind of directory, and whether records cross a network in clear."""
    told = flow(views, None, deployed(
        tmp_path, support={"connector": "kafka", "topic": "out-support", "properties.bootstrap.servers": "secret-host:9092"},
        plain={"connector": "filesystem", "path": "s3://secret-bucket/plain"},
        debug={"connector": "upsert-kafka", "topic": "out-debug", "properties.bootstrap.servers": "localhost:9092"},
        counts={"connector": "jdbc", "url": "jdbc:postgresql://secret-host/db", "table-name": "counts"},
        quarantine={"connector": "filesystem", "path": "file:///secret-place/quarantine"},
        audit={"connector": "kafka", "topic": "events", "properties.bootstrap.servers": "secret-host:9092",
               "properties.security.protocol": "SASL_SSL"}))
    edges = {one["name"]: (one["table"], one["transport"], one["in_clear"]) for one in (told["source"], *told["outputs"])}
    assert edges == {
        "orders": ("topic raw-orders", "TLS", False), "support": ("topic out-support", "in clear", True),
        "plain": ("s3://…", "by the file system's own client", False), "debug": ("topic out-debug", "within one machine", False),
        "counts": ("table counts over jdbc", "in clear", True), "quarantine": ("file://…", "by the file system's own client", False),
        "log": ("topic events", "TLS", False)}
    assert told["deployment_known"] and "secret" not in json.dumps(told)


def test_an_output_without_a_sink_and_a_flow_without_a_deployment_are_told_as_such(views, tmp_path):
    """Where the deployment declares no sink, the edge says so; without a deployment, no edge has a table."""
    told = flow(views, None, deployed(tmp_path))
    assert {one["table"] for one in told["outputs"]} == {"no sink is declared"}
    told = flow(views, None)
    assert not told["deployment_known"] and {one["table"] for one in (told["source"], *told["outputs"])} == {""}


def test_the_page_draws_them(views, tmp_path):
    """Rows of undeclared parts and the tables of edges are on the page; a connection in clear is marked by sign and word."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "raw.jsonl").write_text('{"customer":"c1","at":"2024-03-15T10:00:00Z"}\n')
    (tmp_path / "out" / "counts").mkdir(parents=True)
    (tmp_path / "out" / "counts" / "part-0").write_text("")
    page = as_html(figures(PolicySource.read(tmp_path / "policy.yaml"), tmp_path / "raw.jsonl", tmp_path / "out", deployment=deployed(
        tmp_path, support={"connector": "kafka", "topic": "out-support", "properties.bootstrap.servers": "secret-host:9092"})))
    assert '<th scope="row"><code>record.headers.trace</code></th><td>record</td>' in page and "<code>undeclared members</code>" in page
    assert '<span>topic out-support, <b class="bad">✗ in clear</b></span>' in page and "<span>topic raw-orders, TLS</span>" in page
    assert "secret-host" not in page
