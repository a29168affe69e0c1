"""Erasure in Protect and in the stateful segments: what an erased subject leaves in no view, no buffer and no vault."""

import json
import os

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.engine.erased import ErasedSubjects, marks_of, read_mark, write_mark
from flink_masking.engine.record import Parts, Transport
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.sql.views import ViewSet
from flink_masking.tools.erase import Eraser
from flink_masking.vault.memory import MemoryVault

POLICY = """\
version: 1
stream: s
subject: id
erasure: {later: LATER}
event_time: {field: at}
fields:
  id: {class: identifier}
  name: {class: direct}
  ssn: {class: direct}
  age: {class: quasi, domain: [0, 120]}
  at: {class: plain, type: datetime}
segments:
  care:
    view: masked
    rules:
      id: {technique: pseudonym, domain: id}
      name: {technique: encrypt, domain: person, per_subject: true}
      ssn: {technique: tokenize, domain: ssn}
      age: keep
  groups: {view: anonymized, k: 2, quasi_identifiers: [age], max_buffer: 1000, shards: 2}
  sums:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {people: count_distinct_subjects}
    privacy: {epsilon: 1000, delta: 0.1, max_groups_per_subject: 1}
    groups: {public: [[]]}
"""
POLICY = POLICY.replace("    groups: {public: [[]]}\n", "")


class World:
    """A Protector on a vault in memory, and an eraser beside it."""

    def __init__(self, later="drop", policy=POLICY):
        """Nobody has been seen or erased."""
        self.loaded = load(PolicySource("policy.yaml", policy.replace("LATER", later)))
        self.ring, self.vault = KeyRing.new(), MemoryVault()
        self.protector = self.anew()
        self.eraser = Eraser(self.loaded, self.ring, self.vault)

    def anew(self):
        """Another worker; it looks at the vault with every batch."""
        protector = Protector(self.loaded, self.ring, self.vault)
        protector._protect._erasures._refresh = 0
        return protector

    def protect(self, *people, protector=None):
        """The records of the masked view, as objects, and the audit event."""
        rows = [json.dumps({"id": one, "name": f"Name {one}", "ssn": f"ssn {one}", "age": 30, "at": "2026-01-01T00:00:01Z"}).encode()
                for one in people]
        result = (protector or self.protector).protect(rows)
        views = [None if row is None else orjson.loads(row) for row in result.views["care"].to_pylist()]
        return views, orjson.loads(result.audit[-1]), result


def test_an_erased_subject_is_in_no_view_any_more():
    """Later records of an erased subject are dropped, counted and in no quarantine; the audit tells the hash once; others stay."""
    world = World()
    before, _, _ = world.protect("a", "b")
    assert world.eraser.erase(["a"], 1).keys == 1
    views, event, result = world.protect("a", "b", "a")
    assert [view is None for view in views] == [True, False, True]
    assert views[1]["ssn"] == before[1]["ssn"]
    assert event["erased"] == 2 and event["quarantined"] == {} and result.quarantine == []
    assert event["erasures"] == world.eraser.written(["a"])
    assert event["segments"]["care"]["released"] == 1
    again = world.protect("a", "b")[1]
    assert again["erased"] == 1 and "erasures" not in again
    assert world.vault.subjects.counts("ssn", pa.array([], pa.binary(16))) == (0, 0)


def test_who_may_come_again_begins_anew():
    """With later: pass, records of an erased subject pass, with a token and a key of their own; the old ones are gone."""
    world = World("pass")
    before = world.protect("a", "b")[0]
    assert world.eraser.erase(["a"], 1).tokens == 1
    after, event, _ = world.protect("a", "b")
    assert "erased" not in event and after[0]["ssn"] != before[0]["ssn"] and after[1]["ssn"] == before[1]["ssn"]
    names = [orjson.dumps({**view, "name": old["name"]}) for view, old in zip(after, before, strict=True)]
    opened = world.eraser.opened("care", [pa.array(names, pa.binary())], ["a"])
    assert (opened.values, opened.opened) == (1, 0)


def test_a_shared_token_stays_for_the_others():
    """A token that two subjects have stays until both are erased; each of them is told apart."""
    policy = POLICY.replace("later: LATER", "later: pass")
    world = World(policy=policy)
    row = [b'{"id":"%s","ssn":"same","age":30,"at":"2026-01-01T00:00:01Z","name":"x"}' % one for one in (b"a", b"b")]
    token = orjson.loads(world.protector.protect(row).views["care"][0].as_py())["ssn"]
    done = world.eraser.erase(["a"], 1)
    assert (done.tokens, done.shared) == (0, 1)
    assert orjson.loads(world.protector.protect(row[1:]).views["care"][0].as_py())["ssn"] == token
    assert world.eraser.erase(["b"], 2).tokens == 1
    assert orjson.loads(world.protector.protect(row[1:]).views["care"][0].as_py())["ssn"] != token


