"""Policies for changes of rows: what would break the relation of a row's images or keys is refused, with its place and what to do."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: customers
record: {envelope: debezium, key: [id]}
subject: id
fields:
  id: {class: identifier}
  region: {class: quasi, type: text}
  email: {class: direct}
  born: {class: quasi, type: date}
segments:
  one:
    view: masked
    rules:
      id: {technique: pseudonym, domain: customer}
      region: keep
      email: drop
"""
AGGREGATED = """\
  sums:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {n: count}
    privacy: {epsilon: 100, delta: 0.1}
"""
ANONYMIZED = """\
  groups:
    view: anonymized
    k: 5
    quasi_identifiers: [born]
    release: []
    max_delay: 30s
    max_buffer: 5000
"""
RULE = "id: {technique: pseudonym, domain: customer}"


def faults(*changes, more=""):
    """Line, message and hint of each fault of the changed policy."""
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", text + more))
    return [(fault.line, fault.message, fault.hint) for fault in caught.value.faults if fault.severity == "error"]


@pytest.mark.parametrize(("rule", "words"), [
    ("{technique: partial, keep_last: 2}", "can give two values of 'id', a column of the key, one result"),
    ("{technique: generalize, prefix: 2}", "can give two values of 'id', a column of the key, one result"),
    ("redact", "can give two values of 'id', a column of the key, one result"),
    ("nullify", "can give two values of 'id', a column of the key, one result"),
    ("{technique: pseudonym, domain: c, length: 8}", "can give two values of 'id', a column of the key, one result"),
    ("{technique: encrypt, domain: c}", "a different value each time"),
    ("{technique: substitute, as: full_name}", "can give two values of 'id', a column of the key, one result"),
    ("{technique: shuffle}", "moves values between rows"),
])  # fmt: skip
def test_a_technique_that_does_not_keep_keys_apart_is_refused(rule, words):
    """On a column of the key a random technique, and one that can map two values to one, is an error at its rule."""
    found = faults((RULE, f"id: {rule}"))
    assert any(line == 14 and words in message and hint for line, message, hint in found), found


@pytest.mark.parametrize("rule", [
    "keep", "{technique: encrypt_deterministic, domain: d}", "{technique: fpe, domain: d, alphabet: digits}",
    "{technique: tokenize, domain: d}", "drop",
])  # fmt: skip
def test_techniques_that_keep_keys_apart_are_taken(rule):
    """Deterministic and injective techniques, keep, and drop of the whole key are for columns of the key."""
    assert load(PolicySource("policy.yaml", POLICY.replace(RULE, f"id: {rule}"))).images is not None


@pytest.mark.parametrize(("more", "words"), [
    (AGGREGATED, "view aggregated is not supported over changes of rows"),
    (ANONYMIZED, "view anonymized is not supported over changes of rows"),
])  # fmt: skip
def test_stateful_views_are_refused(more, words):
    """Neither k-anonymity nor sums are computed over updates and deletes."""
    assert any(words in message and "append-only" in hint for _, message, hint in faults(more=more))


@pytest.mark.parametrize(("old", "new", "words"), [
    ("key: [id]", "key: [id, id]", "'id' is a duplicate"),
    ("key: [id]", "key: [idd]", "no declared field of the row with one value"),
    ("key: [id]", "key: [id, email]", "is dropped, so that two rows can have one key"),
    ("key: [id]", "key: [id, region], key_format: text", "a key that is a text has one column"),
    ("key: [id]", "metadata: {source.queri: keep}", "no member of debezium that can have a rule"),
    ("key: [id]", "metadata: {op: keep}", "no member of debezium that can have a rule"),
    ("key: [id]", "metadata: {source.query: {technique: nothing}}", "nothing"),
    ("envelope: debezium", "envelope: debezum", "envelope"),
    ("id: {class: identifier}", "id: {class: identifier, optional: false}", "cannot be required"),
    ("record:", "each: items[*]\nrecord:", "do not go together"),
    ("record:", "format: csv\nrecord:", "formats json and avro"),
    ("view: masked\n", "view: masked\n    order: shuffled\n", "count by their order"),
    ("view: masked\n", "view: masked\n    record: {key: keep}\n", "has the rules of its columns"),
    ("region: keep", "born: {technique: date_shift, max_days: 10}", "can name two"),
    ("region: keep", "region: shuffle", "moves values between rows"),
    (f"{RULE}\n", "'*': {technique: pseudonym, domain: c}\n", "needs a rule of its own"),
    ("record: {envelope: debezium, key: [id]}", "record: {envelope: canal}", None),
])  # fmt: skip
def test_what_contradicts_an_envelope_is_refused(old, new, words):
    """Each contradiction is told at its place, and nothing else is."""
    if words is None:
        text = POLICY.replace(old, new).replace("born: {class: quasi, type: date}", "n: {class: quasi, domain: [0, 9]}")
        with pytest.raises(PolicyFaults, match="texts, and 'domain' is for numbers"):
            load(PolicySource("policy.yaml", text))
        return
    found = faults((old, new))
    assert any(words in message for _, message, _ in found), found


def test_a_statement_in_clear_is_warned_of():
    """A statement of SQL that is kept can show the values that the rules hide."""
    text = POLICY.replace("key: [id]", "key: [id], metadata: {source.query: keep, source.db: keep}")
    found = load(PolicySource("policy.yaml", text)).warnings
    assert [warning.message for warning in found if "source." in warning.message] == [
        "'source.query' can hold values of the row, and is kept in clear"]


def test_a_random_technique_is_warned_of():
    """A random technique on any other column makes an unchanged value differ between old and new row."""
    loaded = load(PolicySource("policy.yaml", POLICY.replace("email: drop", "email: {technique: encrypt, domain: e}")))
    assert [warning.line for warning in loaded.warnings if "random here" in warning.message] == [16]
