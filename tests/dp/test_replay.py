"""A window that is computed again after a crash shows the same noisy numbers: kills between the draw and the commit."""

import json
import random
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp.final import FinalLogic
from flink_masking.dp.noise import Mechanisms
from flink_masking.dp.partials import partial_schema
from flink_masking.dp.seeds import DAY
from flink_masking.dp.spec import AggregateSpec, Metric
from flink_masking.errors import InputError

SPEC = AggregateSpec(60_000, 1, 1, 0.01, 0.2, (Metric("n", "count"), Metric("people", "count_distinct_subjects")))
MIDNIGHT = 20_000 * DAY
"""Windows lie around it, in two days."""


def partial(window, groups, spec=SPEC):
    """Partial aggregates of a window (numbered from midnight): {group: people}."""
    rows = [{"window_start": MIDNIGHT + 60_000 * window, "group": b'"g":%d' % g, "records": n, "subjects": n} for g, n in groups.items()]
    return pa.RecordBatch.from_pylist(rows, schema=partial_schema(spec))


GROUPS = st.dictionaries(st.integers(0, 3), st.integers(1, 5000), min_size=1)
STEPS = st.lists(st.one_of(st.tuples(st.just("rows"), st.integers(-6, 6), GROUPS),
                           st.tuples(st.just("watermark"), st.integers(-6, 7), st.just({}))), min_size=1, max_size=14)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from(["laplace", "gaussian"]), st.booleans(), st.data())
def test_whatever_is_killed_nothing_is_shown_with_other_noise(steps, mechanism, listed, data):
    """At any moment the process is killed and goes on from its last checkpoint, replaying what came after; all that ever left it is seen.

    The sink takes every chunk at once, also those that a transaction would have hidden. Each window has one content.
    """
    spec = replace(SPEC, mechanism=mechanism, groups=(b'"g":0', b'"g":1', b'"g":2', b'"g":3') if listed else None)
    steps = [("rows", -6, {0: 3000}), *steps, ("watermark", 8, {})]
    seen = defaultdict(set)
    state: dict[str, bytes] = {}

    def apply(logic, step):
        kind, number, groups = step
        effects = logic.on_batch(partial(number, groups, spec), 0) if kind == "rows" else logic.on_watermark(MIDNIGHT + 60_000 * number)
        for key, entry in effects.writes.items():
            state.pop(key, None)
            if entry is not None:
                state[key] = entry
        for chunk in effects.outputs:
            seen[json.loads(chunk.split(b"\n")[0])["window_start"]].add(chunk)

    logic, done, kills = FinalLogic(spec), 1, 0
    apply(logic, steps[0])
    committed, at = dict(state), 1  # the first checkpoint
    while done < len(steps):
        what = data.draw(st.sampled_from(["step", "step", "checkpoint", "kill"] if kills < 5 else ["step"]))
        if what == "step":
            apply(logic, steps[done])
            done += 1
        elif what == "checkpoint":
            committed, at = dict(state), done
        else:
            kills, done, state = kills + 1, at, dict(committed)
            logic = FinalLogic(spec)
            logic.restore(committed)
        assert state == logic.snapshot()
    assert all(len(chunks) == 1 for chunks in seen.values())
    assert len(seen) >= 1 or not listed


def test_other_sums_take_independent_noise():
    """A group computed again from one record more has other noise: no difference of its two published numbers is exact.

    The groups that are as they were show the same numbers again, so that nothing averages out.
    """
    spec, seed = replace(SPEC, groups=tuple(b'"g":%d' % g for g in range(400))), random.Random(1).randbytes(32)
    noises = []
    for more in (0, 1):
        totals = partial(0, {g: 1000 + (more if g % 2 else 0) for g in range(400)}, spec)
        _, noisy = Mechanisms(spec).draw(totals, seed)
        noises.append(noisy[spec.quantities[0]] - totals.column("records").to_numpy())
    changed = np.array([int(group.as_py()[4:]) % 2 == 1 for group in totals.column("group")])
    assert np.count_nonzero((noises[0] == noises[1])[changed]) < 10
    assert abs(np.corrcoef(noises[0][changed], noises[1][changed])[0, 1]) < 0.35
    assert (noises[0] == noises[1])[~changed].all()


def test_windows_groups_and_metrics_never_share_noise():
    """The same sums in another window, or under another metric, take other noise."""
    drawn = [Mechanisms(SPEC).draw(partial(window, {g: 9000 for g in range(50)}), bytes(32))[1] for window in (0, 1)]
    vectors = [tuple(noisy[q].tolist()) for noisy in drawn for q in SPEC.quantities]
    assert len(set(vectors)) == 4 and all(len(set(vector)) > 25 for vector in vectors)


def test_seeds_are_stored_a_day_ahead_and_deleted_after():
    """With a window's first partial aggregate its day's and the next day's seed are written; they go when the day cannot come back."""
    logic = FinalLogic(SPEC)
    day = MIDNIGHT // DAY
    writes = logic.on_batch(partial(0, {1: 5000}), 0).writes
    assert {f"seed:{day}", f"seed:{day + 1}"} <= set(writes)
    logic.on_watermark(MIDNIGHT + 60_000)
    assert {key for key in logic.snapshot() if key.startswith("seed:")} == {f"seed:{day}", f"seed:{day + 1}"}
    logic.on_batch(partial(24 * 60, {1: 5000}), 0)
    writes = logic.on_watermark(MIDNIGHT + DAY + 60_000).writes
    assert writes[f"seed:{day}"] is None and f"seed:{day + 2}" in logic.snapshot()


def test_another_run_draws_other_noise():
    """Seeds are a job's own: nothing about its noise can be told from the policy, the keys or another run."""
    chunks = set()
    for _ in range(3):
        logic = FinalLogic(SPEC)
        logic.on_batch(partial(0, {1: 5000}), 0)
        chunks.update(logic.on_end().outputs)
    assert len(chunks) == 3


def test_a_state_without_seeds_is_taken_over():
    """A state of the release before, which drew when it closed, goes on: its open windows take seeds when they close."""
    logic = FinalLogic(SPEC)
    logic.on_batch(partial(0, {1: 5000}), 0)
    older = {key: entry for key, entry in logic.snapshot().items() if not key.startswith("seed:")}
    again = FinalLogic(SPEC)
    again.restore({**older, "drawn:0": b"drawn.1\nrows"})
    assert len(again.on_end().outputs) == 1


@pytest.mark.parametrize("entries", [{"seed:1": b"seed.2\n" + bytes(32)}, {"closed": b"closed.2 7"}, {"heard": b"heard.9 7"},
                                     {"drawn:0": b"drawn.2\nrows"}])
def test_a_newer_state_is_refused_as_such(entries):
    """The error says that a later release wrote it."""
    with pytest.raises(InputError, match="newer version"):
        FinalLogic(SPEC).restore(entries)


@pytest.mark.parametrize("entries", [{"seed:1": b"seed.1\n" + bytes(31)}, {"seed:x": b"seed.1\n" + bytes(32)}, {"heard": b"heard.1 x"},
                                     {"tape:1": b""}, {"closed": b"closed.0 7"}])
def test_a_damaged_state_is_refused(entries):
    """What cannot be read is an error, never a new seed."""
    with pytest.raises(InputError, match="damaged"):
        FinalLogic(SPEC).restore(entries)
