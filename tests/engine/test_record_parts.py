"""Kafka's own parts of a record: masked like fields, dropped unless named, and a record without a value that deletes."""

import os

import numpy as np
import orjson
import pyarrow as pa
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine import protect
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry, QuarantineReader
from flink_masking.engine.record import Parts, Transport, header_names, keyed, part_columns
from flink_masking.errors import InputError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 3
stream: parts
subject: id
event_time: {{field: at}}
fields:
  id: {{class: identifier}}
  notes: {{class: free_text}}
  at: {{class: plain, type: datetime}}
unknown_fields: drop
segments:
  one:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: customer}}, notes: {{technique: encrypt, domain: n}}}}
    record: {one}
  two:
    view: masked
    rules: {{at: keep}}
    record: {two}
"""
SUMS = """\
  sums:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {n: count}
    privacy: {epsilon: 100, delta: 0.1}
"""
KEY = "{key: {technique: pseudonym, domain: customer}}"
KAFKA = Transport(record=True)
NOW = 1_710_504_000_000  # 2024-03-15T12:00:00Z


@pytest.fixture
def step(ring):
    """Makes a Protect of the policy with rules for its two segments."""

    def made(one=KEY, two="{}", transport=KAFKA, more=""):
        plan = compile_plan(load(PolicySource("policy.yaml", POLICY.format(one=one, two=two) + more)), ring)
        return Protect(plan, os.urandom, lambda: NOW, transport=transport)

    return made


def parts(*keys, partitions=None, **headers):
    """Keys, and headers by name."""
    columns = {name.replace("_", "-"): pa.array(values, pa.binary()) for name, values in headers.items()}
    return Parts(partitions, pa.array(keys, pa.binary()), columns)


def raw(*ids, at="2024-03-15T10:00:00Z", **more):
    """Records of people."""
    return pa.array([None if one is None else orjson.dumps({"id": one, "at": at, **more}) for one in ids], pa.binary())


def reasons(piece):
    """Reason and path of each quarantined row."""
    return {row: (entry.reason, entry.path) for row, line in piece.quarantine for entry in [Entry.decode(line)]}


def test_a_key_and_a_field_of_one_domain_can_be_joined(step):
    """The pseudonym of a key is that of the same text in a field, so that a table keyed by it joins with the records."""
    (piece,) = step()(raw("ann", "bob", "cem"), parts(b"ann", None, b"cem"))
    shown = [orjson.loads(view)["id"].encode() for view in piece.views["one"].to_pylist()]
    assert [shown[0], None, shown[2]] == piece.parts["one"].key.to_pylist()
    assert "two" not in piece.parts


def test_headers_go_by_their_rules_and_others_never(step):
    """A header is kept, masked or left away as written; one without a rule is not even asked for."""
    plan = step("{headers: {trace: keep, agent: redact, gone: drop, cut: {technique: partial, keep_last: 2}}}")
    given = parts(b"k", b"k", trace=[b"t\xff", None], agent=[b"Mozilla", b""], cut=[b"abcdef", b"abcd"])
    (piece,) = plan(raw("a", "b"), given)
    trace, agent, cut = (column.to_pylist() for column in piece.parts["one"].headers)
    assert (trace, agent[0], [text[-2:] for text in cut]) == ([b"t\xff", None], b"***", [b"ef", b"cd"])
    records = [masked.record for masked in plan._plan.masked]
    assert header_names(records, Transport(record=True)) == ["trace", "agent", "cut"] and not keyed(records, Transport(record=True))
    assert part_columns(records, Transport(record=True)) == ["header0_0", "header0_1", "header0_2"]
    assert part_columns(records, Transport()) == []


@pytest.mark.parametrize(("on_error", "key", "rejected"), [
    ("drop", None, {}), ("nullify", None, {}), ("redact", b"***", {}), ("quarantine", None, {1: ("refused_value", "record.key")}),
])  # fmt: skip
def test_a_key_that_cannot_be_taken(step, on_error, key, rejected):
    """Bytes that are no text are refused, and on_error says what becomes of them; its neighbours do not notice."""
    rule = f"{{key: {{technique: pseudonym, domain: customer, on_error: {on_error}}}}}"
    (piece,) = step(rule)(raw("a", "b", "c"), parts(b"a", b"\xff\xfe", b"c"))
    keys = piece.parts["one"].key.to_pylist()
    assert keys[1] == key and keys[0] and keys[2] and keys[0] != b"a"
    assert reasons(piece) == rejected
    assert piece.views["one"].is_null().to_pylist() == [False, bool(rejected), False]


def test_the_parts_of_a_rejected_record_do_not_leave(step):
    """Key and headers of a record in quarantine are null in every segment."""
    batch = pa.array([b"broken", b'{"id":"a"}'], pa.binary())
    (piece,) = step("{key: keep, headers: {trace: keep}}")(batch, parts(b"x", b"y", trace=[b"1", b"2"]))
    assert (piece.parts["one"].key.to_pylist(), piece.parts["one"].headers[0].to_pylist()) == ([None, b"y"], [None, b"2"])


def test_a_deletion_passes_where_it_deletes(step):
    """A record without a value passes an upsert segment with its key protected, and is suppressed elsewhere; it is no event."""
    transport = Transport(record=True, upserts=("one",))
    (piece,) = step(transport=transport, more=SUMS)(raw("ann", None, "ann"), parts(b"ann", b"ann", b"ann"))
    keys = piece.parts["one"].key.to_pylist()
    assert keys[0] == keys[1] == keys[2] != b"ann"
    assert piece.views["one"].is_null().to_pylist() == piece.views["two"].is_null().to_pylist() == [False, True, False]
    told = orjson.loads(piece.audit)
    one, two, sums = (told["segments"][name] for name in ("one", "two", "sums"))
    assert (piece.quarantined, piece.quarantine, told["quarantined"], told["records"]) == (0, [], {}, 3)
    assert (one["released"], one["tombstones"], two["released"], two["suppressed"]) == (3, 1, 2, 1)
    assert (sums["packed"], sums["suppressed"]) == (2, 1)


def test_without_an_upsert_segment_it_is_a_fault(step):
    """Where nothing can be deleted, a record without a value goes to quarantine."""
    (piece,) = step()(raw("ann", None), parts(b"ann", b"ann"))
    assert reasons(piece) == {1: ("missing_payload", None)}
    assert piece.parts["one"].key.to_pylist()[1] is None


def test_an_upsert_segment_needs_a_key_of_every_record(step):
    """Without a key, or with one that its rule cannot take, a record is quarantined whatever on_error says."""
    (piece,) = step(transport=Transport(record=True, upserts=("one",)))(raw("a", "b", None, None), parts(None, b"\xff", None, b"\xff"))
    assert reasons(piece) == {0: ("missing_key", "record.key"), 1: ("refused_value", "record.key"), 2: ("missing_key", "record.key"),
                              3: ("refused_value", "record.key")}
    assert piece.parts["one"].key.null_count == 4


def test_a_record_that_has_grown_too_large_is_quarantined(step):
    """What a topic would refuse is rejected for every segment, with its parts counted, and its neighbours go through."""
    grows = {"notes": "n" * 900}
    transport = Transport(record=True, limits={"one": 1_000})
    (piece,) = step(transport=transport)(pa.concat_arrays([raw("a"), raw("b", **grows)]), parts(b"a", b"b"))
    assert reasons(piece) == {1: ("oversize_output", None)}
    assert piece.views["one"].is_null().to_pylist() == piece.views["two"].is_null().to_pylist() == [False, True]
    (piece,) = step("{headers: {big: keep}}", transport=transport)(raw("a", "b"), parts(b"a", b"b", big=[b"x" * 990, b"y"]))
    assert reasons(piece) == {0: ("oversize_output", None)}


def test_a_quarantine_line_fits_its_topic(step, ring):
    """Of a record that is too long for a line its beginning is sealed, and the line tells the whole size; others are sealed whole."""
    batch = pa.array([b"x" * 60_000, b"short"], pa.binary())
    (piece,) = step(transport=Transport(record=True, quarantine=20_000))(batch, parts(b"k", b"k"))
    long, short = (Entry.decode(line) for _, line in piece.quarantine)
    assert all(len(line) <= 20_000 for _, line in piece.quarantine)
    reader = QuarantineReader(ring)
    assert (long.size, short.size, reader.payload(short)) == (60_000, None, b"short")
    assert 10_000 < len(reader.payload(long)) < 20_000


def test_event_time_is_kept_by_partition(step):
    """Each source partition has the largest event time of its own accepted records; without partitions, there is one."""
    batch = pa.concat_arrays([raw("a", at="2024-03-15T10:00:00Z"), raw("b", at="2024-03-15T12:00:00Z"), raw("c", at="2024-03-15T11:00:00Z"),
                              pa.array([b"broken"], pa.binary())])
    clocked = step(transport=Transport(True, True), more=SUMS)
    (piece,) = clocked(batch, parts(*[b"k"] * 4, partitions=np.array([4, 0, 4, 7], np.int32)))
    hour = 3_600_000
    ten = 1_710_496_800_000
    assert (piece.event_times, piece.event_time) == ({0: ten + 2 * hour, 4: ten + hour}, ten + 2 * hour)
    (piece,) = step(more=SUMS)(batch, parts(*[b"k"] * 4))
    assert piece.event_times == {0: ten + 2 * hour}


def test_packets_are_split_by_size(step, monkeypatch):
    """A packet is one row of Flink's: a batch that would make a large one makes several, and no record is lost."""
    monkeypatch.setattr(protect, "PACKET_BYTES", 500)
    (piece,) = step(more=SUMS)(raw(*(f"person {i}" for i in range(100))), parts(*[b"k"] * 100))
    packets = piece.packed["sums"]
    assert len(packets) > 3 and sum(packet.records for packet in packets) == 100