def test_waiting_records_leave_their_groups():
    """Records of an erased subject that wait for a group, or lie in an open window, are taken out before anything is released."""
    world = World()
    world.protect("a", "b")
    world.eraser.erase(["a"], 1)
    for _ in range(3):
        world.protect("c", "c", "c", "c")
    world.protector.finish()
    counts = world.protector._stateful.counts
    assert counts["groups"]["suppressed_erased"] == 1
    assert counts["sums"]["suppressed_erased"] == 1
    assert counts["sums"]["counted"] + counts["sums"]["bounded"] == 13
    assert sum(counts["groups"][name] for name in ("released", "suppressed")) == 14


def test_orders_wait_for_rows():
    """Orders go with records for the same shard; those for other shards wait for a batch with a row to spare, and none is lost."""
    world = World()
    people = [f"p{k}" for k in range(20)]
    world.protect(*people)
    world.eraser.erase(people, 1)
    for _ in range(3):
        world.protect("z")
    world.protect("x", "y", "z")
    world.protector.finish()
    counts = world.protector._stateful.counts
    assert counts["groups"]["suppressed_erased"] == counts["sums"]["suppressed_erased"] == 20


def test_a_worker_that_starts_later_knows():
    """A worker that starts after an erasure leaves the subject's records out from its first batch."""
    world = World()
    world.protect("a")
    world.eraser.erase(["a"], 1)
    assert world.protect("a", "b", protector=world.anew())[0][0] is None


def test_an_erasure_that_breaks_off_is_repeated():
    """A failure before the vault's transaction is complete leaves everything as it was; the same order then does all of it."""
    world = World()
    world.protect("a")

    class Broken(Exception):
        pass

    real = world.vault.subjects.erase

    def fail(erasure):
        raise Broken

    world.vault.subjects.erase = fail
    with pytest.raises(Broken):
        world.eraser.erase(["a"], 1)
    assert world.eraser.standing(["a"]) == type(world.eraser.standing(["a"]))(1, 1, 0)
    world.vault.subjects.erase = real
    assert (world.eraser.erase(["a"], 1).keys, world.eraser.erase(["a"], 2).keys) == (1, 0)
    assert world.eraser.standing(["a"]).nothing and world.eraser.standing(["a"]).marked == 1


def test_many_erasures_are_told_over_several_events():
    """A worker that starts after thousands of erasures tells the audit of all of them, a thousand in an event, and forgets nobody."""
    world = World()
    world.protect("p1499", "z")
    people = [f"p{k}" for k in range(1_500)]
    world.eraser.erase(people, 1)
    told = [world.protect("z", "p7")[1].get("erasures", []) for _ in range(3)]
    assert [len(marks) for marks in told] == [1_000, 500, 0]
    assert sorted(told[0] + told[1]) == sorted(world.eraser.written(people))
    world.protect("x", "y", "z")
    world.protector.finish()
    assert world.protector._stateful.counts["groups"]["suppressed_erased"] == 1


def test_any_erasures_between_any_batches():
    """Whatever is erased when: no later record of an erased subject is released, every other is, and records add up."""
    person = st.sampled_from("abcdef")
    step = st.tuples(st.just("batch"), st.lists(person, min_size=1, max_size=6)) | st.tuples(st.just("erase"), st.lists(person, min_size=1))

    @given(st.lists(step, max_size=8))
    @settings(max_examples=25, deadline=None)
    def law(steps):
        world, gone, sent = World(), set(), 0
        for kind, people in steps:
            if kind == "erase":
                world.eraser.erase(people, 1)
                gone |= set(people)
                assert world.eraser.standing(people).nothing
            else:
                views, event, _ = world.protect(*people)
                assert [view is None for view in views] == [one in gone for one in people]
                sent += sum(one not in gone for one in people)
                assert event["records"] == len(people) == event["segments"]["care"]["released"] + event.get("erased", 0)
        world.protector.finish()
        counts = world.protector._stateful.counts
        assert counts["groups"]["released"] + counts["groups"]["suppressed"] == sent
        assert sum(counts["sums"][name] for name in ("released", "bounded", "suppressed")) == sent

    law()


def test_marks_are_written_and_read():
    """A mark comes back as it was; anything else is none."""
    ring = KeyRing.new()
    mark, = marks_of(ring, "s", pa.array(["a"]))
    assert read_mark(write_mark(mark)) == mark
    for wrong in ("", "1", "1:", "0:" + "00" * 16, "1:" + "00" * 15, "+1:" + "00" * 16, "1:" + "0G" * 16, "CUST1"):
        assert read_mark(wrong) is None


