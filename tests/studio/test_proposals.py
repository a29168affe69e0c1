"""Proposals of the scan, accepted field by field."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flink_masking.cli import main
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.studio.proposals import Proposals
from flink_masking.studio.sample import Sample


@pytest.fixture(scope="module")
def proposals(events):
    """For the customer events."""
    return Proposals(Sample(events, 1000))


def paths(proposals):
    """The fields that a rule is proposed for."""
    return [one["id"] for one in proposals.listed()["fields"] if one["rule"] is not None]


def test_nothing_accepted_shows_nothing(proposals, events):
    """The policy without any accepted proposal declares every field, takes every record, and its view is empty."""
    loaded = load(PolicySource("policy.yaml", proposals.policy([])))
    result = Protector(loaded, KeyRing.ephemeral()).protect(events.read_bytes().splitlines())
    assert len(loaded.policy.fields) == len(proposals.listed()["fields"]) and result.quarantine == []
    assert set(result.views["masked-events"].to_pylist()) == {b"{}"} and loaded.policy.subject is None


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_choice_makes_a_policy(proposals, events, data):
    """Whatever is accepted, the policy has no fault, and shows the accepted fields and no other."""
    accepted = data.draw(st.sets(st.sampled_from([*paths(proposals), "subject", "event_time"])))
    loaded = load(PolicySource("policy.yaml", proposals.policy(accepted)))
    shown = {path for path, rule in loaded.rules("masked-events").items() if rule.technique.name != "drop"}
    assert shown == accepted - {"subject", "event_time"}
    assert (loaded.policy.subject == "customerId") == ("subject" in accepted)
    assert (loaded.policy.event_time is not None) == ("event_time" in accepted)


def test_everything_accepted_is_what_scan_proposes(proposals, events, tmp_path, monkeypatch):
    """All fields accepted, the policy is that of scan --propose, byte for byte."""
    monkeypatch.setattr("sys.argv", ["flink-masking", "scan", str(events), "--propose", str(tmp_path / "p.yaml")])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code and (tmp_path / "p.yaml").read_text() == proposals.policy(paths(proposals))


def test_proposals_hold_no_value(proposals, events):
    """Reasons are counts and types; no value of the sample is among them."""
    told = json.dumps(proposals.listed(), ensure_ascii=False)
    values = {value for line in events.read_text().splitlines() for value in json.loads(line).values() if isinstance(value, str)}
    assert [value for value in values if len(value) > 3 and value in told] == []


def test_a_sample_of_lines_of_text(tmp_path):
    """Records that are one text each have one proposal."""
    (tmp_path / "app.log").write_text("jane@example.com logged in\nnobody did\n")
    made = Proposals(Sample(tmp_path / "app.log", 10))
    assert [one["id"] for one in made.listed()["fields"]] == ["text"]
    for accepted, rule in (([], "redact"), (["text"], "redact_text")):
        assert load(PolicySource("p.yaml", made.policy(accepted))).rules("masked-app")["text"].technique.name == rule


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00\x01", b"not json\n" * 5])
def test_a_sample_that_cannot_be_read_has_no_proposals(tmp_path, data):
    """Where no record can be read, that is said; completion goes without members of the sample."""
    (tmp_path / "s.jsonl").write_bytes(data)
    made = Proposals(Sample(tmp_path / "s.jsonl", 10))
    with pytest.raises(InputError, match="no record that can be read"):
        made.listed()
    assert made.declarations() == {}
