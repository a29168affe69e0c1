"""The operator of the alert job with states in memory: what is in them at a checkpoint is all that a restart needs. No Java is started."""

import copy
import json
import time

import pytest
from alert_receiver import SECRET, Receiver
from pyflink.common import Row

from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport
from flink_masking.flink.alert_watch import LARGEST, AlertFunction, Gather
from flink_masking.flink.clock import END_OF_INPUT
from flink_masking.keys.ring import KeyRing


class Operator:
    """An operator's states and timers, which outlive it."""

    def __init__(self):
        """Nothing is kept yet."""
        self.lists, self.values, self.timers = {}, {}, set()

    def get_list_state(self, descriptor):
        """A list state."""
        held = self.lists.setdefault(descriptor.name, [])

        class State:
            add, get, clear = held.append, lambda self: list(held), held.clear

        return State()

    def get_state(self, descriptor):
        """A value state."""
        values, name = self.values, descriptor.name

        class State:
            value, update = lambda self: values.get(name), lambda self, value: values.__setitem__(name, value)

        return State()

    def timer_service(self):
        """The timers."""
        return self

    def register_processing_time_timer(self, at):
        """Note a timer."""
        self.timers.add(at)

    register_event_time_timer = register_processing_time_timer

    def step(self, function):
        """Fire the next timer; the alerts that come."""
        due = min(self.timers)
        self.timers.remove(due)
        return [json.loads(row[0]) for row in function.on_timer(due, self)]

    def copy(self):
        """As a checkpoint holds it."""
        kept = Operator()
        kept.lists, kept.values, kept.timers = copy.deepcopy(self.lists), dict(self.values), set(self.timers)
        return kept


@pytest.fixture
def receiver():
    """A receiver of alerts."""
    made = Receiver()
    yield made
    made.close()


def started(operator, receiver, place):
    """An operator at work."""
    (place / "secret").write_text(SECRET)
    hook = f"{{webhook: 'http://127.0.0.1:{receiver.port}/', secret: '${{file:{place}/secret}}'}}"
    function = AlertFunction("alerts.yaml", "version: 1\nrules: {refusals: {when: quarantined, above: 50, within: 1h}, opened: {when: "
                             f"reverse}}}}\ntargets: {{soc: {hook}}}\n")
    function.open(operator)
    return function


def test_a_checkpoint_holds_lines_windows_and_alerts_that_wait(receiver, tmp_path):
    """After a kill the operator counts on where the checkpoint was and sends what no receiver had taken, under the same id."""
    chain, now = AuditChain.signed(KeyRing.new(), "orders"), time.time_ns() // 1_000_000
    lines = [chain.event("protect", now, BatchReport(100, {"contract": 30}).body()),
             chain.event("unmask", now, {"actor": "eve", "purpose": "x", "outcome": "begun"}),
             chain.event("protect", now, BatchReport(100, {"contract": 30}).body())]
    receiver.answers = [503] * 1_000
    operator = Operator()
    first = started(operator, receiver, tmp_path)
    assert list(first.process_element(Row(b"\n".join(lines[:2])), operator)) == []
    (opened,) = operator.step(first)
    assert list(first.process_element(Row(lines[2]), operator)) == []
    checkpoint = operator.copy()
    receiver.wait(1)
    assert [alert["subject"] for alert in operator.step(first)] == ["refusals"]  # after the checkpoint: it comes again
    first._work._outbox._targets["soc"]._ended = True
    receiver.answers.clear()
    second = started(checkpoint, receiver, tmp_path)
    (refusals,) = checkpoint.step(second)
    assert (refusals["data"]["count"], refusals["data"]["of"]) == (60, 200)
    end = time.monotonic() + 30
    while {event["id"] for event in receiver.taken()} != {opened["id"], refusals["id"]}:
        assert time.monotonic() < end
        time.sleep(0.01)
    while json.loads(checkpoint.values["unsent"]):
        assert time.monotonic() < end
        checkpoint.step(second)
    assert checkpoint.lists["lines"] == []
    second.close()


def test_states_of_the_release_before_are_taken(receiver, tmp_path):
    """Lines that waited one by one, and a logic without alerts that wait, are what an operator of 0.2 left."""
    chain, now = AuditChain.signed(KeyRing.new(), "orders"), time.time_ns() // 1_000_000
    operator = Operator()
    operator.lists["lines"] = [chain.event("protect", now, BatchReport(100, {"contract": 30}).body()) for _ in range(2)]
    operator.timers = {now, END_OF_INPUT}
    function = started(operator, receiver, tmp_path)
    assert [alert["data"]["count"] for alert in operator.step(function)] == [60]
    function.close()


def test_lines_travel_together():
    """A batch becomes few cells, none much larger than the limit, with every line whole and in order."""
    import pandas as pd

    lines = [b"x" * 1_000 + str(number).encode() for number in range(3_000)] + [b"two\nlines"]
    (cells,) = Gather()(pd.Series(lines))
    packets = [cell for cell in cells.to_pylist() if cell is not None]
    assert len(cells) == len(lines) and len(packets) == 3 and max(map(len, packets)) < LARGEST + 2_000
    assert b"\n".join(packets).split(b"\n") == [*lines[:-1], b"two lines"]
