"""The Protector: a policy without Flink."""

import json
import pickle
import time

import pandas as pd
import pyarrow as pa
import pytest

from flink_masking.engine import protect
from flink_masking.engine.quarantine import Entry, QuarantineReader
from flink_masking.errors import KeyRingError, PolicyError
from flink_masking.keys.files import create, edit
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector

POLICY = """\
version: 1
stream: customer-events
subject: customerId
event_time: {field: timestamp, max_out_of_orderness: 5s}
fields:
  customerId: {class: identifier}
  email: {class: direct, type: email}
  ssn: {class: direct, type: us_ssn}
  age: {class: quasi, domain: [0, 120]}
  purchaseAmount: {class: measure, bounds: [0, 1000], scale: 2}
  timestamp: {class: plain, type: datetime}
segments:
  masked-customer-events:
    view: masked
    rules:
      customerId: {technique: pseudonym, domain: customer}
      email: {technique: partial, keep_first: 1, keep_after: "@"}
      ssn: {technique: partial, keep_last: 4, keep_separators: true}
      purchaseAmount: keep
      timestamp: keep
  anonymized: {view: anonymized, k: 2, quasi_identifiers: [age], release: [purchaseAmount], max_delay: 1h, max_buffer: 4}
  aggregated:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {orders: count}
    privacy: {epsilon: 100, delta: 0.1}
"""
README = (b'{"customerId":"CUST12345","email":"john.doe@example.com","ssn":"123-45-6789",'
          b'"purchaseAmount":299.99,"timestamp":"2024-03-15T10:30:00Z"}')


def event(person, age):
    """An event of a person."""
    return {"customerId": f"C{person}", "age": age, "purchaseAmount": person, "timestamp": "2024-03-15T10:30:00Z"}


@pytest.fixture(scope="module")
def ring():
    """Keys."""
    return KeyRing.new()


@pytest.fixture
def protector(ring):
    """A fresh protector."""
    return Protector(PolicySource("policy.yaml", POLICY), ring)


