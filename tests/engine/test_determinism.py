"""Same keys, same output; other keys, other pseudonyms; how a stream is cut into batches changes nothing that is local to a row."""

import itertools
import json
import os

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.engine import protect
from flink_masking.generate import write_events

POLICY = """\
version: 1
stream: steady
subject: customerId
event_time: {field: timestamp, max_out_of_orderness: 5s}
fields:
  customerId: {class: identifier}
  name: {class: direct}
  email: {class: direct, type: email}
  ssn: {class: direct}
  card.number: {class: direct}
  card.brand: {class: plain}
  contacts[*].phone: {class: direct}
  contacts[*].kind: {class: plain}
  birthDate: {class: direct, type: date}
  age: {class: quasi, domain: [0, 120]}
  zip: {class: quasi, prefix: 5}
  diagnosis: {class: sensitive}
  purchaseAmount: {class: measure, bounds: [0, 1000], scale: 2}
  notes: {class: free_text}
  timestamp: {class: plain, type: datetime}
segments:
  steady:
    view: masked
    rules:
      customerId: {technique: pseudonym, domain: customer}
      name: {technique: substitute, as: full_name, domain: person}
      email: {technique: partial, keep_first: 1, keep_after: "@"}
      ssn: {technique: partial, keep_last: 4, keep_separators: true}
      card: keep
      contacts[*].phone: {technique: substitute, as: phone, domain: phone}
      contacts[*].kind: keep
      birthDate: {technique: date_shift, max_days: 30}
      age: {technique: generalize, width: 10}
      zip: {technique: generalize, prefix: 3}
      diagnosis: nullify
      purchaseAmount: {technique: perturb, relative: 0.05, scale: 2, mode: keyed}
      notes: {technique: redact, fill: "#"}
      timestamp: {technique: generalize, date: hour}
  moved:
    view: masked
    rules: {diagnosis: {technique: shuffle, min_distinct: 2}, purchaseAmount: {technique: perturb, relative: 0.5, scale: 2}}
  groups: {view: anonymized, k: 3, quasi_identifiers: [age, zip], release: [diagnosis], max_buffer: 50}
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """A few hundred nested events, some of them broken."""
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    write_events(path, 200, 60, 3, "nested", None)
    rows = path.read_bytes().splitlines()
    rows[10:10] = [b"?", None, rows[0][:-1], b'{"customerId":"x","odd":1}', rows[1].replace(b'"age":', b'"age":9'), b"{}"]
    return rows


def test_the_same_keys_give_the_same_output(run, events):
    """Two runs with the same ring agree to the byte where techniques are deterministic, and in what is quarantined."""
    first, second = run(POLICY, events), run(POLICY, events)
    assert first.view("steady") == second.view("steady")
    assert first.reasons == second.reasons and len(first.reasons) >= 4
    assert first.view("moved") != second.view("moved")


def test_other_keys_give_other_pseudonyms(run, events, other_ring):
    """Nothing keyed is shared between two rings: no pseudonym, and hardly a substitute; unkeyed masks are the same."""
    runs = run(POLICY, events), run(POLICY, events, keys=other_ring)
    mine, theirs = ([json.loads(row) for row in done.view("steady") if row] for done in runs)
    ids = [{row["customerId"] for row in rows if "customerId" in row} for rows in (mine, theirs)]
    assert len(ids[0]) == len(ids[1]) > 40 and not ids[0] & ids[1]
    assert [row.get("ssn") for row in mine] == [row.get("ssn") for row in theirs]
    assert [row.get("birthDate") for row in mine] != [row.get("birthDate") for row in theirs]


def test_the_same_entropy_gives_the_same_random_masks(run, events):
    """Randomness comes from the given source alone, a fresh seed for each batch and segment."""
    drawn = []

    def entropy(n):
        drawn.append(bytes([len(drawn) % 2] * n))
        return drawn[-1]

    views = [run(POLICY, events, entropy=entropy).view("moved") for _ in range(2)]
    assert views[0] == views[1] and len(drawn) == 4


@given(cuts=st.lists(st.integers(0, 206), max_size=5))
@settings(max_examples=15)
def test_cutting_a_stream_into_batches_changes_nothing(run, events, cuts):
    """Row-local deterministic segments and the quarantine are the same however records are put into batches."""
    whole = run(POLICY, events)
    edges = [0, *sorted(cuts), len(events)]
    pieces = run(POLICY, *(events[a:b] for a, b in itertools.pairwise(edges)))
    assert pieces.view("steady") == whole.view("steady")
    assert pieces.reasons == whole.reasons


@pytest.mark.parametrize("limit", [0, 500, 5_000])
def test_a_large_batch_is_worked_on_in_pieces(run, events, monkeypatch, limit):
    """Beyond the limit a batch is halved until its pieces fit or hold one record; the views are the same, row by row."""
    whole = run(POLICY, events)
    monkeypatch.setattr(protect, "SPLIT_BYTES", limit)
    done = run(POLICY, events)
    assert len(done.pieces) == len(events) if limit == 0 else 1 < len(done.pieces) < len(events)
    assert sum(piece.records for piece in done.pieces) == len(events)
    assert done.view("steady") == whole.view("steady") and done.reasons == whole.reasons


def test_slices_and_strings_are_as_good_as_a_binary_column(planned, run, events):
    """A slice of an Arrow column, with nulls, in binary or string, gives what its rows give by themselves."""
    step = protect.Protect(planned(POLICY), os.urandom, lambda: 0)
    column = pa.array([b"before", *events, b"after"], pa.binary())
    for kind in (pa.binary(), pa.string()):
        (piece,) = step(column.cast(kind).slice(1, len(events)))
        assert piece.views["steady"].to_pylist() == run(POLICY, events).view("steady")
        assert [row for row, _ in piece.quarantine] == sorted(run(POLICY, events).entries)
