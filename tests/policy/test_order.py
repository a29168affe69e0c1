"""The order of a masked segment's records: what check refuses, and what it says of views that the order joins."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: orders
subject: customer
event_time: {field: at}
fields:
  customer: {class: identifier}
  age: {class: quasi, domain: [0, 120]}
  zip: {class: quasi, prefix: 5}
  at: {class: plain, type: datetime}
{TOP}segments:
  one: {view: masked, {ONE}}
  two: {view: masked, {TWO}}
  {MORE}
"""
ZERO = "live: {view: anonymized, mode: zero_delay, k: 5, quasi_identifiers: [age], window: 1h}"
ONE, TWO = "rules: {customer: {technique: pseudonym, domain: c}}", "rules: {age: keep}"


def loaded(one=ONE, two=TWO, top="", more=""):
    """The policy with its segments."""
    text = POLICY.replace("{ONE}", one).replace("{TWO}", two).replace("{TOP}", top).replace("{MORE}", more)
    return load(PolicySource("policy.yaml", text))


def joined(**parts):
    """The warnings of views whose order joins them."""
    return [fault for fault in loaded(**parts).warnings if "same order" in fault.message]


def test_two_views_in_the_same_order_are_joined_by_it():
    """Two masked views in the order read are one view to whoever reads both: a warning at the second, with the mend."""
    (warning,) = joined()
    assert (warning.line, warning.severity) == (12, "warning")
    assert "'one' and 'two'" in warning.message and "line by line" in warning.message
    assert "order: shuffled" in warning.hint and "held_apart" in warning.hint


@pytest.mark.parametrize("parts", [
    {"one": "order: shuffled, " + ONE}, {"two": "order: shuffled, " + TWO}, {"top": "held_apart: [one]\n"}, {"two": ONE},
    {"two": "rules: {customer: drop}"}, {"two": "rules: {customer: redact}"},
])  # fmt: skip
def test_nothing_is_joined(parts):
    """One of two orders of its own is enough; a reader of one view has nothing to join, nor one who learns nothing from the second."""
    assert joined(**parts) == []


def test_a_time_that_is_kept_sorts_a_shuffled_view():
    """The event time as it is gives a shuffled view its order back, which is a warning there."""
    shown = "order: shuffled, rules: {customer: {technique: pseudonym, domain: c}, at: keep}"
    (warning,) = [fault for fault in loaded(one=shown).warnings if "shuffled" in fault.message]
    assert (warning.line, "'at'" in warning.message) == (11, True)
    assert loaded(one=shown.replace("at: keep", "at: {technique: generalize, date: hour}")).warnings == []


def test_an_anonymized_view_without_delay_is_in_the_order_read():
    """A view of zero_delay passes records on as they come, and a masked view in the same order leads to its rows."""
    (warning,) = joined(top="held_apart: [one]\n", more=ZERO)
    assert "'two' and 'live'" in warning.message
    assert joined(top="held_apart: [one]\n", two="order: shuffled, " + TWO, more=ZERO) == []


@pytest.mark.parametrize(("one", "words"), [
    ("order: shuffled, " + ONE + ", record: {timestamp: keep}", "timestamp"),
    ("order: sorted, " + ONE, "no such choice"),
])  # fmt: skip
def test_orders_that_are_refused(one, words):
    """Kafka's timestamp would tell the order, and would stand beside another record; an unknown order has no meaning."""
    with pytest.raises(PolicyFaults) as caught:
        loaded(one=one)
    (fault,) = caught.value.faults
    assert fault.line == 11 and words in fault.message + fault.hint
