"""What does not fit the contract: which records go to quarantine, why, and what becomes of single values."""

import json

import pyarrow as pa
import pytest

from flink_masking.engine.quarantine import QuarantineReader

POLICY = """\
version: 1
stream: bad
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  mail: {class: direct}
  need: {class: plain, optional: false}
  dates[*]: {class: direct, type: date}
  born: {class: direct, type: date}
  age: {class: quasi, domain: [0, 120]}
  sick: {class: sensitive}
  inner.value: {class: plain}
  at: {class: plain, type: datetime}
SEGMENTS
"""
MASKED = """\
segments:
  one:
    view: masked
    rules:
      id: {technique: redact}
      mail: {technique: generalize, date: year, on_error: ON_ERROR}
      dates[*]: {technique: generalize, date: year, on_error: ON_ERROR}
      need: keep
  two:
    view: masked
    rules: {id: keep}
"""
STATEFUL = """\
segments:
  one: {view: masked, rules: {id: keep}}
  groups: {view: anonymized, k: 2, quasi_identifiers: [age], release: [sick]}
  sums:
    view: aggregated
    window: {tumbling: 1h}
    metrics: {n: count}
    privacy: {epsilon: 1, delta: 0.01}
"""


def policy(segments, on_error="redact", unknown=None):
    """The policy text with segments filled in."""
    text = POLICY.replace("SEGMENTS", segments.replace("ON_ERROR", on_error))
    return text + (f"unknown_fields: {unknown}\n" if unknown else "")


def record(**members):
    """A record that has what it needs."""
    return json.dumps({"need": 1, **members}, ensure_ascii=False).encode()


GOOD = record(id="a", mail="2024-01-02")


@pytest.mark.parametrize(
    ("payload", "reason", "path"),
    [
        (b'{"need":1', "malformed", None),
        (b'{"need":1}}', "malformed", None),
        (b'{"need":1,"mail":"\xc3', "malformed", None),
        (b'{"need":1,"mail":"\xc3"}', "malformed", None),
        (b'\xef\xbb\xbf{"need":1}', "malformed", None),
        (b'{"need":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "malformed", None),
        (b"[" * 10_000, None, None),
        (b'{"need":1,"mail":"' + b"x" * 10_000_000 + b'"}', "oversize", None),
        (b'{"need":1,"inner":{"value":1,"value":2}}', "duplicate_field", "inner.value"),
        (b'{"need":1,"inner":{"value":1,"val\\u0075e":2}}', "duplicate_field", "inner.value"),
        (b'{"need":1,"need":1}', "duplicate_field", "need"),
        (b'{"need":1,"inner":5}', "type_mismatch", "inner"),
        (b'{"need":1,"mail":{"x":1}}', "type_mismatch", "mail"),
        (b'{"need":1,"dates":{}}', "type_mismatch", "dates"),
        (b'{"id":"a"}', "missing_field", "need"),
        (b"{}", "missing_field", "need"),
        (b'{"need":1,"other":1}', "unknown_field", "?"),
        (b'{"need":1,"inner":{"ann@example.com":1}}', "unknown_field", "inner.?"),
        (None, "missing_payload", None),
        (b"", "malformed", None),
    ],
)
def test_a_bad_record_is_named_and_its_neighbours_go_through(run, ring, payload, reason, path):
    """Reason and path stand in the entry, the record itself is sealed in it whole, and the records around it are released."""
    done = run(policy(MASKED), [GOOD, payload, GOOD])
    assert list(done.entries) == [1]
    assert reason is None or done.reasons[1] == (reason, path)
    assert QuarantineReader(ring).payload(done.entries[1]) == (payload or b"")
    for segment in ("one", "two"):
        rows = done.view(segment)
        assert rows[1] is None and rows[0] == rows[2] is not None
    assert done.audit[0]["quarantined"] == {done.entries[1].reason: 1}


VALUES = [17, True, "soon", "2024-01-02", None, "", "2024-02-03"]


@pytest.mark.parametrize(
    ("on_error", "array"),
    [
        ("redact", ["***", "***", "***", "2024", None, "", "2024"]),
        ("nullify", [None, None, None, "2024", None, "", "2024"]),
        ("drop", ["2024", None, "", "2024"]),
    ],
)
def test_on_error_is_carried_out_value_by_value(run, on_error, array):
    """A value that a technique cannot take is redacted, nullified or removed; null, empty and good values around it are as ever."""
    done = run(policy(MASKED, on_error), [record(dates=VALUES), *(record(mail=value) for value in VALUES), record()])
    assert done.entries == {}
    first, *scalars, without = [json.loads(row) for row in done.view("one")]
    assert first["dates"] == array
    gone = "gone"
    wanted = {"redact": "***", "nullify": None, "drop": gone}[on_error]
    assert [row.get("mail", gone) for row in scalars] == [wanted, wanted, wanted, "2024", None, "", "2024"]
    assert without == {"need": 1}
    counted = done.audit[0]["segments"]["one"]["fields"]
    assert counted["mail"] == {"technique": "generalize", "values": 7, "refused": 3} == counted["dates[*]"]


def test_on_error_quarantine_takes_the_record_out_of_every_view(run):
    """One refused value, also within an array, sends its record to quarantine, and no segment releases it."""
    rows = [record(mail="2024-01-02"), record(mail="soon"), record(dates=["2024-01-02", 5]), record(dates=["2024-01-02", None])]
    done = run(policy(MASKED, "quarantine"), rows)
    assert done.reasons == {1: ("refused_value", "mail"), 2: ("refused_value", "dates[*]")}
    for segment in ("one", "two"):
        assert [row is None for row in done.view(segment)] == [False, True, True, False]


@pytest.mark.parametrize(("unknown", "left"), [("drop", {"need": 1}), ("redact", {"need": 1, "extra": "***", "inner": {"x": "***"}})])
def test_unknown_members_are_dropped_or_redacted(run, unknown, left):
    """Without quarantine an unknown member is removed, or its value hidden whole, at any depth; it never passes."""
    payload = record(extra={"deep": ["secret"]}, inner={"x": "secret"})
    done = run(policy("segments:\n  one: {view: masked, rules: {need: keep, inner.value: keep}}\n", unknown=unknown), [payload])
    assert done.entries == {}
    got = json.loads(done.view("one")[0])
    assert got | {"inner": got["inner"] or None} == {"inner": None, **left}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        ({"id": None}, ("missing_subject", "id")),
        ({"at": None}, ("missing_event_time", "at")),
        ({"at": "10:30"}, ("out_of_domain", "at")),
        ({"at": 1710498600000}, ("out_of_domain", "at")),
        ({"age": "40"}, ("out_of_domain", "age")),
        ({"age": 121}, ("out_of_domain", "age")),
        ({"age": 1e999}, ("malformed", None)),
        ({"age": None}, None),
        ({"sick": None}, None),
    ],
)
def test_stateful_segments_hold_records_to_their_contract(run, changed, expected):
    """Subject and event time must be there, and what is computed on must be of its type and domain; for null and missing alike."""
    full = {"id": "a", "age": 40, "sick": "x", "at": "2024-03-15T10:30:00Z"} | changed
    rows = [record(**full)]
    if None in changed.values():
        rows.append(record(**{name: value for name, value in full.items() if value is not None}))
    done = run(policy(STATEFUL), rows)
    assert done.reasons == ({} if expected is None else dict.fromkeys(range(len(rows)), expected))
    packed = {name: sum(batch.records for batch in done.pieces[0].packed[name]) for name in ("groups", "sums")}
    lacks = "age" in changed and expected is None
    assert packed == ({"groups": 0 if lacks else len(rows), "sums": len(rows)} if expected is None else {"groups": 0, "sums": 0})
    assert done.audit[0]["segments"]["groups"]["suppressed"] == (len(rows) if lacks else 0)


