"""Packets and state belong to one stream and segment: carried elsewhere they do not open, those of earlier releases do."""

import os

import pytest

from flink_masking.engine.inprocess import InProcess
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.protected import Packed
from flink_masking.errors import DecryptionError
from flink_masking.keys.sealer import Sealer
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

POLICY = """\
version: 1
stream: orders
subject: id
fields:
  id:  {class: identifier, optional: false}
  age: {class: quasi, domain: [0, 120]}
segments:
  partners: {view: anonymized, k: 2, quasi_identifiers: [age], max_delay: 1h}
"""
RECORDS = [b'{"id":"p%d","age":%d}' % (n, 20 + n) for n in range(10)]


def plan_of(ring, stream="orders"):
    """The plan of a stream."""
    return compile_plan(load(PolicySource("policy.yaml", POLICY.replace("orders", stream))), ring)


def packet(plan):
    """What Protect sends to the segment."""
    (piece,) = Protect(plan, os.urandom, lambda: 0)(binary_column(RECORDS))
    return piece


def test_a_packet_of_another_stream_does_not_open(ring):
    """Of two streams with one ring and a segment of the same name, neither takes the other's packets."""
    mine, theirs = plan_of(ring), plan_of(ring, "payments")
    InProcess(mine, lambda: 0).feed(packet(mine))
    with pytest.raises(DecryptionError):
        InProcess(mine, lambda: 0).feed(packet(theirs))


def test_a_packet_of_an_earlier_release_opens(ring):
    """A packet that was under way when the job was upgraded is taken in."""
    plan = plan_of(ring)
    piece = packet(plan)
    (packed,) = piece.packed["partners"]
    content = Sealer(ring, "packed", "partners", ("orders", "partners")).open(packed.blob)
    piece.packed["partners"] = [Packed(0, packed.records, Sealer(ring, "packed", "partners").seal(content))]
    taken = InProcess(plan, lambda: 0)
    taken.feed(piece)
    taken.finish()
    assert taken.counts["partners"]["released"] == len(RECORDS)
