"""A quarantine line tells every undeclared and mistyped member of its record, not the first alone, and no key that is not declared."""

import orjson
import pyarrow as pa
import pytest

from flink_masking.engine.quarantine import Entry, QuarantineReader, QuarantineWriter
from flink_masking.engine.rejections import Rejections
from flink_masking.errors import InputError
from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.column import binary_column
from flink_masking.records.json.codec import scan
from flink_masking.records.spans import Limits
from flink_masking.records.survey import LISTED, survey
from flink_masking.records.trie import Paths

POLICY = """
version: 1
stream: s
fields:
  email: {class: direct}
  age: {class: quasi}
  card.number: {class: direct}
  contacts[*].phone: {class: direct}
  tags[*]: {class: plain}
  extra: {class: plain, type: json}
  attrs.*: {class: plain}
segments: {m: {view: masked, rules: {email: redact}}}
"""
RECORD = (b'{"surprise":1,"emial":"x","age":[1],"card":{"n\\u0075mbr":null,"cvv":"1"},"contacts":[{"phone":"1"},{"phone":{},"home":true},'
          b'{"home":false}],"tags":{"a":1},"extra":{"any":1},"attrs":{"k":{}},"more":{"in":{"it":1}}}')
WRONG = [
    ("unknown_field", "?", "number", None), ("unknown_field", "?~email", "text", None), ("type_mismatch", "age", "array", "value"),
    ("unknown_field", "card.?~number", "null", None), ("unknown_field", "card.?", "text", None),
    ("type_mismatch", "contacts[*].phone", "object", "value"), ("unknown_field", "contacts[*].?", "boolean", None),
    ("unknown_field", "contacts[*].?", "boolean", None), ("type_mismatch", "tags", "object", "array"),
    ("type_mismatch", "attrs.*", "object", "value"), ("unknown_field", "?", "object", None),
]  # fmt: skip


def test_every_member_that_is_wrong_is_told(run):
    """Reason, path, found and expected type and the place of each, in the order of the record; declared members are not among them."""
    done = run(POLICY, [b'{"email":"a"}', RECORD, b'{"email":"b","new":7}', b'{"email":'])
    assert {1, 2, 3} == set(done.entries)
    found = done.entries[1].members
    assert WRONG == [member[:4] for member in found]
    for reason, path, _, _, position in found:
        key = orjson.loads(b"{%b}" % _member_at(RECORD, position))
        assert len(key) == 1 and (reason == "unknown_field" or path.rpartition(".")[2] in (*key, "*"))
    assert [("unknown_field", "?", "number", None, 13)] == [*done.entries[2].members]
    assert () == done.entries[3].members


def _member_at(record, position):
    """The member that begins at a byte, its value shortened to the nearest JSON."""
    text = record[position:]
    for end in range(1, len(text) + 1):
        try:
            orjson.loads(b"{%b}" % text[:end])
        except orjson.JSONDecodeError:
            continue
        return text[:end]
    raise AssertionError(position)


def test_no_undeclared_key_stands_in_a_line(run):
    """Lines hold no key and no value of a record in clear."""
    (piece,) = run(POLICY, [RECORD]).pieces
    ((_, line),) = piece.quarantine
    assert not any(word in line for word in (b"surprise", b"emial", b"cvv", b"home", b"more"))


@pytest.mark.parametrize("unknown", ["drop", "redact"])
def test_members_that_are_no_fault_are_not_told_by_themselves(run, unknown):
    """Where undeclared members are dropped or redacted a record is refused, and told about, for its wrong types alone."""
    done = run(POLICY.replace("stream: s", f"stream: s\nunknown_fields: {unknown}"), [b'{"new":1}', b'{"new":1,"age":{}}'])
    assert [1] == [*done.entries]
    assert ("type_mismatch", "age", "object", "value", 9) in done.entries[1].members


