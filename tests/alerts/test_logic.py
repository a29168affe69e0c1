"""Rules over lines: windows, limits, grouping, chains, silence, and what alerts hold."""

import json
import time

import pytest

from flink_masking.alerts.load import rules_of
from flink_masking.alerts.logic import AlertLogic
from flink_masking.audit.events import AuditChain, iso
from flink_masking.audit.reports import BatchReport, FieldReport, MaskedReport
from flink_masking.engine.quarantine import Entry
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing

T = 1_774_224_000_000


def logic(*rules, **options):
    """A logic with rules, each written as one line of YAML."""
    text = "\n".join(["version: 1", *(f"{name}: {value}" for name, value in options.items()), "rules:",
                      *(f"  rule{number}: {{{rule}}}" for number, rule in enumerate(rules))])
    return AlertLogic(rules_of("rules.yaml", text))


@pytest.fixture
def chain():
    """A writer's chain of a stream."""
    return AuditChain.signed(KeyRing.new(), "orders", 3, "ab" * 32)


def batch(chain, at, records=1_000, quarantined=None, **more):
    """An audit event of a batch."""
    return chain.event("protect", at, BatchReport(records, quarantined or {}, **more).body())


def masked(released, fields=None, grants=None, suppressed=0):
    """What became of a batch in a masked segment."""
    reports = {path: FieldReport("fpe", values, refused) for path, (values, refused) in (fields or {}).items()}
    return {"shared": MaskedReport(released, reports, grants=grants or {}, suppressed=suppressed)}


def told(alerts):
    """Names and counts of alerts."""
    return [(dict(alert.names), alert.numbers.get("count"), alert.times) for alert in alerts]


def test_a_share_of_quarantined_records_above_the_limit_is_one_alert(chain):
    """A share counts within the window, once there are enough records."""
    watch = logic("when: quarantined, share_above: 0.01, within: 1min, at_least: 2000")
    assert watch.take([batch(chain, T, quarantined={"malformed": 50})], T) == []
    found = watch.take([batch(chain, T + 10_000, quarantined={"malformed": 1})], T + 10_000)
    assert told(found) == [({"stream": "orders"}, 51, 1)]
    assert found[0].numbers == {"count": 51, "of": 2_000, "share": 0.0255}
    fresh = logic("when: quarantined, share_above: 0.01, within: 1min")
    fresh.take([batch(chain, T)], T)
    assert fresh.take([batch(chain, T + 1_000, quarantined={"malformed": 20})], T + 1_000) == []


def test_what_is_older_than_the_window_does_not_count(chain):
    """Numbers leave the window with their time; late ones still count."""
    watch = logic("when: quarantined, above: 10, within: 1min, reasons: [malformed, contract]")
    assert watch.take([batch(chain, T, quarantined={"malformed": 10})], T) == []
    assert watch.take([batch(chain, T + 61_000, quarantined={"malformed": 10, "contract": 9})], T + 61_000) == []
    late = watch.take([batch(chain, T - 3_600_000, quarantined={"malformed": 1})], T + 61_000)
    assert told(late) == [({"stream": "orders", "reason": "malformed"}, 11, 1)]


def test_a_storm_is_told_once_and_then_with_its_number(chain):
    """The same alert comes again only after `every`, with the number of times; another name is another alert."""
    watch = logic("when: reverse", every="10min")
    events = [chain.event("unmask", T + second, {"actor": "mallory", "purpose": "x", "outcome": "begun"}) for second in range(1_000)]
    found = watch.take(events, T + 1_000)
    assert told(found) == [({"stream": "orders", "event": "unmask", "actor": "mallory", "granted": "no"}, 1, 1)]
    other = watch.take([chain.event("rekey", T + 2_000, {"actor": "bob", "purpose": "x", "outcome": "begun"})], T + 2_000)
    assert [alert.names["actor"] for alert in other] == ["bob"]
    assert watch.tick(T + 590_000) == []
    assert [(alert.times, alert.numbers["count"]) for alert in watch.tick(T + 602_000)] == [(999, 1_000)]
    assert watch.tick(T + 603_000) == []


def test_reverse_operations_are_told_by_actor_and_grant(chain):
    """Only what begins counts; expected actors and, where the rule says so, granted operations are no alert."""
    watch = logic("when: reverse, without_grant: true, except_actors: [nightly]")
    facts = {"purpose": "x", "outcome": "begun"}
    lines = [chain.event("reveal", T, {"actor": "alice", **facts, "grant": "0199"}), chain.event("rekey", T, {"actor": "nightly", **facts}),
             chain.event("unmask", T, {"actor": "eve", **facts}), chain.event("unmask", T, {"actor": "eve", **facts, "outcome": "done"})]
    assert told(watch.take(lines, T)) == [({"stream": "orders", "event": "unmask", "actor": "eve", "granted": "no"}, 1, 1)]


