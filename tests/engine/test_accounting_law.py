"""Input = released + suppressed + quarantined, to the record, for every segment, whatever comes in."""

import json
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.audit.events import AuditChain
from flink_masking.engine.quarantine import QuarantineReader
from flink_masking.errors import DecryptionError
from flink_masking.tools.reconcile import summarize

HEAD = """\
version: 1
stream: law
subject: id
event_time: {field: at, max_out_of_orderness: 5s}
fields:
  id: {class: identifier, optional: false}
  email: {class: direct, type: email}
  birth: {class: direct, type: date}
  age: {class: quasi, domain: [0, 120]}
  zip: {class: quasi, prefix: 5}
  illness: {class: sensitive}
  amount: {class: measure, bounds: [0, 1000], scale: 2}
  at: {class: plain, type: datetime}
  tags[*]: {class: free_text}
"""
MASKED = """\
  analytics:
    view: masked
    rules:
      id: {technique: pseudonym, domain: person}
      email: {technique: partial, keep_first: 1, keep_after: "@"}
      birth: {technique: generalize, date: year, on_error: quarantine}
      amount: keep
      tags[*]: {technique: redact, fill: "#"}
"""
SHUFFLED = """\
  development:
    view: masked
    rules:
      illness: {technique: shuffle, min_distinct: 2}
      birth: {technique: date_shift, max_days: 9, on_error: nullify}
      tags[*]: nullify
"""
ANONYMIZED = """\
  partners: {view: anonymized, k: 2, quasi_identifiers: [age, zip], release: [illness, amount], max_buffer: 4, shards: 2}
"""
AGGREGATED = """\
  dashboards:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [{zip: {generalize: 1}}]
    metrics: {n: count, people: count_distinct_subjects, spend: {sum: amount}}
    privacy: {epsilon: 50, delta: 0.1, max_groups_per_subject: 1, max_records_per_group: 2}
"""
POLICIES = {
    "masked": (HEAD + "segments:\n" + MASKED, False, False),
    "two masked": (HEAD + "unknown_fields: drop\nsegments:\n" + MASKED + SHUFFLED, False, False),
    "anonymized": (HEAD + "unknown_fields: redact\nsegments:\n" + MASKED + ANONYMIZED, True, False),
    "all": (HEAD + "unknown_fields: quarantine\nsegments:\n" + MASKED + SHUFFLED + ANONYMIZED + AGGREGATED, True, True),
}
BROKEN = [
    (None, "missing_payload"), (b"", "malformed"), (b"{", "malformed"), (b'{"id":"a",}', "malformed"), (b'{"id":NaN}', "malformed"),
    (b'{"id":"\xc3"}', "malformed"), (b'{"id":"\xed\xa0\x80"}', "malformed"), (b'{"id":"a"} {}', "malformed"), (b"[]", "not_an_object"),
    (b"7", "not_an_object"), (b"null", "not_an_object"), (b'{"id":"a","id":"b"}', "duplicate_field"), (b'{"id":["a"]}', "type_mismatch"),
    (b'{"id":"a","tags":"x"}', "type_mismatch"),
]  # fmt: skip
LATER = "2024-03-15T23:59:59.9+05:30"
"""An event time eight hours after the tests' clock."""
VALUES = {
    "id": st.sampled_from(["ann", "bob", "cy", "", 7, None]),
    "email": st.sampled_from(["ann@example.com", "none", "", 5, True, None, "ü@x"]),
    "birth": st.sampled_from(["1980-02-03", "soon", "", 1980, False, None]),
    "age": st.sampled_from([0, 33, 34, 120, 121, -1, 33.5, "33", None]),
    "zip": st.sampled_from(["94110", "94112", "941100", "", 94110, True, None, "9é"]),
    "illness": st.sampled_from(["A", "B", "C", 4, None]),
    "amount": st.sampled_from([0, 12.5, -3, 1e300, 10**25, 0.001, "12", True, None]),
    "at": st.sampled_from(["2024-03-15T10:30:00Z", LATER, "2024-03-15", "yesterday", "", 5, None]),
    "tags": st.lists(st.sampled_from(["x", "", 3, None]), max_size=2),
    "surprise": st.just("secret"),
}
COMMON = {"id": "ann", "age": 33, "zip": "94110", "at": "2024-03-15T10:30:00Z", "amount": 1}
RECORDS = st.one_of(
    st.fixed_dictionaries({}, optional=VALUES),
    st.fixed_dictionaries({}, optional=VALUES).map(lambda record: COMMON | record),
    st.fixed_dictionaries({}, optional={name: VALUES[name] for name in ("id", "illness")}).map(lambda record: COMMON | record),
)


