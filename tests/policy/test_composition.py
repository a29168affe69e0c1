"""What segments give away together: warnings at their places, with the fields and what would mend them."""

import pytest

from flink_masking.policy.faults import PolicyFaults
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
  amount: {class: measure, bounds: [0, 100]}
  at: {class: plain, type: datetime}
  paid: {class: plain, type: datetime}
{TOP}segments:
  analytics: {view: masked, rules: {
    {RULES}, "*": drop}}
  partners: {view: anonymized, k: 5, quasi_identifiers: [age, zip],
    release: [{RELEASE}]}
  {MORE}
"""
PSEUDONYM = "customer: {technique: pseudonym, domain: customer}"


def found(rules=PSEUDONYM, release="amount", top="", more=""):
    """The warnings of the policy."""
    text = POLICY.replace("{RULES}", rules).replace("{RELEASE}", release).replace("{TOP}", top).replace("{MORE}", more)
    return load(PolicySource("policy.yaml", text)).warnings


@pytest.mark.parametrize(("rule", "fields", "column"), [
    ("zip: keep", "'zip'", 58), ("age: {technique: generalize, width: 10}", "'age'", 58), ("amount: keep", "'amount'", 61),
])
def test_a_pseudonym_that_shared_fields_lead_to(rule, fields, column):
    """A pseudonym beside a field that the anonymized view shows, too, is a warning at that field's rule, with the mend."""
    (warning,) = found(f"{PSEUDONYM}, {rule}")
    assert (warning.line, warning.severity) == (14, "warning")
    assert warning.column > column
    assert warning.message == f"'analytics' and 'partners' can be joined by {fields}, and lead to 'customer'"
    assert "held_apart: [analytics]" in warning.hint


@pytest.mark.parametrize("rules", [
    PSEUDONYM, "zip: keep", f"{PSEUDONYM}, zip: redact", f"{PSEUDONYM}, amount: {{technique: perturb, relative: 0.1}}",
    "customer: {technique: substitute, as: full_name, mode: random}, zip: keep",
])
def test_nothing_to_join_or_nobody_to_find(rules):
    """Without a shared field, or without anything that stays the same for a person, there is no warning."""
    assert found(rules) == []


def test_the_event_time_beside_a_pseudonym():
    """An event time that is kept beside a pseudonym is a warning, and generalised it is none."""
    (warning,) = found(f"{PSEUDONYM}, at: keep")
    assert warning.message.startswith("'analytics' keeps the event time 'at' beside 'customer'")
    assert "date: hour" in warning.hint
    assert found(f"{PSEUDONYM}, at: {{technique: generalize, date: hour}}") == []


def test_a_time_that_is_released_as_it_is():
    """Another time among the released fields of an anonymized view is a warning, whoever reads what."""
    (warning,) = found(release="paid", top="held_apart: [partners]\n")
    assert (warning.line, warning.column) == (17, 15)
    assert warning.message.startswith("'paid' is a time")


def test_two_anonymized_views_of_the_same_people():
    """Common quasi-identifiers of two anonymized views are named, unless one of them is held apart."""
    more = "others: {view: anonymized, k: 9, quasi_identifiers: [zip], release: []}"
    (warning,) = found(more=more)
    assert (warning.line, warning.message.rpartition(", by ")[2]) == (17, "'zip': fewer than k may fit both")
    assert found(more=more, top="held_apart: [others]\n") == []


@pytest.mark.parametrize(("window", "limit", "warned"), [
    ("tumbling: 1min", "", True), ("tumbling: 1min", ", lifetime_epsilon: 100.0", False), ("tumbling: 1h", "", False),
    ("hopping: {size: 1h, every: 5min}", "", True),
])
def test_the_same_person_in_many_windows(window, limit, warned):
    """Many windows a day without a limit for a person are a warning that tells what a day may cost."""
    more = (f"board: {{view: aggregated, window: {{{window}}}, metrics: {{spend: {{sum: amount}}}}, "
            f"privacy: {{epsilon: 1.0, delta: 1e-9{limit}}}}}")
    warnings = found(more=more)
    assert bool(warnings) is warned
    for warning in warnings:
        assert "'spend'" in warning.message and " a day" in warning.message and "lifetime_epsilon" in warning.hint


def test_views_that_are_held_apart_are_named_right():
    """A name under held_apart that is no segment is an error with the name that was meant; a right one silences the comparison."""
    assert found(f"{PSEUDONYM}, zip: keep, at: keep", top="held_apart: [analytics]\n") == []
    with pytest.raises(PolicyFaults) as caught:
        found(top="held_apart: [analytic]\n")
    assert "did you mean 'analytics'" in caught.value.faults[0].hint
