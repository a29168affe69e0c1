"""Faults of form: each has the line and column of what is wrong, and says what to write instead."""

import pickle

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

FAULTS = [
    # YAML
    ([("segments:", "§segments")], "broken YAML: could not find expected ':' (while scanning a simple key)", "colons"),
    ([("format: json", "format: §'json")], "broken YAML: found unexpected end of stream", "quotes"),
    ([("format: json", "format: [*§: keep]")], "broken YAML", "put a text that begins with * or & in quotes"),
    ([("format: json", "§\tformat: json")], "broken YAML: found character '\\t'", "spaces"),
    ([("version: 1", "version: 1\n§version: 2")], "the key 'version' is a duplicate", "line 1"),
    ([("version: 1", "version: 1\n§[a, b]: 1")], "a key is not plain text", "quotes"),
    ([("version: 1", "version: §!!python/name:os.system x")], "a tag (!…) is not allowed", "without it"),
    ([("version: 1", "version: §&a [1, *a]")], "an alias inside the value that it names", "write"),
    ([("format: json", "format: " + "[" * 39 + "§" + "[" * 9 + "]" * 48)], "broken YAML: more than 40 levels", ""),
    # keys
    ([("version: 1\n", "§")], "'version' is missing", "such as version: 1"),
    ([("    k: 5\n", ""), ("  anonymized-c", "  §anonymized-c")], "'k' is missing in 'anonymized-customer-events'", "such as k: 5"),
    ([("unknown_fields", "§unknwn_fields")], "unknown key 'unknwn_fields'", "did you mean 'unknown_fields'?"),
    ([("max_delay", "§max_dely")], "unknown key 'max_dely'", "did you mean 'max_delay'?"),
    ([("bounds", "§bound")], "unknown key 'bound'", "did you mean 'bounds'?"),
    ([("epsilon: 1.0", "§eps: 2, epsilon: 1.0")], "unknown key 'eps'", "did you mean 'epsilon'?"),
    ([("keep_after", "§kept_after")], "unknown key 'kept_after'", "did you mean 'keep_after'?"),
    # the simple values
    ([("version: 1", "version: §0")], "'version' must be at least 1", ""),
    ([("version: 1", "version: §true")], "'version' must be a whole number, not true or false", ""),
    ([("version: 1", "version: §'1'")], "'version' must be a whole number, not text", ""),
    ([("version: 1", "version: §" + "9" * 5000)], "a number that cannot be read", "fewer digits"),
    ([("stream: customer-events", "stream: §customer events")], "'stream' cannot name a topic or a directory", "letters"),
    ([("format: json", "format: §jsn")], "'format' has no such choice", "did you mean 'json'?"),
    ([("5s}", "§5}")], "'max_out_of_orderness' is not a duration", "100ms, 5s"),
    ([("fields: quarantine", "fields: §pass")], "'unknown_fields' has no such choice", "quarantine, drop, redact"),
    ([("sink: audit-events", "sink: §_audit")], "'sink' cannot name a topic or a directory", "letters"),
    # fields
    ([("class: identifier", "class: §identifer")], "'class' has no such choice", "did you mean 'identifier'?"),
    ([("{class: identifier}", "§3")], "'customerId' must be keys with values, not a whole number", ""),
    ([("domain: [0, 120]", "domain: §[0]")], "'domain' must be a low and a high value", "[0, 120]"),
    ([("domain: [0, 120]", "domain: §[Oslo, Paris, Rome]")], "'domain' must be a low and a high value", "generalised by a hierarchy"),
    ([("bounds: [0, 1000]", "bounds: [0, §x]")], "'bounds' must be a number", ""),
    ([("bounds: [0, 1000]", "bounds: [§x, y]")], "'bounds' must be a number", ""),
    ([("bounds: [0, 1000]", "bounds: [0, §1e999]")], "'bounds' must be a number", ""),
    ([("scale: 2", "scale: §10")], "'scale' must be at most 9", ""),
    # segments
    ([("view: masked", "view: §maskd")], "'view' is not a known view", "did you mean 'masked'?"),
    ([("    view: masked\n", ""), ("  masked-c", "  §masked-c")], "'view' is missing in 'masked-customer-events'", "masked, anonymized"),
    ([("email: {technique: partial, keep_first: 1, keep_after: \"@\"}", "email: §5")], "'email' must be a technique", "keep"),
    ([("{technique: partial, keep_first", "§{keep_first")], "'email' has no technique", "{technique: name"),
    ([("technique: partial", "technique: §patial")], "unknown technique 'patial'", "did you mean 'partial'?"),
    ([("purchaseAmount: keep", "purchaseAmount: {technique: redact_text, entities: §[email]}")],
     "'entities' must name types of data in capitals", "[EMAIL, PHONE]"),
    ([("purchaseAmount: keep", "purchaseAmount: {technique: redact_text, entities: §{EMAIL: {technique: patial}}}")],
     "'entities': EMAIL: unknown technique 'patial'", "did you mean 'partial'?"),
    ([("keep_first: 1", "keep_first: §-1")], "'keep_first' must be at least 0", ""),
    ([("on_error: quarantine", "on_error: §ignore")], "'on_error' has no such choice", "redact, nullify, drop, quarantine"),
    ([("{technique: generalize, level: 1}", "§generalize")], "'city': exactly one way is needed", "one of width"),
    ([("    k: 5", "    k: §1")], "'k' must be at least 2", ""),
    ([("l: 2", "l: §1")], "'l' must be at least 2", ""),
    ([("[age, zip, city]", "§age")], "'quasi_identifiers' must be a list, not text", ""),
    ([("[age, zip, city]", "§[]")], "'quasi_identifiers' must not be empty", ""),
    ([("30s", "§0s")], "'max_delay' must be longer than nothing", "100ms"),
    ([("{tumbling: 1min}", "§{}")], "'window' must be one kind of window", "tumbling"),
    ([("{tumbling: 1min}", "{tumbling: §1minute}")], "'tumbling' is not a duration", "1min"),
    ([("{zip: {generalize: 3}}", "§{zip: 3}")], "'group_by' must say how the field is generalised", "width"),
    ([("orders:    count", "orders: §cont")], "'orders' is not a known metric", "count_distinct_subjects"),
    ([("orders:    count", "orders: §sum")], "'orders' needs a field", "{sum: field}"),
    ([("orders:    count", "orders: §{count: age}")], "'orders': 'count' takes no field", "alone"),
    ([("epsilon: 1.0", "epsilon: §-1")], "'epsilon' must be greater than 0", ""),
    ([("delta: 1e-9", "delta: §1")], "'delta' must be less than 1", ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message", "hint"), FAULTS, ids=[changes[0][1][:30] for changes, *_ in FAULTS])
def test_one_fault_at_its_place(faults, changes, message, hint):
    """One mistake gives one fault, at its line and column, with a hint."""
    found, place = faults(*changes)
    assert [(fault.line, fault.column) for fault in found] == [place]
    assert found[0].message.startswith(message)
    assert hint in found[0].hint


def test_all_faults_of_form_come_at_once(faults):
    """Faults in different parts, parameters of techniques included, are reported together and in the order of the text."""
    found, _ = faults(("class: identifier", "class: x"), ("keep_first: 1", "keep_frist: 1"), ("    k: 5", "    k: 1"), ("1e-9", "2"))
    assert [fault.message for fault in found] == [
        "'class' has no such choice", "unknown key 'keep_frist'", "'k' must be at least 2", "'delta' must be less than 1",
    ]  # fmt: skip
    assert sorted(found) == found


@pytest.mark.parametrize("text", ["", "# nothing\n", "~", "7", "[]", "text"])
def test_what_is_no_policy_at_all(text):
    """A text that holds no keys is refused at its beginning."""
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("p.yaml", text))
    assert [fault.line for fault in caught.value.faults] == [1]


def test_a_character_that_yaml_forbids_has_a_place():
    """A control character is refused where it stands."""
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("p.yaml", "version: 1\nstream: a\x00b\n"))
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(2, 10)]


def test_the_text_of_faults_is_what_editors_follow():
    """Each fault is a line ``name:line:column: message``, and a line with its hint."""
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("p.yaml", "version: 1\nversion: 2\n"))
    assert str(caught.value) == "p.yaml:2:1: the key 'version' is a duplicate\n    hint: the first is in line 1"


def test_faults_travel_between_processes():
    """A pickled PolicyFaults comes back with its faults and the same text."""
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("p.yaml", "version: 1\nversion: 2\n"))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.faults, str(copy)) == (caught.value.faults, str(caught.value))


def test_many_aliases_do_not_blow_up():
    """A text whose aliases stand for billions of values is refused quickly."""
    rows = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("p.yaml", "\n".join(rows)))
    assert [fault.message for fault in caught.value.faults] == ["more than 100000 values"]