def test_a_field_that_must_be_there_may_have_wildcards_in_its_key(run):
    """A key that merely looks like a wildcard is one field, and missing when it is not there."""
    text = 'version: 1\nstream: s\nfields:\n  \'"a[*]"\': {class: plain, optional: false}\n'
    text += 'segments: {v: {view: masked, rules: {"*": keep}}}\n'
    done = run(text, [b'{"a[*]":1}', b"{}"])
    assert [reason for reason, _ in done.reasons.values()] == ["missing_field"]
    assert done.view("v") == [b'{"a[*]":1}', None]


@pytest.mark.parametrize("segments", [MASKED, STATEFUL])
def test_an_empty_batch_is_a_batch(run, segments):
    """No records: no rows, no packed batches, no quarantine, and an audit event that says so."""
    done = run(policy(segments), [], pa.array([], pa.null()))
    for piece, event in zip(done.pieces, done.audit, strict=True):
        assert (piece.records, event["records"], piece.event_time, piece.quarantine) == (0, 0, None, [])
        assert all(len(view) == 0 for view in piece.views.values()) and not any(piece.packed.values())


@pytest.mark.parametrize("value", [None, ""])
def test_nulls_and_empty_texts_everywhere_stay_what_they_are(run, value):
    """A record of nothing but JSON nulls (or empty texts) is released as it came by every technique that is asked to mask it."""
    rules = "id: {technique: pseudonym, domain: d}, mail: {technique: partial}, born: {technique: date_shift, max_days: 3}"
    text = policy(f"segments:\n  one:\n    view: masked\n    rules: {{{rules}, need: keep, sick: redact}}\n")
    members = {name: value for name in ("id", "mail", "need", "born", "sick")}
    done = run(text, [record(**members)])
    assert json.loads(done.view("one")[0]) == members
