"""What a policy may say of Kafka's own parts of a record."""

import json

import jsonschema
import pytest
import yaml

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.schema import json_schema
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: s
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  at: {class: plain, type: datetime}
segments:
  one:
    view: masked
    rules: {id: {technique: pseudonym, domain: d}}
    record: RECORD
"""


def loaded(record, text=POLICY):
    """The policy with that block."""
    return load(PolicySource("policy.yaml", text.replace("RECORD", record)))


def test_only_what_is_named_leaves():
    """Key, headers and timestamp are dropped unless the policy says otherwise; to drop one by name is the same as to be silent."""
    for silent in ("{}", "{key: drop}", "{headers: {a: drop}, timestamp: drop}", "{key: {technique: drop}}"):
        rules = loaded(silent).record("one")
        assert (rules.key, dict(rules.headers), rules.timestamp, rules.rules) == (None, {}, False, [])
    rules = loaded("{key: {technique: pseudonym, domain: d}, headers: {trace-id: keep, user-agent: redact}, timestamp: keep}").record("one")
    assert [rule.path for rule in rules.rules] == ["record.key", "record.headers.trace-id", "record.headers.user-agent"]
    assert rules.timestamp


@pytest.mark.parametrize(("record", "words"), [
    ("{ky: drop}", "unknown key 'ky'.*did you mean 'key'"),
    ("{timestamp: round}", "'timestamp' has no such choice"),
    ("{key: pseudonim}", "pseudonim.*did you mean 'pseudonym'"),
    ("{key: pseudonym}", "'domain' is missing"),
    ("{headers: {'*': keep}}", "headers are named one by one"),
    ("{headers: {key_version: keep}}", "'key_version' is a header that every masked segment is given"),
    ('{headers: {"a\\nb": keep}}', "cannot be printed"),
    ("{key: {technique: shuffle}}", "'shuffle' moves values between records"),
    ("{key: {technique: date_shift, domain: d, max_days: 3}}", "'date_shift' masks by the person whom a record is about"),
    ("{key: {technique: perturb, relative: 0.1}}", "'perturb' does not take text"),
    ("{headers: [trace-id]}", "'headers' must be keys with values"),
    ("keep", "'record' must be keys with values"),
])  # fmt: skip
def test_faults_are_told_with_their_place(record, words):
    """Every fault names its line and says what to do."""
    with pytest.raises(PolicyFaults, match=rf"(?s)policy\.yaml:12:\d+: .*{words}"):
        loaded(record)


@pytest.mark.parametrize("segment", [
    "{view: anonymized, k: 2, quasi_identifiers: [id], record: {timestamp: keep}}",
    "{view: aggregated, window: {tumbling: 1h}, metrics: {n: count}, privacy: {epsilon: 1, delta: 0.1}, record: {key: keep}}",
])  # fmt: skip
def test_a_row_of_several_people_carries_no_part_of_a_record(segment):
    """Anonymized and aggregated segments are refused any of it, in words of their own."""
    with pytest.raises(PolicyFaults, match=r"'record' is for masked segments\n.*never carries the key, the headers or the timestamp"):
        load(PolicySource("policy.yaml", POLICY.partition("  one:")[0] + f"  other: {segment}\n"))


def test_kafkas_timestamp_is_no_event_time_yet():
    """It is refused as such, not as an unknown key."""
    with pytest.raises(PolicyFaults, match="Kafka's own timestamp as the event time is not available yet"):
        loaded("{}", POLICY.replace("{field: at}", "{record: timestamp}"))


def test_a_key_in_clear_is_worth_a_warning():
    """A kept key is allowed, and told; a kept header is what it is there for."""
    assert ["the key of each record is kept in clear"] == [fault.message for fault in loaded("{key: keep, headers: {t: keep}}").warnings]


def test_a_view_does_not_name_the_schema_of_the_raw_record():
    """A rule for the header with the schema's GUID is refused where the format reads it: readers would take it before the view's own."""
    text = POLICY.replace("stream:", "format: avro\nframing: confluent\nstream:", 1)
    with pytest.raises(PolicyFaults, match=r"'__value_schema_id' names the schema of the raw record\n.*in front of its value"):
        loaded("{headers: {__value_schema_id: keep}}", text)
    assert loaded("{headers: {__value_schema_id: keep}}").record("one").headers


def test_tokens_of_keys_need_a_vault():
    """A rule that makes tokens of keys or headers counts among those that need one."""
    found = loaded("{key: {technique: tokenize, domain: d}, headers: {h: {technique: tokenize, domain: d}}}")
    assert found.tokenised == ("one: record.key", "one: record.headers.h")


def test_the_schema_knows_the_block():
    """Editors accept what `load` accepts, and refuse what it does not know."""
    validator = jsonschema.Draft202012Validator(json_schema())

    def valid(record):
        return validator.is_valid(json.loads(json.dumps(yaml.safe_load(POLICY.replace("RECORD", record)))))

    assert valid("{key: {technique: pseudonym, domain: d}, headers: {trace-id: keep}, timestamp: keep}") and valid("{}")
    assert not valid("{ky: keep}") and not valid("{timestamp: round}") and not valid("{headers: {a: pseudonim}}")
