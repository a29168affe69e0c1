"""Several shards: packed batches divide people, and each shard keeps the promises by itself."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.ipc import from_ipc
from flink_masking.keys.sealer import Sealer

POLICY = """\
version: 1
stream: shards
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  age: {class: quasi, domain: [0, 120]}
  sick: {class: sensitive}
  number: {class: plain}
  at: {class: plain, type: datetime}
segments:
  groups: {view: anonymized, k: 3, quasi_identifiers: [age], release: [sick, number], max_buffer: 20, shards: SHARDS}
  sums:
    view: aggregated
    window: {tumbling: 1h}
    metrics: {n: count, people: count_distinct_subjects}
    privacy: {epsilon: 100, delta: 0.1, max_records_per_group: 1}
    shards: SHARDS
"""


def rows(people, ages):
    """A record for each person and age, numbered."""
    return [json.dumps({"id": f"p{p}", "age": a, "sick": "x", "number": k, "at": "2024-03-15T10:00:00Z"}).encode()
            for k, (p, a) in enumerate(zip(people, ages, strict=True))]


def subjects(done, segment):
    """The people (keyed hashes) of each shard."""
    sealer = Sealer(done.plan.ring, "packed", segment, (done.plan.policy.stream, segment))
    found: dict[int, set] = {}
    for piece in done.pieces:
        for packed in piece.packed[segment]:
            batch = from_ipc(sealer.open(packed.blob))
            assert batch.num_rows == packed.records
            found.setdefault(packed.shard, set()).update(batch.column("subject").to_pylist())
    return found


@pytest.mark.parametrize("segment", ["groups", "sums"])
def test_shards_divide_people(run, segment):
    """Every record travels in one packed batch, and all records of a person go to the same shard, in every batch."""
    rng = np.random.default_rng(1)
    people = rng.integers(0, 100, 400).tolist()
    batch = rows(people, rng.integers(20, 60, 400).tolist())
    done = run(POLICY.replace("SHARDS", "4"), batch[:150], batch[150:])
    found = subjects(done, segment)
    assert sorted(found) == [0, 1, 2, 3]
    assert sum(map(len, found.values())) == len(set().union(*found.values())) == len(set(people))
    assert sum(packed.records for piece in done.pieces for packed in piece.packed[segment]) == 400


@pytest.mark.parametrize("shards", [1, 7, 1024])
def test_a_batch_of_one_record_goes_to_one_shard(run, shards):
    """However many shards there are, one record makes one packed batch of each segment."""
    done = run(POLICY.replace("SHARDS", str(shards)), rows([1], [40]))
    for segment in ("groups", "sums"):
        (packed,) = done.pieces[0].packed[segment]
        assert packed.records == 1 and 0 <= packed.shard < shards


@given(data=st.data())
@settings(max_examples=25)
def test_k_people_stand_behind_every_line(run, data):
    """Whatever the number of shards and batches, each label released stands for at least k people, counted as persons, not records."""
    shards = data.draw(st.sampled_from([1, 2, 5]))
    people = data.draw(st.lists(st.integers(0, 15), max_size=60))
    ages = data.draw(st.lists(st.integers(0, 120), min_size=len(people), max_size=len(people)))
    batch, cut = rows(people, ages), data.draw(st.integers(0, 60))
    done = run(POLICY.replace("SHARDS", str(shards)), batch[:cut], batch[cut:])
    lines = [json.loads(line) for line in done.released["groups"]]
    assert len({line["number"] for line in lines}) == len(lines) == done.counts["groups"]["released"]
    assert len(lines) + done.counts["groups"]["suppressed"] == len(people)
    behind: dict[str, set] = {}
    for line in lines:
        behind.setdefault(line["age"], set()).add(people[line["number"]])
        low, _, high = line["age"].partition("-")
        assert line["age"] == "*" or int(low) <= ages[line["number"]] <= int(high or low)
    assert all(len(crowd) >= 3 for crowd in behind.values())


def test_aggregates_do_not_depend_on_shards(run):
    """People are counted once and bounded alike whether one instance or several see them (noise is next to nothing here)."""
    people = [p for p in range(300) for _ in range(1 + p % 3)]
    exact = Counter()
    for shards in ("1", "6"):
        done = run(POLICY.replace("SHARDS", shards).replace("epsilon: 100", "epsilon: 1000000"), rows(people, [30] * len(people)))
        (line,) = map(json.loads, done.released["sums"])
        exact[line["n"], line["people"]] += 1
        assert (done.counts["sums"]["released"], done.counts["sums"]["bounded"]) == (300, len(people) - 300)
    assert exact == {(300, 300): 2}
