"""What segments give away together: warnings at their places, with the fields and what would mend them."""

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
  amount: {class: measure, bounds: [0, 100], scale: 0}
  stars: {class: measure, bounds: [1, 5], scale: 0}
  illness: {class: sensitive, values: [flu, cold, asthma]}
  smoker: {class: plain, type: boolean}
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


def found(rules=PSEUDONYM, release="stars", top="", more="", text=POLICY):
    """The warnings of the policy."""
    text = text.replace("{RULES}", rules).replace("{RELEASE}", release).replace("{TOP}", top).replace("{MORE}", more)
    return load(PolicySource("policy.yaml", text)).warnings


def joined(*args, **kwargs):
    """The warnings of joins."""
    return [warning for warning in found(*args, **kwargs) if "can be joined" in warning.message]


@pytest.mark.parametrize(("rule", "fields"), [
    ("zip: keep", "'zip'"), ("age: {technique: generalize, width: 10}", "'age'"), ("zip: {technique: partial, keep_first: 2}", "'zip'"),
    ("age: {technique: perturb, absolute: 2}", "'age'"), ("age: {technique: generalize, width: 20}, stars: keep", "'age', 'stars'"),
])  # fmt: skip
def test_a_pseudonym_that_shared_fields_lead_to(rule, fields):
    """A pseudonym beside fields that the anonymized view shows, too, is a warning at the first one's rule, with the mend."""
    (warning,) = found(f"{PSEUDONYM}, {rule}")
    assert (warning.line, warning.severity) == (17, "warning")
    assert warning.column > 58
    assert warning.message == f"'analytics' and 'partners' can be joined by {fields}, and lead to 'customer'"
    assert "held_apart: [analytics]" in warning.hint


@pytest.mark.parametrize("rule", [
    "amount: keep", "amount: {technique: perturb, relative: 0.01}", "amount: {technique: generalize, width: 5}",
    "amount: {technique: generalize, round_to: 0.5}", "amount: {technique: perturb, relative: 0.05, mode: keyed}",
])  # fmt: skip
def test_a_released_field_of_many_values_that_both_show(rule):
    """Exact, in narrow bands or with little noise, a released field of many values joins; in wide bands it does not."""
    (warning,) = joined(f"{PSEUDONYM}, {rule}", release="amount")
    assert "can be joined by 'amount'" in warning.message
    assert joined(f"{PSEUDONYM}, amount: {{technique: generalize, width: 20}}", release="amount") == []


@pytest.mark.parametrize(("rules", "target"), [
    ("customer: {technique: substitute, as: user_name, domain: c}, zip: keep", "'customer'"),
    ("customer: {technique: partial, keep_last: 4}, zip: keep", "what is shown of 'customer'"),
    ("age: {technique: generalize, width: 30}, zip: keep", "what is shown of 'age', 'zip'"),
    ("zip: keep", "what is shown of 'zip'"),
    ("customer: {technique: pseudonym, domain: customer}, '*': keep", "'customer'"),
    ("customer: {technique: substitute, as: full_name, mode: random}, zip: keep", "what is shown of 'zip'"),
])
def test_whatever_stands_for_the_person(rules, target):
    """No pseudonym is needed: stand-ins, parts and exact quasi-identifiers are what a join leads to."""
    text = rules.replace(", '*': keep", ", zip: keep")
    (warning,) = joined(text)
    assert warning.message.endswith(f"and lead to {target}")


@pytest.mark.parametrize("rules", [
    PSEUDONYM, f"{PSEUDONYM}, zip: redact", f"{PSEUDONYM}, zip: {{technique: shuffle}}", f"{PSEUDONYM}, smoker: keep",
    f"{PSEUDONYM}, age: {{technique: generalize, width: 40}}", f"{PSEUDONYM}, stars: keep",
    f"{PSEUDONYM}, zip: {{technique: pseudonym, domain: place}}", f"{PSEUDONYM}, amount: keep",
])  # fmt: skip
def test_nothing_to_join(rules):
    """Without a shared field, or with shared fields that tell a few kinds of records apart, there is no warning."""
    assert found(rules) == []


def test_the_event_time_beside_a_pseudonym():
    """An event time that is kept beside a pseudonym is a warning, and generalised it is none."""
    (warning,) = found(f"{PSEUDONYM}, at: keep")
    assert warning.message.startswith("'analytics' keeps the event time 'at' beside 'customer'")
    assert "date: hour" in warning.hint
    assert found(f"{PSEUDONYM}, at: {{technique: generalize, date: hour}}") == []


def test_a_released_field_of_many_values():
    """A measure or plain field of many values is a warning wherever it is released, whoever reads what."""
    (warning,) = found(release="amount", top="held_apart: [partners]\n")
    assert (warning.line, warning.column) == (20, 15)
    assert warning.message.startswith("'amount' has up to 101 values and is released as it is")
    assert found(release="stars, smoker") == []
    (warning,) = found(release="amount", text=POLICY.replace("[0, 100], scale: 0", "[0, 9]"))  # with any decimals
    assert "'amount' has any number of values" in warning.message
    for declared in ("[0, 9], scale: 0", "[0, 9], type: integer", "[0, 100], domain: [1, 10], scale: 0"):
        assert found(release="amount", text=POLICY.replace("[0, 100], scale: 0", declared)) == []
    listed = POLICY.replace("smoker: {class: plain, type: boolean}", "smoker: {class: plain, values: [never, once, often]}")
    assert found(release="smoker", text=listed) == []


@pytest.mark.parametrize(("rule", "warned"), [
    ("", True), ("l_diversity: {field: illness, l: 2}", False), ("alpha_k: {field: illness, alpha: 0.5}", False),
    ("t_closeness: {field: illness, t: 0.4, distance: equal}", False),
])
def test_a_sensitive_field_without_diversity(rule, warned):
    """A sensitive field that is released needs a rule of diversity for it, of any kind."""
    text = POLICY.replace("quasi_identifiers: [age, zip],", f"quasi_identifiers: [age, zip], {rule + ',' if rule else ''}")
    warnings = found(release="illness", text=text)
    assert [("without a rule of diversity" in w.message) for w in warnings] == [True] * warned


def test_a_time_that_is_released_as_it_is():
    """Another time among the released fields of an anonymized view is a warning, whoever reads what."""
    (warning,) = found(release="paid", top="held_apart: [partners]\n")
    assert (warning.line, warning.column) == (20, 15)
    assert warning.message.startswith("'paid' is a time")


def test_two_anonymized_views_of_the_same_people():
    """Common quasi-identifiers of two anonymized views are named, unless one of them is held apart."""
    more = "others: {view: anonymized, k: 9, quasi_identifiers: [zip], release: []}"
    (warning,) = found(more=more)
    assert (warning.line, warning.message.rpartition(", by ")[2]) == (20, "'zip': fewer than k may fit both")
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