def test_a_batch_in_pieces_keeps_each_records_parts(step, monkeypatch):
    """Splitting a large batch changes nothing: every key and header stays with its record."""
    monkeypatch.setattr(protect, "SPLIT_BYTES", 200)
    ids = [f"person {i}" for i in range(9)]
    pieces = step("{key: keep, headers: {trace: keep}}")(raw(*ids), parts(*map(str.encode, ids), trace=[str(i).encode() for i in range(9)]))
    assert len(pieces) == 3
    keys = [key for piece in pieces for key in piece.parts["one"].key.to_pylist()]
    traces = [trace for piece in pieces for trace in piece.parts["one"].headers[0].to_pylist()]
    assert (keys, traces) == ([i.encode() for i in ids], [str(i).encode() for i in range(9)])


def test_the_audit_tells_the_rules_and_no_value(step):
    """An event names the technique of each part; neither it nor a quarantine line holds a key or a header."""
    (piece,) = step("{key: {technique: pseudonym, domain: c, on_error: quarantine}, headers: {agent: redact}, timestamp: keep}")(
        raw("a", "b"), parts(b"SECRET", b"SECRET\xff", agent=[b"HIDDEN", b"HIDDEN"]))
    told = orjson.loads(piece.audit)["segments"]["one"]["record"]
    assert told == {"key": "pseudonym", "headers": {"agent": "redact"}, "timestamp": "keep"}
    lines = piece.audit + b"".join(line for _, line in piece.quarantine)
    assert piece.quarantined == 1 and b"SECRET" not in lines and b"HIDDEN" not in lines