def test_masked_views_bring_alerts_by_segment_and_field(chain):
    """Refused values, suppressed records and records of a grant are measured by segment."""
    watch = logic("when: refused, share_above: 0.1", "when: suppressed, above: 5", "when: granted, above: 299")
    line = batch(chain, T, masked=masked(1_000, {"ssn": (900, 91), "email": (900, 90)}, {"0199": 300}, suppressed=6))
    assert [(alert.kind, alert.names, alert.numbers.get("share")) for alert in watch.take([line], T)] == [
        ("refused", {"stream": "orders", "segment": "shared", "field": "ssn"}, 0.101111),
        ("suppressed", {"stream": "orders", "segment": "shared"}, 0.005964),
        ("granted", {"stream": "orders", "segment": "shared", "grant": "0199"}, None)]


def test_the_share_of_a_granted_view_is_one_of_all_records_of_the_stream(chain):
    """Batches in which no grant opened a record count in the whole; records that two grants opened count once."""
    watch = logic("when: granted, share_above: 0.2")
    quiet = [batch(chain, T + number, masked=masked(0)) for number in range(4)]
    opened = batch(chain, T + 10, masked=masked(300, grants={"0199": 300, "019a": 200}))
    assert watch.take([*quiet, opened], T + 10) == []
    (alert,) = watch.take([batch(chain, T + 20, masked=masked(1_000, grants={"0199": 1_000}))], T + 20)
    assert (alert.names, alert.numbers) == ({"stream": "orders", "segment": "shared"}, {"count": 1_300, "of": 6_000, "share": 0.216667})


def test_control_documents_drift_and_erasures_bring_alerts(chain):
    """What a batch tells beside its counts."""
    watch = logic("when: control", "when: drift", "when: erased")
    control = ({"outcome": "refused", "kind": "grant", "id": "0199", "reason": "has no signature"}, {"outcome": "taken", "kind": "policy"})
    found = watch.take([batch(chain, T, quarantined={"unknown_field": 2}, control=control, drift=("id 12",), erased=3)], T)
    assert told(found) == [({"stream": "orders", "outcome": "refused", "kind": "grant", "document": "0199"}, 1, 1),
                           ({"stream": "orders", "unknown": "field"}, 2, 1), ({"stream": "orders", "unknown": "schema"}, 1, 1),
                           ({"stream": "orders", "event": "protect"}, 3, 1)]


def test_leaks_bring_an_alert_for_each_place():
    """Places are told as the monitor tells them."""
    leak = {"source": "shared", "path": "note", "kind": "canary", "what": "orders/customer", "values": 4}
    found = logic("when: leak, severity: critical").take([json.dumps({"time": T, "stream": "orders", "leaks": [leak]}).encode()], T)
    assert told(found) == [({"stream": "orders", "source": "shared", "path": "note", "kind": "canary", "what": "orders/customer"}, 4, 1)]
    assert found[0].severity == "critical"


def test_lines_of_the_quarantine_bring_alerts_without_their_records():
    """Reason and declared field are told; an undeclared field is not, nor is a record."""
    watch = logic("when: rejected_field, above: 1")
    entries = [Entry(iso(T), "orders", reason, path, 3, b"sealed").encode() for reason, path in
               (("contract", "email"), *[("unknown_field", "x4111111111111111")] * 2, ("contract", "email"))]
    found = watch.take(entries, T)
    assert told(found) == [({"stream": "orders", "reason": "contract", "field": "email"}, 2, 1)]
    assert b"4111" not in b"".join(alert.cloud_event("/x") for alert in found)


def test_a_gap_of_a_chain_is_told_unless_it_is_filled_in_time(chain):
    """Events out of order are no gap; a missing one is, after `within`, and a changed one is at once."""
    watch = logic("when: chain, within: 10s")
    one, two, three, four, five = (batch(chain, T) for _ in range(5))
    assert watch.take([one, three, two], T) == [] == watch.tick(T + 60_000)
    assert watch.take([five], T + 60_000) == [] == watch.tick(T + 65_000)
    assert [(alert.names["fault"], alert.numbers["events"]) for alert in watch.tick(T + 71_000)] == [("gap", 1)]
    fresh = logic("when: chain")
    changed = two.replace(b'"records":1000', b'"records":1001')
    assert [alert.names["fault"] for alert in fresh.take([one, changed, three], T)] == ["changed"]
    assert [alert.names["fault"] for alert in fresh.take([two], T)] == ["doubled"]
    assert fresh.take([four, five, five], T) == []


