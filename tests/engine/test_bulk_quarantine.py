"""Rejected records in bulk: every line says what a record by itself would say, and opens to that record."""

import os

import numpy as np
import orjson
import pyarrow as pa
import pytest

from flink_masking.engine.quarantine import Entry, QuarantineReader, QuarantineWriter
from flink_masking.engine.rejections import Rejections
from flink_masking.records.faulty_rows import faulty_rows
from flink_masking.records.json.codec import scan
from flink_masking.records.spans import FATAL, Flag, Limits
from flink_masking.records.trie import Paths

NOW = 1_710_498_600_123
BAD = [
    None, b"", b"{", b'{"a":1,}', b"[]", b"7", b'{"a":[]}', b'{"deep":{"x":1,"x":2}}', b'{"a":1,"a":2}', b'{"q":1}', b'{"deep":{"X":1}}',
    b'{"emial":"x"}', b'{"\\u0065mial":"x"}', b'{"q":1,"q":2}', b'{"k%d":1}' % 7, b'{"k8":{}}', b'{"email":"' + b"x" * 400 + b'"}',
    b'{"a":1}', b'{"deep":null}', '{"é":1}'.encode(),
]  # fmt: skip
PATHS = Paths(["a", "email"], known=["deep.x"])


def test_faults_by_group_are_the_faults_of_the_rows():
    """Grouped or one by one, every row has the same reason, path and position, and no row is in two groups."""
    rows = BAD * 3
    for limits in (Limits(), Limits(max_bytes=300)):
        table = scan(pa.array(rows, pa.binary()), PATHS, limits)
        found = {}
        for faulty in faulty_rows(table, int(FATAL | Flag.UNKNOWN)):
            positions = [None] * len(faulty.rows) if faulty.positions is None else faulty.positions.tolist()
            for row, position in zip(faulty.rows.tolist(), positions, strict=True):
                assert row not in found
                found[row] = (faulty.reason, faulty.path, position)
        assert found == {row: tuple(fault) for row in range(len(rows)) if (fault := table.fault(row)) is not None}


@pytest.mark.parametrize("limit", [None, 4_096 + 40, 1 << 20])
@pytest.mark.parametrize("kind", [pa.binary(), pa.string()])
def test_lines_made_together_are_those_made_one_by_one(ring, limit, kind):
    """Time, reason, path, position and size are those of `entry`, in its order, and each payload opens to its own record."""
    records = [None if record is None else record.decode() for record in BAD] if kind == pa.string() else BAD
    payloads = pa.array([b"skipped" if kind == pa.binary() else "skipped", *records], kind).slice(1)
    writer, reader = QuarantineWriter(ring, "stream", limit), QuarantineReader(ring)
    rejections, rows = Rejections(len(BAD)), np.array([0, 2, 3, 5, 9, 16, 19])
    rejections.add(rows[:3], "malformed", None, np.array([4, 0, 17]))
    rejections.add(rows, "out_of_domain", 'a."b c"')
    lines = writer.entries(payloads, rows, rejections, NOW)
    assert [row for row, _ in lines] == rows.tolist()
    for row, line in lines:
        reason, path = rejections.reasons[rejections.codes[row]]
        position = None if rejections.positions[row] < 0 else int(rejections.positions[row])
        alone = writer.entry(BAD[row], reason, path, position, NOW)
        together, single = Entry.decode(line), Entry.decode(alone)
        assert list(orjson.loads(line)) == list(orjson.loads(alone)) and len(line) == len(alone)
        assert (together.time, together.stream, together.reason, together.path, together.position, together.size) == (
            single.time, single.stream, single.reason, single.path, single.position, single.size)
        assert reader.payload(together) == reader.payload(single)
        assert together.size is not None or reader.payload(together) == (BAD[row] or b"")
    assert writer.entries(payloads, rows[:0], rejections, NOW) == []


def test_nonces_of_a_batch_differ(ring):
    """Equal records of one batch are sealed to different payloads."""
    rejections = Rejections(64)
    rejections.add(np.arange(64), "malformed", None)
    lines = QuarantineWriter(ring, "s").entries(pa.array([b"same"] * 64, pa.binary()), np.arange(64), rejections, NOW)
    assert len({Entry.decode(line).payload for _, line in lines}) == 64


def test_bad_records_cost_no_call_each(run):
    """A batch of a thousand broken records is quarantined whole, with the reasons in the audit."""
    text = "version: 1\nstream: s\nfields: {a: {class: plain, type: number}}\nsegments: {m: {view: masked, rules: {a: keep}}}\n"
    batch = [b'{"a":%d' % k for k in range(500)] + [b'{"a":%d,"k%d":1}' % (k, k) for k in range(500)]
    done = run(text, batch, entropy=os.urandom)
    assert done.audit[0]["quarantined"] == {"malformed": 500, "unknown_field": 500}
    assert done.reasons[0] == ("malformed", None) and done.reasons[999] == ("unknown_field", "?")