def instant(text):
    """Whether text is a date or time."""
    try:
        return isinstance(text, str) and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def fault(record, policy, anonymized, aggregated):
    """The reason and path for which a record must be quarantined, by the rules as they are documented."""
    if "surprise" in record and "unknown_fields: drop" not in policy and "unknown_fields: redact" not in policy:
        return "unknown_field", "?"
    if "id" not in record:
        return "missing_field", "id"
    if (anonymized or aggregated) and record["id"] is None:
        return "missing_subject", "id"
    if anonymized:
        age, zip_ = record.get("age"), record.get("zip")
        if age is not None and not (type(age) is int and 0 <= age <= 120):
            return "out_of_domain", "age"
        if zip_ is not None and (isinstance(zip_, bool) or len(str(zip_)) > 5 or not str(zip_).isascii()):
            return "out_of_domain", "zip"
    if aggregated:
        if record.get("at") is None:
            return "missing_event_time", "at"
        if not instant(record["at"]):
            return "out_of_domain", "at"
        if record["at"] == LATER:
            return "future_event_time", "at"
        if record.get("amount") is not None and type(record["amount"]) not in (int, float):
            return "out_of_domain", "amount"
        if isinstance(record.get("zip"), int):
            return "out_of_domain", "zip"
    if record.get("birth") not in (None, "", "1980-02-03"):
        return "refused_value", "birth"
    return None


def encoded(record):
    """JSON, whatever the size of integers."""
    return json.dumps(record, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", POLICIES)
@given(rows=st.lists(st.one_of(RECORDS, RECORDS, RECORDS, st.sampled_from(BROKEN)), max_size=25), cut=st.integers(0, 25))
@settings(max_examples=40)
def test_every_record_is_accounted_for(run, ring, other_ring, name, rows, cut):
    """Each record is in all masked views or in quarantine, once, for the documented reason; stateful segments lose none."""
    policy, anonymized, aggregated = POLICIES[name]
    payloads = [row[0] if isinstance(row, tuple) else encoded(row) for row in rows]
    expected = {k: (row[1], None) if isinstance(row, tuple) else fault(row, policy, anonymized, aggregated) for k, row in enumerate(rows)}
    expected = {k: found for k, found in expected.items() if found}
    done = run(policy, payloads[:cut], payloads[cut:])
    found = done.reasons
    assert {k: reason for k, (reason, _) in found.items()} == {k: reason for k, (reason, _) in expected.items()}
    assert {k: path for k, (_, path) in found.items() if not isinstance(rows[k], tuple)} == {
        k: path for k, (_, path) in expected.items() if not isinstance(rows[k], tuple)}
    for row, entry in done.entries.items():
        assert QuarantineReader(ring).payload(entry) == (payloads[row] or b"")
        with pytest.raises(DecryptionError):
            QuarantineReader(other_ring).payload(entry)
    accepted = len(rows) - len(expected)
    for masked in done.plan.masked:
        assert {k for k, row in enumerate(done.view(masked.name)) if row is None} == set(expected)
    for stateful in done.plan.stateful:
        at_once = sum(event["segments"][stateful.name]["suppressed"] for event in done.audit)
        count, lines = done.counts[stateful.name], done.released[stateful.name]
        assert accepted == count["released"] + count["suppressed"] + count["bounded"] + count["late"] + at_once
        assert len(lines) == (count["rows"] if stateful.has_time else count["released"])
    assert sum(event["records"] for event in done.audit) == len(rows)
    books_balance(done, len(rows), len(expected))


def books_balance(done, records, quarantined):
    """The accounts drawn up from the files of the run agree with themselves."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder)
        chain = AuditChain("law", 1, "", 1)
        releases = [chain.event("release", 0, {"segments": {name: {"stage": "x", **count}}}) for name, count in done.counts.items()]
        contents = {
            "audit": [*(piece.audit for piece in done.pieces), *releases],
            "quarantine": [line for piece in done.pieces for _, line in piece.quarantine],
            **{masked.name: [row for row in done.view(masked.name) if row is not None] for masked in done.plan.masked},
            **done.released,
        }
        for name, lines in contents.items():
            (output / name).mkdir()
            (output / name / "part-0").write_bytes(b"".join(line + b"\n" for line in lines))
        summary = summarize(done.plan, output)
    assert (summary.input, summary.quarantined) == (records, quarantined)
    assert {account.released + account.suppressed for account in summary.segments.values()} <= {records - quarantined}
