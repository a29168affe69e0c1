"""What can be verified of noisy rows: stated epsilon, windows, groups."""

import pytest
from release_material import verdicts

from flink_masking.policy.source import PolicySource
from flink_masking.verify.files import verify

POLICY = """\
version: 1
stream: orders
subject: person
event_time: {field: at}
fields: {person: {class: identifier}, zip: {class: quasi, prefix: 5}, at: {class: plain, type: datetime}}
segments:
  board:
    view: aggregated
    window: {WINDOW}
    group_by: [{zip: {generalize: 2{GROUPS}}}]
    metrics: {orders: count}
    privacy: {epsilon: 1.0, delta: 1e-9}
"""
RAW = [{"person": f"P{zip_}-{n}", "zip": zip_, "at": f"2024-03-15T10:{minute:02}:{n:02}Z"}
       for minute in (0, 1) for zip_, people in (("94110", 59), ("10001", 58), ("60601", 1)) for n in range(people)]


def row(minute=0, zip_="94***", **changes):
    """A row of a window of one minute."""
    ends = [f"2024-03-15T10:{at:02}:00Z" for at in (minute, minute + 1)]
    return {"window_start": ends[0], "window_end": ends[1], "zip": zip_, "orders": 58, "epsilon": 1.0, **changes}


SOUND = [row(0), row(0, "10***", orders=54), row(1, orders=62), row(1, "10***", orders=61)]


@pytest.fixture
def judge(write):
    """The verdicts about rows."""

    def run(rows, groups="", window="{tumbling: 1min}"):
        policy = PolicySource("p.yaml", POLICY.replace("{GROUPS}", groups).replace("{WINDOW}", window))
        return verdicts(verify(policy, write("raw.jsonl", RAW), write("board/part-0", rows)))

    return run


def test_sound_rows_hold(judge):
    """Rows that state epsilon, lie in their windows and are about several people hold every promise."""
    assert judge(SOUND) == dict.fromkeys(("members", "epsilon", "windows", "once", "noise", "groups"), "held")


@pytest.mark.parametrize(("promise", "rows"), [
    ("epsilon", [row(epsilon=0.5)]),
    ("epsilon", [{k: v for k, v in row().items() if k != "epsilon"}]),
    ("windows", [row(window_end="2024-03-15T10:02:00Z")]),
    ("windows", [row(window_start="2024-03-15T10:00:30Z", window_end="2024-03-15T10:01:30Z")]),
    ("windows", [row(window_start="soon")]),
    ("once", [row(), row(orders=59)]),
    ("groups", [row(zip_="60***")]),
    ("groups", [row(zip_="77***")]),
    ("groups", [row(5)]),
    ("members", [row(people=["P1"])]),
])
def test_a_broken_promise_is_found(judge, promise, rows):
    """What a row must not be is found, and only that."""
    found = judge(SOUND[1:] + rows)
    assert {name for name, verdict in found.items() if verdict == "broken"} >= {promise}


def test_public_groups_are_all_there(judge):
    """With a public list every window shows every group, however few people are in it, and no other."""
    groups = ", groups: ['94***', '60***']"
    assert judge([row(0), row(0, "60***")], groups)["groups"] == "held"
    assert judge([row(0)], groups)["groups"] == "broken"
    assert judge([row(0), row(0, "60***"), row(0, "10***")], groups)["groups"] == "broken"


def test_hopping_windows_overlap(judge):
    """Windows of two minutes may begin each minute."""
    rows = [row(minute, window_end=f"2024-03-15T10:{minute + 2:02}:00Z") for minute in (0, 1)]
    assert set(judge(rows, window="{hopping: {size: 2min, every: 1min}}").values()) == {"held"}
