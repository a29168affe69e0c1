"""Policies that change while a job runs, in process."""

import os
import time

import orjson
import pytest
from control_documents import NOW, policy_text

from flink_masking.audit.events import broken_links
from flink_masking.control.options import ControlOptions
from flink_masking.control.watcher import ControlWatcher
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.record import Transport
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

RECORDS = binary_column([b'{"id":"alice","ssn":"078051120"}', b'{"id":"bob","ssn":"219099999"}'])


class Feed:
    """A source whose documents the test sets, and clocks that it moves."""

    def __init__(self):
        """Nothing yet."""
        self.documents, self.now = [], NOW

    def read(self):
        """All documents."""
        return list(self.documents)

    def close(self):
        """Nothing to release."""


def policy(version, rule="keep", **changes):
    """A loaded policy of the stream s."""
    text = policy_text(version, rule)
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return load(PolicySource("policy.yaml", text))


@pytest.fixture
def job(signers):
    """Makes a Protect with control documents, and its feed."""
    def make(loaded=None, ring=None, feed=None, skew=0, transport=None):
        feed = feed or Feed()
        loaded, ring = loaded or policy(1), ring or KeyRing.new()
        clock = lambda: feed.now + skew  # noqa: E731
        watcher = ControlWatcher(ControlOptions("file:///x", signers.trust().decode()), "s", loaded.policy.version, loaded.source.digest,
                                 clock=clock, source=feed)
        watcher.look()
        held = [ring]
        made = ReloadingProtect(loaded, lambda: held[0], None, os.urandom, clock, transport or Transport(), control=watcher)
        return feed, watcher, made, held
    return make


def lines(piece):
    """The records of the masked view."""
    return piece.views["masked"].to_pylist()


def event(piece):
    """The audit event."""
    return orjson.loads(piece.audit)


def test_a_policy_takes_effect_between_two_batches_at_its_instant(job, signers):
    """Until effective_at batches are made by the old policy, from then on by the new one; audit and digest say which."""
    feed, watcher, protect, _ = job()
    feed.documents = [signers.policy(2, policy_text(2, "drop"), effective_at=NOW + 10)]
    watcher.look()
    seen = []
    for feed.now in (NOW, NOW + 9, NOW + 10, NOW + 11):
        (piece,) = protect(RECORDS)
        seen.append((lines(piece)[0], event(piece)["policy_version"], event(piece)["policy_digest"]))
    old, new = policy(1).source.digest, policy(2, "drop").source.digest
    assert seen == [(b'{"id":"alice"}', 1, old)] * 2 + [(b"{}", 2, new)] * 2


def test_the_audit_tells_what_happened(job, signers):
    """Taken, in force and refused documents stand in the event of the next batch, and the chains are whole."""
    feed, watcher, protect, _ = job()
    feed.documents = [signers.policy(2), signers.policy(3, by=())]
    watcher.look()
    events = [protect(RECORDS)[0].audit for _ in range(2)]
    told = [(one["outcome"], one.get("version")) for one in orjson.loads(events[0])["control"]]
    assert sorted(told, key=str) == [("in_force", 2), ("refused", None), ("taken", 2)]
    assert "control" not in orjson.loads(events[1]) and broken_links(events) == []