def test_a_record_of_many_members_has_a_list_of_bounded_length(run):
    """Members beyond the first hundred of a record are counted, and the next record's are listed."""
    many = orjson.dumps({f"k{number}": number for number in range(LISTED + 23)})
    done = run(POLICY, [many, b'{"one":1}'])
    assert (LISTED, 23, 1, 0) == (len(done.entries[0].members), done.entries[0].unlisted, len(done.entries[1].members),
                                  done.entries[1].unlisted)


def test_a_list_leaves_room_for_the_record(ring):
    """Where a line may have so many bytes only, the list takes a part of them, the rest is counted, and the line is no longer."""
    limit, records = 8_000, [orjson.dumps({f"key{number}": "x" * 20 for number in range(90)})]
    payloads, paths = binary_column(records), Paths(["email"])
    table = scan(payloads, paths)
    rows = table.flags.nonzero()[0]
    rejections = Rejections(1)
    rejections.add(rows, "unknown_field", "?")
    writer = QuarantineWriter(ring, "s", limit)
    ((_, line),) = writer.entries(payloads, rows, rejections, 0, members=survey(table, payloads, rows, Limits()))
    entry = Entry.decode(line)
    assert len(line) <= limit and len(entry.members) + entry.unlisted == 90 and entry.unlisted and entry.size == len(records[0])
    assert QuarantineReader(ring).payload(entry) and records[0].startswith(QuarantineReader(ring).payload(entry))


def test_lines_of_earlier_releases_are_read():
    """A line without a list has no members; one whose list is none is no entry."""
    line = b'{"time":"t","stream":"s","reason":"r","path":null,"position":null,"payload":"eA=="}'
    assert Entry.decode(line).members == () and Entry.decode(line).unlisted == 0
    for broken in (b'[1]', b'[["a","b","c",null]]', b'[["a","b","c",null,"d"]]', b'7'):
        with pytest.raises(InputError, match="no quarantine entry"):
            Entry.decode(line.replace(b'"payload"', b'"members":' + broken + b',"payload"'))


def test_undeclared_columns_are_told(run):
    """In CSV each undeclared column of a record, with the byte where its cell begins."""
    codec = codec_for("csv", Layout(("email", "emial", "secret")))
    payloads = pa.array([b"a@b.c,xy,z", b"d@e.f,,"], pa.binary())
    table = codec.scan(payloads, Paths(["email"]))
    found = survey(table, payloads, table.flags.nonzero()[0], Limits())
    named = [(row, found.kinds[code].path, at) for row, code, at in zip(found.rows.tolist(), found.codes.tolist(), found.positions.tolist(),
                                                                        strict=True)]
    assert [(0, "?~email", 6), (0, "?", 9), (1, "?~email", 6), (1, "?", 7)] == named


STRICT = """
version: 1
stream: s
CONTRACT
fields: {age: {class: quasi, type: number}, 'mails[*]': {class: direct, type: email}, note: {class: plain}}
segments: {m: {view: masked, rules: {age: keep, 'mails[*]': {technique: redact, fill: x, on_error: quarantine}, note: keep}}}
"""


def test_values_that_break_their_contract_are_told_with_both_types(run):
    """Under a strict contract every such value of the record is told, with what was found and what is declared, and no value."""
    record = b'{"note":1,"age":"SECRET","mails":["a@b.de","SECRET",7]}'
    done = run(STRICT.replace("CONTRACT", "contract: strict"), [b'{"age":7}', record])
    assert {1: ("contract", "age")} == done.reasons
    assert [("contract", "age", "text", "number")] == [member[:4] for member in done.entries[1].members if member.path == "age"]
    assert record[done.entries[1].members[0].position :].startswith(b'"age"')
    by_rule = STRICT.replace("CONTRACT", "contract: by_rule").replace("fill: x, ", "").replace("redact", "pseudonym, domain: d")
    done = run(by_rule, [b'{"mails":["a@b.de"]}', record])
    assert {1: ("refused_value", "mails[*]")} == done.reasons
    assert [("refused_value", "mails[*]", "text", "email"), ("refused_value", "mails[*]", "number", "email")] == [
        member[:4] for member in done.entries[1].members]
    ((_, line),) = done.pieces[0].quarantine
    assert b"SECRET" not in line
