"""Alert rules: their JSON Schema, and rules that are published."""

import json

import pytest
import yaml
from controlled import deployment, identities, with_key
from jsonschema import Draft202012Validator

from flink_masking.alerts.rules import KINDS

RULES = """\
version: 1
source: /soc
every: 10min
rules:
  refusals: {when: quarantined, share_above: 0.01, within: 1min, at_least: 1000}
  old-keys: {when: key_age, older_than: 90d}
targets:
  soc: {webhook: "https://soc.example/hook", secret: "${env:HOOK}"}
  bus: {kafka: {topic: alerts, properties.bootstrap.servers: "127.0.0.1:9092"}}
"""


def test_the_schema_says_what_rules_are(cli, tmp_path):
    """It is one by the standard's own schema, takes sound rules, refuses others, knows every kind and describes each key."""
    done = cli("alerts", "schema")
    assert (done.code, done.err) == (0, "")
    schema = json.loads(done.out)
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    assert list(check.iter_errors(yaml.safe_load(RULES))) == []
    for old, new in (("when: quarantined", "when: quarantine"), ("1min", "a minute"), ("older_than: 90d", "x: 1"), ("secret:", "key:")):
        assert old in RULES and list(check.iter_errors(yaml.safe_load(RULES.replace(old, new)))), old
    models = [one for one in schema["$defs"].values() if "properties" in one]
    assert set(KINDS) <= {one["properties"]["when"]["const"] for one in models if "when" in one["properties"]}
    for one in (schema, *models):
        for name, key in one["properties"].items():
            assert "description" in key or name == "when", name
            if "pattern" in key and "default" in key:
                assert isinstance(key["default"], str)
    assert cli("alerts", "schema", "--output", tmp_path / "s.json") == (0, "", "")
    assert (tmp_path / "s.json").read_text() == done.out


@pytest.fixture
def place(cli, tmp_path, monkeypatch):
    """A directory with identities, a trust file, a deployment and rules."""
    monkeypatch.chdir(tmp_path)
    identities(cli, tmp_path, "policy=paula", "approver=ann")
    deployment(tmp_path, control=f", state: 'file://{tmp_path}/state', refresh: 1s")
    (tmp_path / "alerts.yaml").write_text(RULES)
    return tmp_path


def publish(cli, *more, owner="paula"):
    """Publish the rules."""
    return cli("alerts", "publish", "alerts.yaml", "deployment.yaml", *with_key(owner), *more)


def test_rules_are_published_under_rising_versions(cli, place):
    """Each publication has the next version of its source; `--output` is for more signatures; one that waits can be called off."""
    for version in (1, 2):
        done = publish(cli, "--in", "0s" if version == 1 else "1h")
        assert done.code == 0 and f"version {version} of the rules of /soc takes effect" in done.err, done.err
    assert publish(cli, "--output", "third.json").code == 0
    assert cli("control", "sign", "third.json", *with_key("ann")).code == 0
    assert cli("control", "publish", "third.json", "deployment.yaml").code == 0
    listed = [json.loads(line) for line in cli("control", "list", "deployment.yaml", "--json").out.splitlines()]
    assert [(one["kind"], one["stream"], one["version"], one["state"]) for one in listed] == [
        ("alerts", "/soc", 1, "in effect"), ("alerts", "/soc", 2, "pending"), ("alerts", "/soc", 3, "pending")]
    waiting = listed[1]["id"]
    done = cli("control", "revoke", waiting, "deployment.yaml", "--of", "alerts", "--reason", "no", *with_key("paula"))
    assert done.code == 0, done.err
    assert {row["state"] for line in cli("control", "list", "deployment.yaml", "--json").out.splitlines()
            if (row := json.loads(line))["id"] == waiting} == {"revoked"}


def test_rules_that_cannot_be_used_are_not_published(cli, place):
    """Faults, somebody without the role, a time in the past: nothing reaches the source."""
    assert "not signed by the role policy" in publish(cli, owner="ann").err
    assert "--at lies in the past" in publish(cli, "--at", "2020-01-01T00:00:00Z").err
    (place / "alerts.yaml").write_text(RULES.replace("within: 1min", "within: soon"))
    done = publish(cli)
    assert done.code == 2 and "'within' is not a duration" in done.err
    assert list((place / "control").iterdir()) == []