@pytest.mark.parametrize("switches", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_switches_leave_no_record_half_old(job, signers, switches):
    """Each batch is exactly what the policy that its audit event names makes of it, and every switch happens."""
    ring = KeyRing.new()
    rules = ["keep", "drop", "{technique: pseudonym, domain: d}", "redact"]
    feed, watcher, protect, _ = job(policy(1, rules[1]), ring)
    expected = [lines(Protect(compile_plan(policy(1, rule), ring), os.urandom, lambda: NOW)(RECORDS)[0]) for rule in rules]
    for version in range(2, switches + 2):
        feed.documents = [signers.policy(version, policy_text(version, rules[version % 4]), effective_at=NOW + version)]
        watcher.look()
        for feed.now, wanted in ((NOW + version - 1, version - 1), (NOW + version, version)):
            (piece,) = protect(RECORDS)
            assert event(piece)["policy_version"] == wanted and lines(piece) == expected[wanted % 4]


def test_two_workers_switch_at_the_same_instant(job, signers):
    """Workers that saw the document at different times switch by their clocks at its own; one a minute behind does so a minute later."""
    feed = Feed()
    workers = [job(feed=feed, ring=KeyRing.new()), job(feed=feed), job(feed=feed, skew=-60_000)]
    feed.documents = [signers.policy(2, effective_at=NOW + 100_000, issued_at=NOW + 60_000)]
    for at, (_, watcher, *_) in zip((NOW + 60_000, NOW + 99_999, NOW + 61_000), workers, strict=True):
        feed.now = at
        watcher.look()

    def versions(at):
        feed.now = at
        return [event(protect(RECORDS)[0])["policy_version"] for _, _, protect, _ in workers]

    assert versions(NOW + 99_999) == [1, 1, 1] and versions(NOW + 100_000) == [2, 2, 1] and versions(NOW + 160_000) == [2, 2, 2]


@pytest.mark.parametrize(("text", "reason"), [
    ("not: [a policy", "policy.yaml"),
    (policy_text(2).replace("keep", "no_such_technique"), "no_such_technique"),
    (policy_text(2).replace("  masked:\n", "  other:\n"), "segments"),
    (policy_text(2) + "  more: {view: masked, rules: {id: drop, ssn: drop}}\n", "segments.more"),
    (policy_text(3), "version and stream"),
    (policy_text(2).replace("stream: s", "stream: t"), "version and stream"),
    (policy_text(2, "{technique: tokenize, domain: t}"), "vault"),
    (policy_text(2).replace("version: 2", "version: 2\nformat: csv\ncolumns: [id, ssn]"), "format"),
])
def test_a_policy_that_cannot_be_taken_leaves_the_old_one(job, signers, text, reason):
    """Faults, another set of segments, what needs a restart: each is refused with its reason, once, and the old policy goes on."""
    feed, watcher, protect, _ = job()
    feed.documents = [signers.policy(2, text)]
    watcher.look()
    (piece,) = protect(RECORDS)
    (refused,) = [one for one in event(piece)["control"] if one["outcome"] == "refused"]
    assert reason in refused["reason"]
    assert event(piece)["policy_version"] == 1 and watcher.view.refused == 1
    watcher.look()
    assert "control" not in event(protect(RECORDS)[0]) and watcher.view.refused == 1
    feed.documents.append(signers.policy(4, policy_text(4, "drop")))
    watcher.look()
    assert event(protect(RECORDS)[0])["policy_version"] == 4 and (watcher.look(), watcher.view.refused)[1] == 0


def test_segments_keep_their_columns(job, signers):
    """A policy that names its masked segments in another order fills the columns that the job has."""
    two = policy_text(1) + "  second: {view: masked, rules: {id: drop, ssn: drop}}\n"
    first = load(PolicySource("policy.yaml", two))
    feed, watcher, protect, _ = job(first)
    head, segments = two.replace("version: 1", "version: 2").split("segments:\n")
    masked, second = segments.split("  second:")
    feed.documents = [signers.policy(2, f"{head}segments:\n  second:{second}{masked}")]
    watcher.look()
    (piece,) = protect(RECORDS)
    assert event(piece)["policy_version"] == 2 and list(piece.views) == ["masked", "second"]
    assert [view[0].as_py() for view in piece.views.values()] == [b'{"id":"alice"}', b"{}"]


def test_keys_and_policies_change_independently(job, signers):
    """A ring that changes before, after and at a switch is the one that the batch is made with."""
    ring = KeyRing.new()
    rule = "{technique: pseudonym, domain: d}"
    feed, watcher, protect, held = job(policy(1, rule), ring)
    feed.documents = [signers.policy(number, policy_text(number, rule), effective_at=NOW + 10 * number - 10) for number in (2, 3)]
    watcher.look()
    for feed.now in (NOW, NOW + 10, NOW + 20, NOW + 30):
        held[0] = held[0].rotated()
        (piece,) = protect(RECORDS)
        (wanted,) = Protect(compile_plan(policy(1, rule), held[0]), os.urandom, lambda: NOW)(RECORDS)
        assert lines(piece) == lines(wanted) and event(piece)["key_version"] == held[0].primary
    assert event(piece)["policy_version"] == 3


def test_people_are_the_same_after_a_switch(job, signers):
    """The hash of people is that of the start, whatever policies and keys follow."""
    stateful = policy_text(1).replace("fields:\n", "subject: id\nfields:\n  age: {class: quasi, domain: [0, 120]}\n") + (
        "  groups: {view: anonymized, k: 2, quasi_identifiers: [age], max_delay: 1h, max_buffer: 100}\n")
    feed, watcher, protect, held = job(load(PolicySource("policy.yaml", stateful)))
    people, logic = protect._protect.people, protect.plan.stateful
    held[0] = held[0].rotated()
    feed.documents = [signers.policy(2, stateful.replace("version: 1", "version: 2").replace("id: keep", "id: drop"))]
    watcher.look()
    batch = binary_column([b'{"id":"a","age":30}'])
    (piece,) = protect(batch)
    assert event(piece)["policy_version"] == 2 and protect._protect.people is people and protect.plan.stateful is logic
    feed.documents.append(signers.policy(3, stateful.replace("version: 1", "version: 3").replace("k: 2", "k: 3")))
    watcher.look()
    (piece,) = protect(batch)
    assert event(piece)["policy_version"] == 2 and "segments.groups" in event(piece)["control"][-1]["reason"]


def test_a_restart_between_document_and_effect(job, signers):
    """A worker that starts after the document was issued, before or after its time, does what the others do."""
    feed = Feed()
    feed.documents = [signers.policy(2, effective_at=NOW + 10)]
    for at, version in ((NOW, 1), (NOW + 9, 1), (NOW + 10, 2), (NOW + 1000, 2)):
        feed.now = at
        assert event(job(feed=feed)[2](RECORDS)[0])["policy_version"] == version


def test_a_clock_that_is_set_back_brings_no_policy_back(job, signers):
    """A policy that was in force goes on when the worker's clock is set back before its instant; one that waits waits for its own."""
    feed, watcher, protect, _ = job()
    feed.documents = [signers.policy(2, effective_at=NOW + 10), signers.policy(3, effective_at=NOW + 100)]
    watcher.look()
    for at, version in ((9, 1), (10, 2), (-60_000, 2), (99, 2), (100, 3), (9, 3)):
        feed.now = NOW + at
        watcher.look()
        assert event(protect(RECORDS)[0])["policy_version"] == version


def test_what_control_costs_a_batch(job):
    """Without any document a batch spends less than 20 µs on control documents."""
    _, watcher, protect, held = job()
    protect(RECORDS)
    rounds, begun = 2_000, time.process_time_ns()
    for _ in range(rounds):
        protect._follow(watcher, held[0], NOW)
    assert (time.process_time_ns() - begun) / rounds < 20_000


def test_a_policy_that_needs_what_is_away_is_tried_again(job, signers, monkeypatch):
    """A vault that is away while a policy is compiled is no reason to refuse it: the policy before goes on, and the new one follows."""
    from flink_masking.engine import live
    from flink_masking.engine.reload import AGAIN
    from flink_masking.errors import VaultUnavailableError

    feed, watcher, protect, _ = job()
    feed.documents = [signers.policy(2)]
    watcher.look()
    compiled = live.compile_plan
    calls = []

    def away(*arguments, **options):
        calls.append(1)
        raise VaultUnavailableError("away. Hint: wait")

    monkeypatch.setattr(live, "compile_plan", away)
    for feed.now in (NOW, NOW + AGAIN - 1, NOW + AGAIN, NOW + AGAIN + 1):
        assert event(protect(RECORDS)[0])["policy_version"] == 1 and watcher.view.refused == 0
    assert len(calls) <= 3
    monkeypatch.setattr(live, "compile_plan", compiled)
    feed.now = NOW + 2 * AGAIN
    assert event(protect(RECORDS)[0])["policy_version"] == 2