def test_erased_subjects_are_recognised_under_the_version_of_their_mark():
    """A subject that was erased under one key version is recognised after a rotation, and not where that version is closed."""
    ring = KeyRing.new()
    known = ErasedSubjects("s")
    assert known.learn(marks_of(ring, "s", pa.array(["a"]))) and not known.learn(marks_of(ring, "s", pa.array(["a"])))
    subjects = pa.array(["a", "b", None])
    later = ring.rotated()
    assert known.rows(subjects, later).tolist() == [True, False, False]
    assert known.rows(subjects, later.disabled(1)).tolist() == [False] * 3
    assert np.count_nonzero(known.rows(pa.array([f"{k}" for k in range(10_000)]), ring)) == 0


def test_in_upsert_views_later_records_delete_their_key():
    """A later record of an erased subject deletes its key in a topic that keeps the newest record of each, and is nowhere else."""
    text = POLICY.replace("      age: keep\n", "      age: keep\n    record: {key: {technique: pseudonym, domain: k}}\n", 1)
    text = text.replace("LATER", "drop")
    loaded, ring, vault = load(PolicySource("policy.yaml", text)), KeyRing.new(), MemoryVault()
    eraser = Eraser(loaded, ring, vault)
    protect = ReloadingProtect(loaded, lambda: ring, vault, os.urandom, lambda: 1, Transport(record=True, upserts=("care",)))
    protect._erasures._refresh = 0
    rows = pa.array([json.dumps({"id": one, "name": "x", "ssn": "1", "age": 3, "at": "1970-01-01T00:00:00Z"}).encode() for one in "aba"])
    parts = Parts(key=pa.array([b"key a", b"key b", None], pa.binary()))
    (before,) = protect(rows[:2], parts.slice(0, 2))
    eraser.erase(["a"], 1)
    (piece,) = protect(rows, parts)
    assert piece.parts["care"].key.to_pylist() == [*before.parts["care"].key.to_pylist(), None]
    assert piece.views["care"].is_null().to_pylist() == [True, False, True]
    told = orjson.loads(piece.audit)
    assert told["segments"]["care"]["tombstones"] == 1 and told["erased"] == 2 and not piece.quarantine
    assert eraser.masked_keys(["care"], ["key a"]) == {"care": before.parts["care"].key.to_pylist()[:1]}
    assert eraser.masked_keys([], ["key a"]) == {}


def test_a_sample_is_searched_for_parts_of_values_as_well():
    """Values of which a part is encrypted, elements of arrays and whole objects are found by their subject, and tried."""
    policy = """\
version: 1
stream: s
subject: id
fields: {id: {class: identifier}, ref: {class: direct}, "tags[*]": {class: direct}, o: {class: direct, type: json}}
segments:
  care:
    view: masked
    rules:
      ref: {technique: encrypt, domain: d, per_subject: true, within: {prefix: "Patient/"}}
      tags[*]: {technique: encrypt_deterministic, domain: d, per_subject: true}
      o: {technique: encrypt, domain: d, per_subject: true}
"""
    world = World(policy=policy)
    rows = [b'{"id":"%s","ref":"Patient/12","tags":["x","y"],"o":{"a":1}}' % one for one in (b"a", b"b")]
    view = world.protector.protect(rows).views["care"]
    looked = [world.eraser.opened("care", [view], [one]) for one in ("a", "b", "c")]
    assert [(found.values, found.opened) for found in looked] == [(4, 4), (4, 4), (0, 0)]
    world.eraser.erase(["a"], 1)
    looked = [world.eraser.opened("care", [view], [one]) for one in ("a", "b")]
    assert [(found.values, found.opened) for found in looked] == [(4, 0), (4, 4)]


def test_views_of_sql_jobs_know_as_well():
    """The views of a SQL job leave out the later records of an erased subject, too."""
    world = World()
    views = ViewSet(world.loaded, lambda: world.ring, world.vault, os.urandom, lambda: 1)
    views._erasures._refresh = 0
    rows = pa.array([json.dumps({"id": one, "name": "x", "ssn": "1", "age": 3, "at": "1970-01-01T00:00:00Z"}).encode() for one in "ab"])
    assert views.view(rows, "care").null_count == 0
    world.eraser.erase(["a"], 1)
    assert views.view(rows, "care").is_null().to_pylist() == [True, False]


def test_what_stays_is_told():
    """What no erasure takes back is listed: reversible values out of reach, and what each kind of view keeps."""
    text = POLICY.replace("{technique: pseudonym, domain: id}", "{technique: encrypt, domain: id}").replace("LATER", "drop")
    eraser = Eraser(load(PolicySource("policy.yaml", text)), KeyRing.new(), MemoryVault())
    assert eraser.out_of_reach() == ["care: id (encrypt)"]
    told = "\n".join(eraser.stays())
    assert all(word in told for word in ("care: id", "groups:", "sums:", "quarantine", "backups")) and "tokens:" not in told
