"""order: shuffled: the records of a batch leave a masked segment in an order of its own, each with its key and headers."""

import os
import random

import orjson
import pyarrow as pa
import pytest

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.record import Parts, Transport
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.sql.views import ViewSet

POLICY = """\
version: 1
stream: orders
fields:
  id: {class: identifier}
  name: {class: direct}
  age: {class: quasi, domain: [0, 120]}
segments:
  plain: {view: masked, rules: {id: keep, name: keep}}
  mixed: {view: masked, order: shuffled, rules: {id: keep}, record: {key: keep, headers: {trace: keep}}}
  other: {view: masked, order: shuffled, rules: {id: keep, name: keep}}
"""
LOADED = load(PolicySource("policy.yaml", POLICY))
N = 500


def batch(n=N, bad=()):
    """Records numbered from 0 with keys and headers of the same number; those of `bad` cannot be read."""
    rows = [b"{" if i in bad else orjson.dumps({"id": f"i{i}", "name": f"n{i}"}) for i in range(n)]
    trace = [None if i % 7 == 0 else b"t%d" % i for i in range(n)]
    parts = Parts(key=pa.array([b"i%d" % i for i in range(n)], pa.binary()), headers={"trace": pa.array(trace, pa.binary())})
    return pa.array(rows, pa.binary()), parts


def protected(payloads, parts, entropy=os.urandom, transport=None):
    """One batch through Protect."""
    step = Protect(compile_plan(LOADED, KeyRing.ephemeral()), entropy, lambda: 0, transport=transport or Transport(record=True))
    (piece,) = step(payloads, parts)
    return piece


def numbers(view):
    """The records' numbers in the order of a view; None where it is null."""
    return [None if row is None else int(orjson.loads(row)["id"][1:]) for row in view.to_pylist()]


def test_every_shuffled_view_has_an_order_of_its_own():
    """A shuffled view holds the same records in an order of its own, drawn anew for each batch; as_read is the default and keeps it."""
    first, second = (protected(*batch()) for _ in range(2))
    orders = [numbers(piece.views[name]) for piece in (first, second) for name in ("mixed", "other")]
    assert numbers(first.views["plain"]) == list(range(N))
    assert all(sorted(order) == list(range(N)) and order != list(range(N)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4


def test_key_and_headers_move_with_their_record():
    """Key and headers stand in the row of the record that they came with, missing ones missing."""
    piece = protected(*batch(bad=(3, 4, 200)))
    rows = numbers(piece.views["mixed"])
    parts = piece.parts["mixed"]
    assert parts.key.to_pylist() == [None if i is None else b"i%d" % i for i in rows]
    assert parts.headers[0].to_pylist() == [None if i is None or i % 7 == 0 else b"t%d" % i for i in rows]


def test_quarantined_rows_stay_where_they_are():
    """A rejected row is null in every view at its own place, and the accepted ones are all there, each once."""
    bad = (0, 3, 4, 200, N - 1)
    piece = protected(*batch(bad=bad))
    for name in ("plain", "mixed", "other"):
        rows = numbers(piece.views[name])
        assert tuple(i for i, row in enumerate(rows) if row is None) == bad
        assert sorted(row for row in rows if row is not None) == [i for i in range(N) if i not in bad]
    assert [row for row, _ in piece.quarantine] == list(bad)
    told = orjson.loads(piece.audit)["segments"]
    assert {name: account["released"] for name, account in told.items()} == dict.fromkeys(told, N - len(bad))
    assert {name: account.get("order") for name, account in told.items()} == {"plain": None, "mixed": "shuffled", "other": "shuffled"}


def test_every_row_is_as_likely_in_every_place():
    """Where one record of three lands is uniform over 3,000 batches (χ², p > 10⁻⁶ for 5 degrees of freedom over the six orders)."""
    payloads, parts = batch(3)
    entropy = random.Random(1).randbytes  # the same orders at every run: the bound holds or does not, and not by chance
    step = Protect(compile_plan(LOADED, KeyRing.ephemeral()), entropy, lambda: 0, transport=Transport(record=True))
    counts: dict[tuple, int] = {}
    for _ in range(3_000):
        order = tuple(numbers(step(payloads, parts)[0].views["other"]))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((found - 500) ** 2 / 500 for found in counts.values()) < 36


def test_the_order_comes_from_the_given_entropy():
    """The same entropy gives the same order, as of every random technique."""
    views = [numbers(protected(*batch(), entropy=lambda n: b"\x05" * n).views["other"]) for _ in range(2)]
    assert views[0] == views[1] != list(range(N))


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_shuffle(n):
    """A batch of no record or one is as it was."""
    assert numbers(protected(*batch(n)).views["other"]) == list(range(n))


def test_in_order_shows_rows_where_they_were_read():
    """A loaded policy without its orders, as a preview takes it, gives rows as they were read, and stays the same policy."""
    payloads, _ = batch(50)
    result = Protector(LOADED.in_order(), KeyRing.ephemeral()).protect(payloads)
    assert all(numbers(view) == list(range(50)) for view in result.views.values())
    assert numbers(Protector(LOADED, KeyRing.ephemeral()).protect(payloads).views["other"]) != list(range(50))
    assert LOADED.in_order().source is LOADED.source


def test_a_query_cannot_take_a_shuffled_segment_beside_other_columns():
    """protect() in SQL stands in a row of the query, so that a shuffled segment is refused there, with the way out."""
    views = ViewSet(LOADED, KeyRing.ephemeral, None, os.urandom, lambda: 0)
    assert numbers(views.view(batch(5)[0], "plain")) == list(range(5))
    with pytest.raises(InputError, match=r"other.*shuffled.*Hint: flink-masking sql job"):
        views.view(batch(5)[0], "other")