def test_a_silent_stream_is_told_even_if_it_was_never_seen(chain):
    """Silence is told after its time, once for each `every`, and not of a stream with records."""
    watch = logic("when: silence, after: 5min, streams: [orders, never]", every="1h")
    watch.take([batch(chain, T)], T)
    assert watch.tick(T + 299_000) == []
    watch.take([batch(chain, T + 299_000)], T + 299_000)
    assert [alert.names for alert in watch.tick(T + 301_000)] == [{"stream": "never"}]
    assert watch.tick(T + 302_000) == []
    assert [alert.names["stream"] for alert in watch.tick(T + 700_000)] == ["orders"]


def test_an_old_key_version_is_told(chain):
    """A key version has an age from its first event on."""
    watch = logic("when: key_age, older_than: 90d")
    assert watch.take([batch(chain, T)], T) == []
    later = T + 91 * 86_400_000
    assert [alert.numbers for alert in watch.take([batch(chain, later)], later)] == [{"key_version": 1, "age_ms": 91 * 86_400_000}]


def test_lines_that_are_none_of_ours_are_counted():
    """No line ends the watch; a rule can tell of them."""
    watch = logic("when: unreadable, above: 3", "when: leak", "when: chain")
    lines = [b"\xff{", b"[]", b"{}", b'{"event":"protect","time":"2026"}', b'{"time":1,"leaks":[{}]}', b"", b'{"event":"leaves","x":1}']
    assert [alert.numbers for alert in watch.take(lines, T)] == [{"count": 4}]
    assert (watch.lines, watch.unreadable) == (5, 5)


def test_an_event_from_the_future_does_not_move_the_window(chain):
    """An event that tells a time ahead counts as one of now."""
    watch = logic("when: quarantined, above: 10")
    watch.take([batch(chain, T + 86_400_000, quarantined={"malformed": 6})], T)
    assert len(watch.take([batch(chain, T + 1_000, quarantined={"malformed": 6})], T + 1_000)) == 1


def test_a_restored_logic_goes_on(chain):
    """Windows, what was told, chains and ages come from state; rules that have changed begin anew."""
    rules = ("when: quarantined, above: 10", "when: chain, within: 10s", "when: reverse")
    watch, lines = logic(*rules), [batch(chain, T, quarantined={"malformed": 9}) for _ in range(3)]
    unmask = chain.event("unmask", T, {"actor": "eve", "purpose": "x", "outcome": "begun"})
    watch.take([lines[0], lines[2], unmask], T)
    text = "version: 1\nrules:\n" + "\n".join(f"  rule{number}: {{{rule}}}" for number, rule in enumerate(rules))
    again = AlertLogic(rules_of("rules.yaml", text), watch.state())
    assert again.state() == watch.state()
    assert again.take([unmask], T + 1_000) == []  # it was told before
    assert {alert.kind for alert in again.tick(T + 11_000)} == {"chain"}
    other = AlertLogic(rules_of("rules.yaml", text.replace("above: 10", "above: 10, within: 2min")), watch.state())
    assert other.take([batch(chain, T, quarantined={"malformed": 9})], T) == []
    for state in (b"", b"[]", b'{"version":2}'):
        with pytest.raises(InputError, match="Hint"):
            AlertLogic(rules_of("rules.yaml", text), state)


def test_many_names_do_not_fill_the_memory():
    """Beyond a thousand names of a rule the others count together."""
    watch = logic("when: leak, above: 4000")
    leaks = [{"source": f"file{number}", "path": "", "kind": "detected", "what": "EMAIL", "values": 4} for number in range(3_000)]
    found = watch.take([json.dumps({"time": T, "leaks": leaks}).encode()], T)
    assert [alert.names for alert in found] == [{"names": "others than the first 1000"}]
    assert len(watch.state()) < 1_000_000


def test_lines_are_taken_fast_enough(chain):
    """20,000 lines of the quarantine, which a second brings, take less than the five seconds that an alert may take."""
    watch = logic("when: rejected_field, above: 1000000", "when: quarantined, share_above: 0.1", "when: chain", "when: leak")
    line = Entry(iso(T), "orders", "contract", "email", 3, bytes(400)).encode()
    begin = time.process_time()
    watch.take([line] * 20_000, T)
    assert watch.lines == 20_000
    assert time.process_time() - begin < 5
