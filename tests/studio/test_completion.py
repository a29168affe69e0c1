"""Completion at the cursor: keys, values, rules and fields, also in a text that is no YAML yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.studio.completion import complete
from flink_masking.studio.cursor import cursor_at

HERE = "¦"
FIELDS = ("version: 1\nstream: s\nfields:\n  email: {class: direct, type: email}\n  contacts[*].phone: {class: direct}\n"
          "  age: {class: quasi}\n")
RULES = FIELDS + "segments:\n  m:\n    view: masked\n    rules:\n"
GROUPS = FIELDS + "segments:\n  a:\n    view: anonymized\n"
FIGURES = FIELDS + "segments:\n  g:\n    view: aggregated\n"


def place(text):
    """Text, line and column of the sign."""
    before = text.partition(HERE)[0]
    return text.replace(HERE, ""), before.count("\n") + 1, len(before) - before.rfind("\n") - 1


def labels(text, **more):
    """What is offered at the sign."""
    return [option.label for option in complete(*place(text), **more).options]


@pytest.mark.parametrize(("text", "offered", "missing"), [
    (HERE, {"version", "stream", "fields", "segments", "unknown_fields"}, set()),
    ("version: 1\nstr¦", {"stream", "segments"}, {"version"}),
    ("¦\nversion: 1\nstream: s", {"segments"}, {"version", "stream"}),
    ("unknown_fields: qu¦", {"quarantine", "drop", "redact", "scan"}, {"version"}),
    ("fields:\n  email: {¦", {"class", "type", "optional"}, {"view"}),
    ("fields:\n  email: {class: ¦", {"identifier", "direct", "quasi", "plain"}, {"class"}),
    ("fields:\n  email: {class: direct, type: em¦}", {"email", "payment_card"}, {"class"}),
    ("fields:\n  email:\n    class: direct\n    ¦", {"type", "optional"}, {"class"}),
    ("fields:\n  email: {class: direct, optional: ¦", {"true", "false"}, set()),
    (FIELDS + "segments:\n  m:\n    view: ma¦", {"masked", "anonymized", "aggregated", "granted"}, set()),
    (FIELDS + "segments:\n  m:\n    ¦", {"view", "rules", "k", "metrics"}, set()),
    (FIELDS + "segments:\n  m:\n    view: masked\n    ¦", {"rules", "order"}, {"view", "k", "metrics"}),
    (RULES + "      ¦", {"email", "age", "contacts[*].phone", "*"}, {"view"}),
    (RULES + "      email: keep\n      ¦", {"age", "*"}, {"email"}),
    (RULES + "      email: pa¦\n      age: keep", {"partial", "keep", "{technique: pseudonym, …}"}, {"email"}),
    (RULES + "      email: {technique: ps¦", {"pseudonym", "partial", "substitute"}, set()),
    (RULES + "      email: {technique: partial, ¦", {"keep_first", "keep_last"}, {"domain", "max_days", "technique"}),
    (RULES + "      email: {technique: partial, keep_first: 1, on_error: ¦", {"redact", "nullify", "quarantine"}, {"keep"}),
    (RULES + "      contacts[*].phone:\n        technique: pseudonym\n        ¦", {"domain"}, {"keep_first"}),
    (GROUPS + "    quasi_identifiers: [age, ¦]", {"email", "age"}, {"k"}),
    (GROUPS + "    quasi_identifiers:\n      - a¦", {"email", "age"}, set()),
    (GROUPS + "    ¦", {"k", "quasi_identifiers", "mode"}, {"rules"}),
    (GROUPS + "    l_diversity: {field: ¦", {"email", "age"}, set()),
    (FIGURES + "    privacy: {epsilon: 1.0,\n      del¦", {"delta", "lifetime_epsilon"}, {"epsilon"}),
    (FIGURES + "    metrics:\n      a: ¦", {"count", "count_distinct_subjects"}, set()),
    (FIGURES + "    metrics:\n      a: {sum: ¦}", {"age"}, set()),
    (FIGURES + "    window: {¦", {"tumbling"}, {"view"}),
    (FIGURES + "    group_by: [{age: {¦", {"width", "prefix"}, {"view"}),
    ("subject: ¦\n" + FIELDS, {"email", "age"}, {"class"}),
    ("event_time: {field: ¦}\n" + FIELDS, {"email", "age"}, set()),
])
def test_what_is_offered(text, offered, missing):
    """Keys that are missing, values that are allowed, fields that are declared; nothing that the place does not take."""
    found = set(labels(text))
    assert offered <= found and not missing & found


@pytest.mark.parametrize("text", ["# sub¦", "version: 1  # a¦", "nothing:\n  deep:\n    ¦", "fields: {a: {class: plain}}¦"])
def test_where_nothing_is_offered(text):
    """Comments, unknown places and finished values have no completion."""
    assert labels(text) == []


def test_members_of_the_sample_are_offered_with_a_declaration():
    """Under fields, members that are not declared yet are offered with what scan proposes, quoted where YAML needs it."""
    proposed = {"email": "{class: direct}", "ssn": "{class: direct, type: us_ssn}", "a b": "{class: plain}"}
    found = {option.label: option.apply for option in complete(*place(FIELDS + "  ¦"), proposed=proposed).options}
    assert found == {"ssn": "ssn: {class: direct, type: us_ssn}", "a b": '"a b": {class: plain}'}


def test_the_word_at_the_cursor_is_replaced():
    """The completion counts the characters that it replaces."""
    assert complete(*place("version: 1\nstr¦eam")).length == 3
    assert complete(*place(RULES + "      email: {technique: par¦")).length == 3


def test_needed_keys_come_first():
    """Keys without which a policy has a fault stand before the others, and are marked."""
    options = complete(*place("¦")).options
    assert [option.required for option in options] == sorted((option.required for option in options), reverse=True)
    assert {option.label for option in options if option.required} == {"version", "stream", "segments", "fields"}


def test_every_rule_that_is_offered_is_a_rule():
    """A technique's completion, its gaps filled, or its name alone, is what check takes in form."""
    for option in complete(*place(RULES + "      age: ¦")).options:
        text = RULES + f"      age: {option.apply.replace('${}', '1')}\n"
        try:
            load(PolicySource("policy.yaml", text))
        except Exception as error:
            assert "unknown key" not in str(error) and "is missing" not in str(error), option
            assert "${}" in option.apply or "no such choice" not in str(error), option


@given(st.integers(0, len(CUSTOMER_EVENTS.read_text())), st.integers(0, 5), st.text("{}[]:,-#\"' \nab*", max_size=6))
def test_any_text_and_place_has_an_answer(cut, drop, typed):
    """Whatever is typed wherever, completion ends without an error."""
    text = CUSTOMER_EVENTS.read_text()
    complete(*place(text[:cut] + typed + HERE + text[cut + drop:]))


def test_every_key_of_a_policy_is_found_where_it_stands():
    """In front of each key of the demonstration's policy, the cursor's mapping is the one that holds the key."""
    text = CUSTOMER_EVENTS.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        name = line.strip().partition(":")[0]
        if line.strip() and not line.strip().startswith(("#", '"')):
            cursor = cursor_at(text, number, len(line) - len(line.lstrip()))
            assert cursor is not None and name in cursor.keys[cursor.path]
