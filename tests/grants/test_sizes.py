"""Granted records that a topic would refuse: with key, headers and the header of grants counted, they are left out."""

import pyarrow as pa
import pytest
from granted_jobs import policy_of, record

from flink_masking.engine.record import Parts, Transport

KEPT = ("    view: masked\n", "    view: masked\n    record: {key: keep, headers: {trace: keep}}\n")
SHUFFLED = ("    view: masked\n    record", "    view: masked\n    order: shuffled\n    record")
BESIDE = [4_096, 10, 2_000, 0]
"""Bytes of each record's key, and half as many of its header."""


def shown(job, limit, order):
    """Sizes of the granted records of a batch by their key: all that Kafka counts, and without what stands beside the value."""
    changes = {"record": KEPT, **({"order": SHUFFLED} if order == "shuffled" else {})}
    made = job(policy_of(**changes), transport=Transport(record=True, limits={"debug": limit}))
    made.grant([f"p{number}" for number in range(4)])
    made.grant(["p1", "p2"])
    keys, traces = (pa.array([b"k" * (size // part) for size in BESIDE], pa.binary()) for part in (1, 2))
    piece = made([record(number) for number in range(4)], Parts(key=keys, headers={"trace": traces}))
    parts = piece.parts["debug"]
    cells = zip(piece.views["debug"].to_pylist(), parts.key.to_pylist(), parts.headers[0].to_pylist(),
                piece.grants["debug"].to_pylist(), strict=True)
    found = {len(key): (len(value) + len(key) + len(trace) + len(ids), len(value)) for value, key, trace, ids in cells if value is not None}
    assert piece.report.masked["debug"].released == len(found)
    return found


@pytest.mark.parametrize("order", ["kept", "shuffled"])
def test_key_and_headers_count(job, order):
    """A granted record is left out where value, key, headers and the header of grants together are larger than the topic takes, by one
    byte; the others of the batch are there."""
    whole = shown(job, 1 << 20, order)
    assert sorted(whole) == sorted(BESIDE)
    for size, value in whole.values():
        assert value < 300
        for limit in (size, size - 1):
            assert shown(job, limit, order) == {key: one for key, one in whole.items() if one[0] <= limit}
