"""Policies with a granted view, grants, and a job in process, for tests."""

import json
import os

import orjson
import pyarrow as pa

from flink_masking.control.instants import new_id
from flink_masking.control.options import ControlOptions
from flink_masking.control.watcher import ControlWatcher
from flink_masking.engine.erased import marks_of, write_mark
from flink_masking.engine.record import Transport
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

POLICY = """\
version: {version}
stream: s
subject: id
fields:
  id: {{class: identifier}}
  ssn: {{class: direct, optional: true}}
  email: {{class: direct, type: email, optional: true}}
  region: {{class: plain, values: [eu, us], optional: true}}
  amount: {{class: plain, type: number, optional: true}}
  vip: {{class: plain, type: boolean, optional: true}}
segments:
  support:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: d}}, region: keep, amount: keep, email: {{technique: pseudonym, domain: e}}}}
  debug:
    view: granted
    of: support
    may_show: {{{may_show}}}
    max_duration: 2h
    max_records: {most}
"""
MAY_SHOW = "email: {technique: partial, keep_last: 12}, ssn: keep"


def policy_of(version=1, may_show=MAY_SHOW, most=1000, **changes):
    """A loaded policy; `changes` are pairs of an old and a new text."""
    text = POLICY.format(version=version, may_show=may_show, most=most)
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return load(PolicySource("policy.yaml", text))


def record(number, **more):
    """A record of person ``p<number>``."""
    return json.dumps({"id": f"p{number}", "ssn": f"{number:09d}", "email": f"person{number}@example.com", "region": "eu", **more}).encode()


class Feed:
    """A source whose documents the test sets."""

    def __init__(self):
        """Nothing yet."""
        self.documents, self.away = [], False

    def read(self):
        """All documents."""
        from flink_masking.errors import ControlError

        if self.away:
            raise ControlError("away. Hint: none")
        return list(self.documents)

    def close(self):
        """Nothing to release."""


class Job:
    """A worker with control documents whose clocks the test moves."""

    def __init__(self, signers, loaded=None, ring=None, now=0, workers=1, worker=0, began=None, transport=None, entropy=os.urandom,
                 ledger=None):
        """Start it."""
        self.signers, self.loaded, self.ring, self.feed = signers, loaded or policy_of(), ring or KeyRing.new(), Feed()
        self.now = now if began is None else began
        self.watcher = ControlWatcher(ControlOptions("file:///x", signers.trust().decode(), max_staleness=60_000), "s",
                                      self.loaded.policy.version, self.loaded.source.digest, clock=lambda: self.now,
                                      monotonic=lambda: self.now / 1000, source=self.feed, ledger=ledger)
        self.watcher.look()
        self.protect = ReloadingProtect(self.loaded, lambda: self.ring, None, entropy, lambda: self.now, transport or Transport(),
                                        control=self.watcher, workers=workers, worker=worker)
        self.now = now

    def grant(self, subjects=(), at=None, **options):
        """Publish a grant; returns its id."""
        at = self.now if at is None else at
        marks = [write_mark(mark) for mark in marks_of(self.ring, "s", pa.array(list(subjects), pa.string()))]
        name = options.pop("id", None) or new_id(at)
        options = {"fields": {"email": None, "ssn": None}, "expires_at": at + 3_600_000, **options}
        self.feed.documents.append(self.signers.grant(id=name, issued_at=at, subjects=tuple(marks), **options))
        self.watcher.look()
        return name

    def revoke(self, name):
        """End a grant."""
        self.feed.documents.append(self.signers.revocation(name, issued_at=self.now))
        self.watcher.look()

    def __call__(self, records, parts=None):
        """Protect a batch."""
        (piece,) = self.protect(binary_column(records)) if parts is None else self.protect(binary_column(records), parts)
        return piece

    def shown(self, records, view="debug"):
        """What a view shows of each record."""
        return [None if line is None else json.loads(line) for line in self(records).views[view].to_pylist()]

    def event(self, records=()):
        """The audit event of a batch."""
        return orjson.loads(self(list(records)).audit)
