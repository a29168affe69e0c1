"""flink-masking lineage."""

import json

from flink_masking.examples import CUSTOMER_EVENTS


def test_the_event_of_a_policy_is_printed(cli, monkeypatch):
    """The command prints the event START as JSON, with the namespace that is asked for."""
    monkeypatch.delenv("OPENLINEAGE_NAMESPACE", raising=False)
    done = cli("lineage", CUSTOMER_EVENTS, "--namespace", "shop")
    event = json.loads(done.out)
    assert (done.code, done.err, event["eventType"]) == (0, "", "START")
    assert event["job"] == {**event["job"], "namespace": "shop", "name": "customer-events"}
    fields = event["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert fields["email"]["inputFields"][0]["transformations"][0]["masking"] is True


def test_a_deployment_tells_where_datasets_are(cli, tmp_path):
    """With a deployment, stream and views have the names of their topics; one that cannot be read is an error."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nstream: s\nfields: {a: {class: direct}}\nsegments: {v: {view: masked, rules: {a: redact}}}\n")
    deployment = tmp_path / "deployment.yaml"
    kafka = "connector: kafka, properties.bootstrap.servers: 'k:9092'"
    sinks = ", ".join(f"{name}: {{{kafka}, topic: t-{name}}}" for name in ("v", "audit", "quarantine"))
    deployment.write_text(f"source: {{{kafka}, topic: raw}}\nsinks: {{{sinks}}}\nkeys: file:///k\n")
    event = json.loads(cli("lineage", policy, deployment).out)
    assert [(one["namespace"], one["name"]) for one in (*event["inputs"], *event["outputs"])] == [
        ("kafka://k:9092", name) for name in ("raw", "t-v", "t-audit", "t-quarantine")]
    assert cli("lineage", policy, tmp_path / "no.yaml").code == 1
