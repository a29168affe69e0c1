"""Event times as numbers since 1970, in the unit that the policy says."""

import orjson
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """
version: 1
stream: s
subject: id
event_time: {field: at, max_ahead: 36500d, UNIT}
fields:
  id: {class: identifier}
  at: {class: plain, FIELD}
segments:
  sums:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {n: count}
    privacy: {epsilon: 1000, delta: 0.001}
"""


def policy(unit="", field=""):
    """The policy with a unit in either place."""
    return POLICY.replace(", UNIT", f", unit: {unit}" if unit else "").replace(", FIELD", f", {field}" if field else "")


@pytest.mark.parametrize(
    ("unit", "field", "value"),
    [
        ("s", "type: number", 1_710_498_659.5),
        ("s", "", 1_710_498_659),
        ("ms", "type: integer", 1_710_498_659_500),
        ("us", "", "1710498659500000"),
        ("ns", "type: text", "1710498659500000000"),
        ("", "unit: ns", 1_710_498_659_500_000_000),
        ("", "type: number", 1_710_498_659_500),
        ("", "type: number, unit: s", 1_710_498_659.25),
    ],
)
def test_a_unit_says_what_numbers_are(run, unit, field, value):
    """The window is that of the time, whatever the unit, for numbers and texts of digits."""
    done = run(policy(unit, field), [orjson.dumps({"id": f"p{number}", "at": value}) for number in range(50)])
    assert done.reasons == {}
    assert {orjson.loads(row)["window_start"] for row in done.released["sums"]} == {"2024-03-15T10:30:00Z"}


@pytest.mark.parametrize("value", ["2024-03-15T10:30:00Z", "x", True, 10**30, -(10**17)])
def test_what_is_no_time_goes_to_quarantine(run, value):
    """Another text, a boolean, or a number beyond the years 1 to 9999 is no event time."""
    done = run(
        policy("ms"),
        [b'{"id":"p","at":%b}' % (orjson.dumps(value) if not isinstance(value, int) or value is True else str(value).encode())],
    )
    assert done.reasons == {0: ("out_of_domain", "at")}


@pytest.mark.parametrize(
    ("unit", "field", "message"),
    [
        ("ms", "type: datetime", "of type datetime, not a time"),
        ("s", "unit: ms", "is declared in ms"),
        ("", "type: email, unit: ms", "a unit is for numbers"),
        ("minutes", "", "no such choice"),
    ],
)
def test_units_that_contradict(unit, field, message):
    """A unit is for numbers, and one unit is enough."""
    with pytest.raises(PolicyFaults, match=message):
        load(PolicySource("p.yaml", policy(unit, field)))