def test_a_transport_travels_as_text():
    """decode(encode(t)) == t, and anything else is refused in words."""
    transport = Transport(True, True, ("one", "two"), {"one": 5, "two": 6}, 7)
    assert Transport.decode(transport.encode()) == transport
    assert Transport.decode(Transport().encode()) == Transport()
    for text in ("", "{}", "[]", "7"):
        with pytest.raises(InputError, match=r"flink-masking\.transport cannot be read"):
            Transport.decode(text)


@pytest.mark.parametrize(("rule", "shown"), [("keep", [b"a@b.org", b"***", None]),
                                             ("{technique: partial, keep_after: '@'}", [b"***@b.org", b"***", None]),
                                             ("{technique: keep, on_error: nullify}", [b"a@b.org", None, None])])
def test_a_part_with_a_type_keeps_its_form(step, rule, shown):
    """A key or header with a declared type is shown so far as it has the type's form, under keep, too."""
    record = f"{{key: {rule}, key_type: email, headers: {{from: {rule}}}, header_types: {{from: email}}}}"
    column = pa.array([b"a@b.org", b"a@b.org, John Doe", None], pa.binary())
    payloads = pa.array([b'{"id":"a"}'] * 3, pa.binary())
    (done,) = step(one=record)(payloads, Parts(key=column, headers={"from": column}))
    assert done.parts["one"].key.to_pylist() == shown and done.parts["one"].headers[0].to_pylist() == shown


def test_types_of_parts_are_checked(step):
    """A type without a form in text, or of a part that does not leave, is a fault."""
    for record in ("{key: keep, key_type: number}", "{key: keep, key_type: emial}", "{key_type: email}", "{header_types: {from: email}}"):
        with pytest.raises(PolicyFaults, match="type"):
            step(one=record)