def test_the_example_of_the_readme(tmp_path, key_uri):
    """A policy file and the address of a key ring are all that it takes."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    for given in (path, str(path), load(PolicySource.read(path))):
        result = Protector(given, key_uri).protect([README])
        (view,) = result.views["masked-customer-events"].to_pylist()
        row = json.loads(view)
        assert row.pop("customerId") not in (None, "CUST12345")
        assert row == {"email": "j***@example.com", "ssn": "***-**-6789", "purchaseAmount": 299.99, "timestamp": "2024-03-15T10:30:00Z"}
        assert result.quarantine == [] and [json.loads(line)["records"] for line in result.audit] == [1]


def test_bytes_text_and_arrow_are_taken_alike(protector):
    """Lists of bytes, str and None, pandas Series and Arrow arrays (also large and chunked) give the same views."""
    rows = [README, b"?", None, README]
    text = [row.decode() if row is not None else None for row in rows]
    wanted = protector.protect(rows)
    assert [row for row, _ in wanted.quarantine] == [1, 2]
    batches = [text, [rows[0], text[1], None, text[3]], tuple(rows), pd.Series(rows), pa.array(rows), pa.array(text),
               pa.array(rows, pa.large_binary()), pa.array(text, pa.large_string()), pa.chunked_array([rows[:1], rows[1:]], pa.binary())]
    for batch in batches:
        done = protector.protect(batch)
        assert done.views["masked-customer-events"].equals(wanted.views["masked-customer-events"])
        assert [(row, Entry.decode(line).reason) for row, line in done.quarantine] == [(1, "malformed"), (2, "missing_payload")]


@pytest.mark.parametrize("batch", [[1], [b"{}", 2.5], [{"a": 1}], [[b"x"]], pa.array([1]), pa.array([True]), b"{}", "{}", bytearray(b"{}")])
def test_anything_else_is_a_type_error(protector, batch):
    """Rows of other types, and one record in place of a batch, are refused, and their values stay out of the message."""
    with pytest.raises(TypeError, match="Hint: "):
        protector.protect(batch)


def test_half_a_surrogate_pair_spoils_its_own_row_only(protector):
    """A str that is no valid text goes to quarantine; its neighbours do not notice."""
    done = protector.protect(["{}", '{"email":"\ud800"}', README.decode()])
    assert [row for row, _ in done.quarantine][-1] == 1 and done.views["masked-customer-events"][2].is_valid


def test_stateful_segments_keep_buffers_between_calls(protector):
    """Groups are released when buffers are full; finish releases the rest, what cannot form a group is suppressed, and windows close."""
    first = protector.protect([json.dumps(event(k, 30)) for k in range(3)])
    assert first.released == {"anonymized": [], "aggregated": []}
    second = protector.protect([json.dumps(event(3 + k, 31)) for k in range(4)])
    assert len(second.released["anonymized"]) >= 2 and second.released["aggregated"] == []
    rest = protector.finish()
    amounts = sorted(json.loads(line)["purchaseAmount"] for line in [*second.released["anonymized"], *rest["anonymized"]])
    assert len(set(amounts)) == len(amounts) >= 6
    (window,) = rest["aggregated"]
    assert json.loads(window)["window_start"] == "2024-03-15T10:30:00Z"
    assert protector.finish() == {"anonymized": [], "aggregated": []}


def test_delays_end_with_the_clock(ring):
    """A record waits for company no longer than max_delay; the next call releases what forms groups by then."""
    protector = Protector(PolicySource("policy.yaml", POLICY.replace("max_delay: 1h", "max_delay: 1ms")), ring)
    first = protector.protect([json.dumps(event(k, 30)) for k in range(2)]).released["anonymized"]
    time.sleep(0.005)
    assert len(first + protector.protect([]).released["anonymized"]) == 2


def test_row_numbers_of_the_quarantine_are_those_of_the_batch(protector, ring, monkeypatch):
    """Also where a large batch is worked on in pieces, an entry names the row of the batch and holds its record."""
    monkeypatch.setattr(protect, "SPLIT_BYTES", 100)
    rows = [README, b"bad 1", README, None, b"bad 4", README, README, b"bad 7"]
    done = protector.protect(rows)
    assert [row for row, _ in done.quarantine] == [1, 3, 4, 7] and len(done.audit) > 1
    reader = QuarantineReader(ring)
    assert [reader.payload(Entry.decode(line)) for _, line in done.quarantine] == [b"bad 1", b"", b"bad 4", b"bad 7"]
    assert [row is None for row in done.views["masked-customer-events"].to_pylist()] == [k in (1, 3, 4, 7) for k in range(8)]


def test_an_empty_batch_is_no_trouble(protector):
    """No records, no rows."""
    done = protector.protect([])
    assert [len(view) for view in done.views.values()] == [0] and done.quarantine == [] and len(done.audit) == 1


def test_a_faulty_policy_or_key_ring_is_refused(ring, tmp_path):
    """Faults are found when the Protector is made, not when records come."""
    with pytest.raises(PolicyError):
        Protector(PolicySource("policy.yaml", POLICY.replace("k: 2", "k: 1")), ring)
    with pytest.raises(KeyRingError):
        Protector(PolicySource("policy.yaml", POLICY), f"file://{tmp_path}/nowhere")


def test_a_protector_does_not_give_its_keys_away(protector, ring):
    """It refuses to be pickled, and neither its repr nor that of its plan shows key material."""
    with pytest.raises(TypeError):
        pickle.dumps(protector)
    root = json.loads(ring.dump())["versions"][0]["root"]
    assert root not in repr(protector) + repr(protector.plan) + repr(vars(protector))


def test_keys_are_taken_up_between_two_batches(tmp_path):
    """A promoted version is used from the next look on, for pseudonyms and the audit; buffers of before go on, and nothing is lost."""
    path = tmp_path / "keys.json"
    create(path)
    protector = Protector(PolicySource("policy.yaml", POLICY), f"file://{path}", key_refresh_s=1e-9)
    records = [json.dumps(event(k, 30 + k % 2)) for k in range(4)]
    before = [protector.protect(records[:2]) for _ in range(2)]
    edit(path, lambda data: KeyRing.parse(data, "keys").rotated().dump())
    after = protector.protect(records)
    first, second = (result.views["masked-customer-events"].to_pylist()[:2] for result in before)
    third = after.views["masked-customer-events"].to_pylist()[:2]
    assert first == second and all(a != b for a, b in zip(second, third, strict=True))
    assert [json.loads(result.audit[0])["key_version"] for result in (*before, after)] == [1, 1, 2]
    released = [line for result in (*before, after) for line in result.released["anonymized"]] + protector.finish()["anonymized"]
    counts = protector._stateful.counts["anonymized"]
    assert len(released) == counts["released"] >= 6 and counts["released"] + counts["suppressed"] == 8


def test_a_key_ring_that_is_away_stays_in_use(tmp_path, caplog):
    """A look that fails is logged, and the ring before goes on; an open ring is never looked for."""
    path = tmp_path / "keys.json"
    create(path)
    protector = Protector(PolicySource("policy.yaml", POLICY), f"file://{path}", key_refresh_s=1e-9)
    before = protector.protect([README]).views["masked-customer-events"]
    path.unlink()
    assert protector.protect([README]).views["masked-customer-events"].equals(before)
    assert "the current one stays in use" in caplog.text
    with pytest.raises(ValueError, match="more than 0"):
        Protector(PolicySource("policy.yaml", POLICY), f"file://{tmp_path}/keys.json", key_refresh_s=0)
