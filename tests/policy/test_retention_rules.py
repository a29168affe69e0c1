"""What a policy may say of the time for which tokens are kept."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.changes import changes
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: s
subject: id
vault: {keep: 400d}
fields: {id: {class: identifier}, card: {class: direct}}
segments:
  care:
    view: masked
    rules:
      id: {technique: encrypt, domain: people, per_subject: true}
      card: {technique: tokenize, domain: cards}
    record: {key: {technique: tokenize, domain: keys}}
"""


def read(*changed):
    """The policy with some of its text replaced."""
    text = POLICY
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    return load(PolicySource("policy.yaml", text))


def test_days_and_domains_of_tokens():
    """Tokens are kept for whole days; they are those of tokenize, of fields and of Kafka's keys."""
    loaded = read()
    assert loaded.policy.token_days == 400 and not [fault for fault in loaded.warnings if "expire" in fault.message]
    assert loaded.token_domains == ("cards", "keys")
    assert read(("vault: {keep: 400d}\n", "")).policy.token_days is None


@pytest.mark.parametrize("keep", ["0d", "12h", "400", "400.5d", "100000d", "2d "])
def test_what_are_no_whole_days_is_an_error(keep):
    """Uses are noted by the day, so other durations are refused where they stand."""
    with pytest.raises(PolicyFaults) as raised:
        read(("400d", f'"{keep}"'))
    fault, = raised.value.faults
    assert "whole days" in fault.message and "400d" in fault.hint and fault.line == 4


def test_retention_without_tokens_is_warned_of():
    """Where no rule makes tokens, nothing could expire."""
    loaded = read(("technique: tokenize, domain: cards", "technique: pseudonym, domain: cards"),
                  ("technique: tokenize, domain: keys", "technique: pseudonym, domain: keys"))
    assert [fault.line for fault in loaded.warnings if "no rule makes tokens" in fault.message] == [4]


def test_a_running_job_follows_a_change():
    """How long tokens are kept can change in a job that runs."""
    found, = changes(read(), read(("version: 1", "version: 2"), ("400d", "30d")))
    assert (found.place, found.effect) == ("vault", "live")
