"""What the aggregated segments of a stream cost one person together: warned of, told, and limited on request."""

import pytest

from flink_masking.engine.plan import compile_plan
from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: sums
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  zip: {class: quasi, prefix: 5}
  at: {class: plain, type: datetime}
segments:
  hourly:
    view: aggregated
    window: {tumbling: 1h}
    metrics: {n: count}
    privacy: {epsilon: 0.5, delta: 1.0e-9HOURLY}
  sliding:
    view: aggregated
    window: {hopping: {size: 1h, every: 30min}}
    group_by: [{zip: {generalize: 3}}]
    metrics: {n: count}
    privacy: {epsilon: 0.25, delta: 1.0e-9SLIDING}
"""


def loaded(hourly="", sliding="", more=""):
    """The policy with more keys."""
    return load(PolicySource("policy.yaml", POLICY.replace("HOURLY", hourly).replace("SLIDING", sliding) + more))


def warned(policy, word):
    """The messages of the warnings with a word in them."""
    return [fault.message for fault in policy.warnings if word in fault.message]


def test_the_sum_over_segments_is_warned_of():
    """Two segments tell check what they cost together: for a window of each, a day and a lifetime."""
    message, = warned(loaded(), "together")
    assert message == ("'hourly', 'sliding' promise each for itself; together they cost a person an epsilon of 0.75 for a window of each, "
                       "24 a day, without limit in a lifetime")
    message, = warned(loaded(", lifetime_epsilon: 20", ", lifetime_epsilon: 10"), "together")
    assert message.endswith("22 a day, 30 in a lifetime")


@pytest.mark.parametrize("more", ["held_apart: [hourly]\n", "privacy: {lifetime_epsilon: 100}\n"])
def test_segments_that_nobody_reads_together_or_that_share_a_budget_are_not_warned_of(more):
    """held_apart leaves a segment out of the sum, and a budget of the stream answers it."""
    assert not warned(loaded(more=more), "together")


def test_a_budget_of_the_stream_is_divided_over_its_segments():
    """Each segment has a part in proportion to what it costs a day, and a ledger with it: no person spends more in all of them."""
    policy = loaded(more="privacy: {lifetime_epsilon: 30}\n")
    specs = [policy.aggregate(name) for name in ("hourly", "sliding")]
    assert [spec.lifetime_epsilon for spec in specs] == [15.0, 15.0]
    assert [spec.lifetime_windows for spec in specs] == [30, 60]
    assert sum(spec.lifetime_windows * spec.epsilon for spec in specs) <= 30
    assert [segment.spec.lifetime for segment in compile_plan(policy, KeyRing.ephemeral()).stateful] == [15 * 10**9] * 2


def test_what_a_segment_asks_for_itself_comes_off_the_rest():
    """A segment's own lifetime_epsilon stays as it is."""
    policy = loaded(hourly=", lifetime_epsilon: 20", more="privacy: {lifetime_epsilon: 21}\n")
    assert [policy.aggregate(name).lifetime_epsilon for name in ("hourly", "sliding")] == [20.0, 1.0]


@pytest.mark.parametrize(("hourly", "budget", "said"), [
    (", lifetime_epsilon: 20", 20, "less than its segments ask for"), (", lifetime_epsilon: 20", 3, "less than its segments ask for"),
    ("", 0.6, "does not reach for"), ("", 0, "greater than 0"),
])
def test_a_budget_that_does_not_reach_is_refused(hourly, budget, said):
    """A stream's budget that leaves a segment nothing, or less than one window, is an error with its place."""
    with pytest.raises(PolicyError, match=rf"policy.yaml:\d+:\d+: (error: )?.*{said}"):
        loaded(hourly=hourly, more=f"privacy: {{lifetime_epsilon: {budget}}}\n")


def test_a_budget_without_aggregated_segments_limits_nothing():
    """It is warned of."""
    text = """\
version: 1
stream: s
fields: {a: {class: plain}}
segments: {all: {view: masked, rules: {a: keep}}}
privacy: {lifetime_epsilon: 1}
"""
    assert warned(load(PolicySource("policy.yaml", text)), "limits nothing")
