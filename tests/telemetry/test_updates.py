"""Readings of metrics, held against the accounts of the same records."""

from collections import Counter

import orjson
import pyarrow as pa

from flink_masking.engine.inprocess import InProcess
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.keys.ring import KeyRing
from flink_masking.logic import Effects
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.telemetry.metrics import METRICS, MetricUpdate
from flink_masking.telemetry.updates import StageUpdates, of_access, of_batch

POLICY = """\
version: 7
stream: events
subject: id
fields:
  id: {class: identifier, optional: false}
  mail: {class: direct, type: email}
  age: {class: quasi, domain: [0, 100]}
segments:
  support:
    view: masked
    rules: {id: {technique: pseudonym, domain: customer}, mail: {technique: partial, keep_first: 1}, "*": drop}
  partners: {view: anonymized, k: 3, quasi_identifiers: [age], max_buffer: 20}
"""
RECORDS = [orjson.dumps({"id": f"person-{i % 30}", "mail": f"p{i}@secret.example", "age": i % 90}) for i in range(100)]


def _totals(updates: list[MetricUpdate]) -> Counter:
    return Counter({(r.name, r.labels): 0 for r in updates}) + Counter(
        {key: sum(r.value for r in updates if (r.name, r.labels) == key) for key in {(r.name, r.labels) for r in updates}})


def test_a_batch_is_counted_as_in_the_audit():
    """Records, reasons and values of fields are those of the batch; labels hold names of the policy, no value of a record."""
    plan = compile_plan(load(PolicySource("policy", POLICY)), KeyRing.ephemeral())
    pieces = Protect(plan, lambda n: bytes(n), lambda: 0)(pa.array([*RECORDS, b"broken", b'{"mail":"x"}'], pa.binary()))
    updates = list(of_batch(pieces, 1_500, 3, 7))
    totals = _totals(updates)
    assert totals["records_in", ()] == 102
    assert totals["records_quarantined", ("malformed",)] == totals["records_quarantined", ("missing_field",)] == 1
    assert totals["records_released", ("support",)] == 100
    assert totals["field_values", ("support", "mail", "partial")] == 100
    assert totals["field_values_refused", ("support", "mail", "partial")] == 0
    assert totals["batch_duration_microseconds", ()] == 1_500
    assert (totals["key_version", ()], totals["policy_version", ()]) == (3, 7)
    assert all(len(r.labels) == len(METRICS[r.name].labels) and isinstance(r.value, int) for r in updates)
    assert not any("secret" in label or "person" in label for r in updates for label in r.labels)


def test_groups_are_told_as_they_left():
    """Sizes are at least k, loss is that of the labels in the lines, and what came in has left or is held."""
    plan = compile_plan(load(PolicySource("policy", POLICY)), KeyRing.ephemeral())
    driver, stage, updates = InProcess(plan, lambda: 1_000), StageUpdates("partners", 7), []
    settle = driver._settle

    def watched(name: str, number: int, effects: Effects) -> None:
        updates.extend(stage.of(0, effects, 5_000, 1))
        settle(name, number, effects)

    driver._settle = watched  # type: ignore[method-assign]
    for piece in Protect(plan, lambda n: bytes(n), lambda: 0)(pa.array(RECORDS, pa.binary())):
        driver.feed(piece)
    last, totals = {r.name: r.value for r in updates}, _totals(updates)
    left = totals["records_released", ("partners",)] + totals["records_suppressed", ("partners",)]
    assert (left + last["records_open"], last["oldest_age_milliseconds"]) == (100, 4_000)
    assert 0 < last["records_open"] <= 20
    driver.finish()
    last, totals = {r.name: r.value for r in updates}, _totals(updates)
    lines = [orjson.loads(line) for line in driver.released()["partners"]]
    assert totals["records_released", ("partners",)] == len(lines) > 0
    assert totals["records_released", ("partners",)] + totals["records_suppressed", ("partners",)] == 100
    assert (last["records_open"], last["oldest_arrival_milliseconds"]) == (0, 0)
    assert 3 <= last["group_size_min"] <= last["group_size_max"]
    loss = 0.0
    for line in lines:
        low, _, high = line["age"].partition("-")
        loss += 1 if low == "*" else (int(high or low) - int(low)) / 100
    assert abs(totals["information_loss_millionths_sum", ("partners",)] - 1e6 * loss) < len(lines)
    assert abs(last["information_loss_millionths"] - 1e6 * loss / len(lines)) < 2


def test_several_shards_are_added_up():
    """An instance that holds several shards tells what they hold together, and the oldest of all."""
    stage = StageUpdates("partners", 1)
    list(stage.of(0, Effects(figures={"records_open": 5, "oldest_arrival_milliseconds": 900}), 1_000, 1))
    last = {r.name: r.value for r in stage.of(1, Effects(figures={"records_open": 7, "oldest_arrival_milliseconds": 400}), 1_000, 1)}
    assert (last["records_open"], last["oldest_arrival_milliseconds"], last["oldest_age_milliseconds"]) == (12, 400, 600)
    last = {r.name: r.value for r in stage.of(1, Effects(figures={"records_open": 0, "oldest_arrival_milliseconds": 0}), 2_000, 1)}
    assert (last["records_open"], last["oldest_arrival_milliseconds"], last["oldest_age_milliseconds"]) == (5, 900, 1_100)


def test_waiting_for_keys_and_vault_is_told_in_whole_seconds():
    """Seconds are rounded up, so that a short absence is not 0; without a vault nothing is told of one."""
    assert list(of_access(0.0)) == [MetricUpdate("keys_unreadable_seconds", (), 0)]
    assert list(of_access(30.2, 0.1)) == [MetricUpdate("keys_unreadable_seconds", (), 31), MetricUpdate("vault_unreadable_seconds", (), 1)]
