"""Digests of what a batch released: roots in the event, leaf hashes beside it, source offsets."""

import base64
import json
import os

import numpy as np
import orjson
import pyarrow as pa
import pytest

from flink_masking import KeyRing, Protector
from flink_masking.audit.digests import leaf_lines, read_leaves
from flink_masking.crypto.merkle import leaf_hash, leaf_hashes, root_of
from flink_masking.engine.origins import source_ranges
from flink_masking.engine.record import Origin
from flink_masking.policy.source import PolicySource

POLICY = """
version: 1
stream: events
audit: {sink: audit-events, digests: DIGESTS}
fields: {email: {class: direct, type: email}, n: {class: plain, type: integer}}
segments:
  support: {view: masked, rules: {email: {technique: partial, keep_first: 1}, n: keep}}
  numbers: {view: masked, order: shuffled, rules: {email: drop, n: keep}}
"""


def protected(records, digests="true"):
    """What a batch gives, its event and the lines beside it."""
    result = Protector(PolicySource("p.yaml", POLICY.replace("DIGESTS", digests)), KeyRing.ephemeral()).protect(records)
    return result, json.loads(result.audit[0]), result.audit[1:]


def batch(n):
    """n records, the third of them broken."""
    return [b"broken" if k == 2 else b'{"email":"a%d@example.com","n":%d}' % (k, k) for k in range(n)]


@pytest.mark.parametrize("n", [1, 2, 3, 40, 3_001])
def test_the_event_commits_to_what_every_view_released(n):
    """For each view, root and leaves are those of the records that it released, in their order; quarantined ones are not among them."""
    result, event, lines = protected(batch(n))
    leaves = {"support": {}, "numbers": {}}
    for line in lines:
        chain, of, views = read_leaves(line)
        assert (chain, of) == (event["chain"], event["number"]) and len(line) < 65_536
        for name, (start, hashes) in views.items():
            leaves[name] |= {start + k: hashes[32 * k : 32 * k + 32] for k in range(len(hashes) // 32)}
    assert len(result.audit) <= n
    for name, view in result.views.items():
        released = [record for record in view.to_pylist() if record is not None]
        told = event["segments"][name]
        assert told["released"] == len(released)
        assert base64.b64decode(told["root"]) == root_of(leaf_hashes(pa.array(released, pa.binary())))
        if n > 1:
            assert [leaves[name][k] for k in range(len(released))] == [leaf_hash(record) for record in released]


def test_without_digests_events_are_as_they_were():
    """Nothing is hashed where the policy asks for no digests."""
    _, event, lines = protected(batch(5), "false")
    assert lines == [] and "root" not in event["segments"]["support"]


def test_offsets_by_topic_and_partition():
    """The source's part of an event has, for each topic and partition, the smallest and largest offset and the number of records."""
    partitions, offsets = np.array([1, 0, 1, 1]), np.array([7, 3, 9, 8], np.int64)
    assert [(r.topic, r.partition, r.first, r.last, r.records) for r in source_ranges(Origin("raw", partitions, offsets))] == [
        ("raw", 0, 3, 3, 1), ("raw", 1, 7, 9, 3)]
    mixed = Origin(pa.array(["b", "a", "b", "a"]), partitions, offsets).slice(1, 3)
    assert [(r.topic, r.partition, r.first, r.last) for r in source_ranges(mixed)] == [("a", 0, 3, 3), ("a", 1, 8, 8), ("b", 1, 9, 9)]
    assert source_ranges(None) == ()


@pytest.mark.parametrize("sizes", [(2,), (1, 1), (999, 2), (1000,), (1001,), (0, 2500), (3, 0, 4)])
def test_lines_of_leaves(sizes):
    """Lines hold a thousand hashes at most, in base64 as everybody reads it, and together all of them in their order."""
    leaves = {f"view-{k}": np.frombuffer(os.urandom(32 * n), np.uint8).reshape(n, 32) for k, n in enumerate(sizes)}
    found = dict.fromkeys(leaves, b"")
    for line in leaf_lines({"chain": "c", "of": 7}, 1_710_498_600_000, leaves):
        body = json.loads(line)
        assert line == orjson.dumps(body) and (body["event"], body["of"], body["time"]) == ("leaves", 7, "2024-03-15T10:30:00.000Z")
        texts = {name: base64.b64decode(one["leaves"], validate=True) for name, one in body["views"].items()}
        assert sum(map(len, texts.values())) <= 32 * 1000
        for name, text in texts.items():
            assert body["views"][name]["from"] * 32 == len(found[name])
            found[name] += text
    assert found == {name: hashes.tobytes() if sum(sizes) > 2 or max(sizes) > 1 else b"" for name, hashes in leaves.items()}
