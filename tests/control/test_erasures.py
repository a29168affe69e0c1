"""Erasures as control documents: a job without a vault learns of them at their instant, from signed documents only."""

import os

import orjson
import pytest
from control_documents import NOW

from flink_masking.control.envelope import countersigned
from flink_masking.control.options import ControlOptions
from flink_masking.control.watcher import ControlWatcher
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column
from flink_masking.tools.erase import Eraser

POLICY = """\
version: 1
stream: s
subject: id
erasure: {later: LATER}
fields:
  id: {class: identifier}
  note: {class: plain}
segments:
  masked: {view: masked, rules: {id: {technique: pseudonym, domain: d}, note: keep}}
"""
RECORDS = binary_column([b'{"id":"alice","note":"x"}', b'{"id":"bob","note":"y"}'])


class Feed:
    """A source whose documents the test sets, and a clock that it moves."""

    def __init__(self):
        """Nothing yet."""
        self.documents, self.now = [], NOW

    def read(self):
        """All documents."""
        return list(self.documents)

    def close(self):
        """Nothing to release."""


class Job:
    """Protect with control documents and without a vault, and an eraser of its policy."""

    def __init__(self, signers, later="drop"):
        """Nobody is erased."""
        loaded, ring = load(PolicySource("policy.yaml", POLICY.replace("LATER", later))), KeyRing.new()
        self.feed, self.signers, self.eraser = Feed(), signers, Eraser(loaded, ring, None)
        self.watcher = ControlWatcher(ControlOptions("file:///x", signers.trust().decode()), "s", 1, loaded.source.digest,
                                      clock=lambda: self.feed.now, source=self.feed)
        self.watcher.look()
        self.protect = ReloadingProtect(loaded, lambda: ring, None, os.urandom, lambda: self.feed.now, control=self.watcher)

    def publish(self, by, delay=0):
        """An erasure of alice."""
        signed = countersigned(self.eraser.document(["alice"], "request 7", NOW, delay), self.signers[by])
        self.feed.documents = [signed.dump()]
        self.watcher.look()

    def batch(self):
        """Which records are in the view, and the audit event."""
        (piece,) = self.protect(RECORDS)
        return piece.views["masked"].is_valid().to_pylist(), orjson.loads(piece.audit)


def test_an_erasure_takes_effect_at_its_instant(signers):
    """Before it, the subject's records pass; from then on they are dropped; the audit tells the hash once, and no clear subject."""
    job = Job(signers)
    job.publish("eve", delay=10)
    job.feed.now = NOW + 9
    assert job.batch()[0] == [True, True]
    job.feed.now = NOW + 10
    seen, event = job.batch()
    assert seen == [False, True] and event["erased"] == 1
    assert event["erasures"] == job.eraser.written(["alice"]) and "alice" not in str(event)
    assert "erasures" not in job.batch()[1]


def test_a_source_that_is_away_undoes_nothing(signers):
    """A document that the source no longer has keeps its effect."""
    job = Job(signers)
    job.publish("eve")
    assert job.batch()[0] == [False, True]
    job.feed.documents = []
    job.watcher.look()
    assert job.batch()[0] == [False, True]


@pytest.mark.parametrize("by", ["ann", "paula", "root"])
def test_only_the_role_eraser_erases(signers, by):
    """A document that another role has signed has no effect."""
    job = Job(signers)
    job.publish(by)
    assert job.batch()[0] == [True, True]


def test_a_subject_may_come_again(signers):
    """With later: pass, records of the subject still pass, and the audit tells of the erasure."""
    job = Job(signers, "pass")
    job.publish("eve")
    seen, event = job.batch()
    assert seen == [True, True] and event["erasures"] and "erased" not in event
