"""``flink-masking alerts check`` and ``test``, and the alerts as CloudEvents."""

import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from typer.testing import CliRunner

from flink_masking.alerts.load import AlertFaults
from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport
from flink_masking.cli.app import app
from flink_masking.keys.ring import KeyRing

T = 1_774_224_000_000
RULES = """version: 1
source: /soc/eu-1
rules:
  refusals: {when: quarantined, share_above: 0.01}
  unmasking: {when: reverse, severity: critical}
  gaps: {when: chain}
  silent: {when: silence, after: 5min}
"""


@pytest.fixture
def recorded(tmp_path):
    """Rules and an audit directory of eleven minutes: a quiet time, refusals, unmasking, one event missing."""
    chain = AuditChain.signed(KeyRing.new(), "orders", 3, "ab" * 32)
    lines = [chain.event("protect", T + second * 1_000, BatchReport(1_000, {"malformed": 100} if second in (5, 6) else {}).body())
             for second in (*range(10), *range(400, 410))]
    actor = {"actor": "mallory", "purpose": "curiosity", "outcome": "begun"}
    lines += [chain.event("unmask", T + 500_000, actor), chain.event("unmask", T + 600_000, {**actor, "outcome": "done"})]
    del lines[3]
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "part-1").write_bytes(b"".join(line + b"\n" for line in lines[10:]))
    (tmp_path / "audit" / "part-2").write_bytes(b"".join(line + b"\n" for line in lines[:10]))
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def test_recorded_lines_show_which_alerts_would_have_come(recorded):
    """Alerts come in the order of the recorded times, whatever the order of the files."""
    done = CliRunner().invoke(app, ["alerts", "test", str(recorded / "rules.yaml"), str(recorded / "audit"), "--json"])
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(event["subject"], event["data"]["times"]) for event in events] == [
        ("refusals", 1), ("silent", 1), ("gaps", 1), ("unmasking", 1), ("refusals", 1)]
    assert {event["subject"]: event["data"] for event in events}["gaps"]["events"] == 1
    shown = CliRunner().invoke(app, ["alerts", "test", str(recorded / "rules.yaml"), str(recorded / "audit")])
    assert "critical unmasking: stream=orders event=unmask actor=mallory granted=no count=1" in shown.stdout
    assert "curiosity" not in done.stdout + shown.stdout


def test_alerts_are_cloud_events(recorded):
    """The reference implementation of CloudEvents reads every alert, and the same alert has the same id."""
    command = ["alerts", "test", str(recorded / "rules.yaml"), str(recorded / "audit"), "--json"]
    lines = CliRunner().invoke(app, command).stdout.splitlines()
    assert lines == CliRunner().invoke(app, command).stdout.splitlines()
    events = [JSONFormat().read(CloudEvent, line) for line in lines]
    assert {(event.get_specversion(), event.get_source(), event.get_datacontenttype()) for event in events} == {
        ("1.0", "/soc/eu-1", "application/json")}
    assert len({event.get_id() for event in events}) == len(lines) == 5
    assert events[0].get_type() == "flink-masking.alert.quarantined"
    assert events[0].get_time() == datetime(2026, 3, 23, 0, 0, 5, tzinfo=UTC)
    assert events[0].get_data()["stream"] == "orders"


def test_rules_are_checked(recorded):
    """A file without a fault is told in one line; one with a fault is refused."""
    done = CliRunner().invoke(app, ["alerts", "check", str(recorded / "rules.yaml")])
    assert (done.exit_code, done.stdout.endswith("rules.yaml: 4 rules, 0 targets\n")) == (0, True)
    (recorded / "rules.yaml").write_text(RULES.replace("after", "afer"))
    done = CliRunner().invoke(app, ["alerts", "check", str(recorded / "rules.yaml")])
    assert isinstance(done.exception, AlertFaults)
    assert done.exception.exit_code == 2
