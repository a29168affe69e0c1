"""What the state of a segment depends on, and how a difference is told."""

import pytest

from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.policy.state_shape import decode, differences, encode, state_shapes

POLICY = """\
version: 1
stream: events
subject: person
event_time: {field: at, max_out_of_orderness: 1s}
fields:
  person:  {class: identifier, optional: false}
  account: {class: identifier, optional: false}
  age:     {class: quasi, domain: [0, 120]}
  zip:     {class: quasi, prefix: 5}
  sick:    {class: sensitive}
  amount:  {class: measure, bounds: [0, 1000], scale: 2}
  at:      {class: plain, type: datetime}
segments:
  masked: {view: masked, rules: {amount: keep, "*": drop}}
  partners:
    view: anonymized
    k: 5
    quasi_identifiers: [age, zip]
    release: [sick]
    l_diversity: {field: sick, l: 2}
    max_delay: 10s
  dashboard:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [{zip: {generalize: 2}}]
    metrics: {orders: count, spend: {sum: amount}}
    privacy: {epsilon: 1.0, delta: 1.0e-9, max_groups_per_subject: 1, max_records_per_group: 3}
"""
CHANGES = {
    "segment 'partners': quasi_identifiers changed from [\"age\",\"zip\"] to [\"age\"]": ("[age, zip]", "[age]"),
    "segment 'partners': the domain, hierarchy or prefix of a quasi-identifier changed": ("[0, 120]", "[0, 110]"),
    "segment 'partners': shards changed from 1 to 2": ("    max_delay: 10s", "    shards: 2"),
    "segment 'partners': l_diversity changed from [{\"field\":\"sick\",\"l\":2,\"kind\":\"distinct\"}] to "
    "[{\"field\":\"sick\",\"l\":3,\"kind\":\"distinct\"}]": ("l: 2", "l: 3"),
    "segment 'partners': algorithm changed from \"slide_grow\" to \"mondrian\"": ("max_delay: 10s", "algorithm: mondrian"),
    "segment 'partners': compared folded changed from null to [\"sick\"]": ("sensitive}", "sensitive, compare: folded}"),
    "segment 'dashboard': window changed from {\"tumbling\":60000} to {\"tumbling\":120000}": ("1min", "2min"),
    "segment 'dashboard': group_by changed from [{\"zip\":{\"generalize\":2}}] to [{\"zip\":{\"generalize\":3}}]": ("ize: 2", "ize: 3"),
    "segment 'dashboard': max_records_per_group changed from 3 to 4": ("max_records_per_group: 3", "max_records_per_group: 4"),
    "segment 'dashboard': measures changed from {\"amount\":[0,100000,2]} to {\"amount\":[0,200000,2]}": ("0, 1000]", "0, 2000]"),
}  # fmt: skip
TAKEN = [("epsilon: 1.0,", "epsilon: 0.5,"), ("k: 5", "k: 7"), ("max_delay: 10s", "max_delay: 1min"), ("amount: keep", "amount: redact"),
         ("version: 1\n", "version: 1\nunknown_fields: drop\n"), ("max_out_of_orderness: 1s", "max_out_of_orderness: 9s")]


def shapes(text):
    """The shapes of a policy text."""
    return state_shapes(load(PolicySource("policy.yaml", text)))


def changed(old, new):
    """The shapes of the policy with a change in it."""
    assert POLICY.count(old) == 1
    return shapes(POLICY.replace(old, new))


@pytest.mark.parametrize(("said", "change"), CHANGES.items(), ids=[new for _, new in CHANGES.values()])
def test_a_change_that_state_cannot_follow_is_named(said, change):
    """One phrase tells the segment, what has changed, from what and to what."""
    assert [said] == differences(shapes(POLICY), changed(*change))


@pytest.mark.parametrize("change", TAKEN)
def test_a_change_that_state_follows_is_none(change):
    """Budgets, delays, k of buffered groups, rules and disorder may change between two jobs."""
    assert [] == differences(shapes(POLICY), changed(*change))


def test_another_subject_changes_every_stateful_segment():
    """Who counts as a person is part of the state of all of them."""
    said = "segment '{}': subject changed from \"person\" to \"account\""
    assert [said.format(name) for name in ("partners", "dashboard")] == differences(shapes(POLICY), changed("subject: person",
                                                                                                          "subject: account"))


def test_another_view_under_the_same_name_is_named():
    """A segment that becomes one of another kind keeps no state."""
    text = POLICY.replace("  dashboard:", "  was:").replace("  partners:", "  dashboard:")
    assert ["segment 'dashboard': view changed from \"aggregated\" to \"anonymized\""] == differences(shapes(POLICY), shapes(text))


def test_segments_that_come_and_go_are_left_to_flink():
    """A new one has no state, and a missing one is refused by its operator's uid."""
    assert set(shapes(POLICY)) == {"partners", "dashboard"}
    fewer = {"dashboard": shapes(POLICY)["dashboard"]}
    assert [] == differences(fewer, shapes(POLICY)) == differences(shapes(POLICY), fewer)


def test_shapes_come_back_from_the_uids_of_a_savepoint():
    """decode(encode) is the same; other uids, and shapes of a form yet to come, are passed over."""
    found = shapes(POLICY)
    texts = [encode(name, shape) for name, shape in found.items()]
    assert found == decode(["partners-anonymize", *texts, "flink-masking-shape:{", "flink-masking-shape:[1]", ""])
    assert texts == [encode(name, shape) for name, shape in shapes(POLICY).items()]


def test_a_long_value_is_cut():
    """The sentence stays one that can be read."""
    many = {"s": {"view": "aggregated", "bins": list(range(10_000))}}
    [said] = differences(many, {"s": {"view": "aggregated", "bins": []}})
    assert len(said) < 300
