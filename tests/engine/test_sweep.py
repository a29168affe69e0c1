"""Sweeps: what is detected in members without a rule leaves in no view, at any depth; the rest of them stays."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import plant
from scan_samples import fhir

from flink_masking import KeyRing, Protector
from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

FIELDS = 'id: {class: plain}, email: {class: direct}, a.b: {class: plain}, "tags[*]": {class: plain}, free: {class: free_text, type: json}'
PSEUDONYM = {"technique": "pseudonym", "domain": "email"}


def source(rules, fields=FIELDS, unknown="scan", own=None, more=""):
    """A policy of one masked segment."""
    own = f"unknown_fields: {json.dumps(own)}, " if own is not None else ""
    text = (f"version: 1\nstream: events\nunknown_fields: {unknown}\n{more}fields: {{{fields}}}\n"
            f"segments: {{s: {{view: masked, {own}rules: {json.dumps(rules)}}}}}\n")  # fmt: skip
    return PolicySource("policy.yaml", text)


def protector(rules, **options):
    """A Protector of one masked segment."""
    return Protector(source(rules, **options), KeyRing.ephemeral())


def lines(protect, *records):
    """The lines of the view for records, dicts or bytes."""
    raw = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    return protect.protect(raw).views["s"].to_pylist()


def seen(protect, *records):
    """The records of the view, parsed; None where one went to quarantine."""
    return [None if line is None else json.loads(line) for line in lines(protect, *records)]


def test_undeclared_members_stay_without_what_is_detected_in_them():
    """Texts, numbers, keys and nested values are swept; what nothing is found in stays byte for byte."""
    raw = (b'{"id": 7, "note":"to jane@example.com", "n": 4111111111111111, "x": {"jane@example.com": [1.50, true, null, '
           b'"10.1.2.3"]},\t"plain": "\\u00e4b",  "empty": {}}')  # fmt: skip
    (line,) = lines(protector({"id": "keep"}), raw)
    assert line == (b'{"id": 7, "note":"to <EMAIL>", "n": "<CARD_NUMBER>", "x": {"<EMAIL>": [1.50, true, null, '
                    b'"<IP_ADDRESS>"]},\t"plain": "\\u00e4b",  "empty": {}}')  # fmt: skip


def test_the_rule_for_all_others_sweeps_declared_and_undeclared_members():
    """``"*": redact_text`` is for declared fields of any kind without a rule, and with ``scan`` for undeclared members, too."""
    rules = {"email": PSEUDONYM, "*": {"technique": "redact_text", "entities": {"EMAIL": PSEUDONYM, "IP": "keep"}}}
    jane = "jane@example.com"
    (found,) = seen(protector(rules), {"id": 4111111111111111, "email": jane, "a": {"b": f"by {jane}", "new": [jane, "10.1.2.3"]},
                                       "tags": [7, jane], "free": {jane: {"n": 5}}, "more": {"deep": {"deeper": jane}}})  # fmt: skip
    stand_in = found["email"]
    assert stand_in != jane
    assert found == {"id": "<CARD_NUMBER>", "email": stand_in, "a": {"b": f"by {stand_in}", "new": [stand_in, "10.1.2.3"]},
                     "tags": [7, stand_in], "free": {stand_in: {"n": 5}}, "more": {"deep": {"deeper": stand_in}}}  # fmt: skip


@pytest.mark.parametrize(("unknown", "own", "expected"), [
    ("drop", None, {"id": 1, "a": {"b": "at <EMAIL>"}}),
    ("redact", None, {"id": 1, "a": {"b": "at <EMAIL>", "c": "***"}, "z": "***"}),
    ("quarantine", None, None),
    ("scan", None, {"id": 1, "a": {"b": "at <EMAIL>", "c": "<EMAIL>"}, "z": "secret"}),
    ("scan", "drop", {"id": 1, "a": {"b": "at <EMAIL>"}}),
    ("scan", {"technique": "redact_text", "deny": ["SECRET"], "entities": ["PHONE"]},
     {"id": 1, "a": {"b": "at <EMAIL>", "c": "j@example.com"}, "z": "***"}),
])  # fmt: skip
def test_the_segments_rule_for_undeclared_members(unknown, own, expected):
    """Undeclared members go by the policy's ``unknown_fields``; where that is scan, by the segment's own, declared ones by ``"*"``."""
    protect = protector({"id": "keep", "*": "redact_text"}, unknown=unknown, own=own)
    assert seen(protect, {"id": 1, "a": {"b": "at j@example.com", "c": "j@example.com"}, "z": "secret"}) == [expected]


def test_a_sweep_without_a_default_rule_leaves_declared_fields_out():
    """Declared fields without a rule are dropped; only undeclared members are swept."""
    assert seen(protector({"id": "keep"}), {"id": 1, "email": "j@example.com", "free": {"x": 1}, "z": 2}) == [{"id": 1, "z": 2}]


@pytest.mark.parametrize("raw", [
    b'{"id":1,"z":"\xff jane@example.com"}', b'{"id":1,"z":"\\ud83d jane@example.com"}', b'{"id":1,"z":["jane@example.com"}',
    b'{"id":1,"z":' + b"[" * 200 + b'"jane@example.com"' + b"]" * 200 + b"}", b'{"id":1,"z":"' + b"jane@example.com " * 70_000 + b'"}',
    b'{"id":1,"z":NaN}', b'{"id":1,"id":2,"z":"jane@example.com"}',
])  # fmt: skip
def test_what_cannot_be_swept_goes_to_quarantine(raw):
    """Records that are malformed, nested too deep or too long are quarantined; their neighbours leave."""
    made = lines(protector({"id": "keep"}), b'{"id":0,"z":"j@example.com"}', raw, b'{"id":2}')
    assert made == [b'{"id":0,"z":"<EMAIL>"}', None, b'{"id":2}']


@pytest.mark.parametrize("text", [
    "jane\\u0040example.com", json.dumps({"mail": "jane@example.com"}), json.dumps({"mail": "jane\\u0040example.com"}),
    json.dumps(json.dumps({"a": ["jane@example.com"]})), json.dumps(json.dumps("jane@example.com").replace("@", "\\u0040")),
    "x\\njane@example.com",
])  # fmt: skip
def test_escapes_hide_nothing(text):
    """JSON inside of a text, escaped any number of times, is searched; what is left is JSON as before."""
    (line,) = lines(protector({"id": "keep"}), {"id": 1, "z": text})
    inner = json.loads(line)["z"]
    assert "jane" not in inner and "<EMAIL>" in inner
    while isinstance(inner, str) and inner.startswith(("{", '"')):
        inner = json.loads(inner)


def test_escapes_without_end_are_hidden_whole():
    """A text with escapes inside of escapes, more than are read, is hidden; backslashes alone stay."""
    text = "jane@example.com"
    for _ in range(12):
        text = json.dumps(text.replace("@", "\\u0040") if "@" in text else text)
    (hidden,) = seen(protector({"id": "keep"}), {"id": 1, "z": text, "y": "C:\\new\\table\\", "x": "\\\\\\\\host\\share"})
    assert "jane" not in hidden["z"]
    assert (hidden["y"], hidden["x"]) == ("C:\\new\\table\\", "\\\\\\\\host\\share")


@pytest.mark.parametrize("unit", ["a.", "0:", "A", "@", "Zq ", "éÉ", "1", "\\", '{"a":', "password=a "])
def test_a_megabyte_of_one_token(unit):
    """A value of nearly a megabyte of one token does not stop the batch, and what stands beside it is found."""
    (found,) = seen(protector({"id": "keep"}), {"id": 1, "z": unit * (400_000 // len(json.dumps(unit))), "y": "j@example.com"})
    assert found["y"] == "<EMAIL>"


def test_keys_that_become_equal_are_told_apart():
    """Different keys of one object that become one placeholder get numbers; equal keys of other objects do not."""
    record = {"id": 1, "z": {"a@example.com": 1, "b@example.com": 2, "c@example.com": 3}, "y": [{"a@example.com": 1}, {"a@example.com": 2}]}
    (found,) = seen(protector({"id": "keep"}), record)
    assert found == {"id": 1, "z": {"<EMAIL>": 1, "<EMAIL> 2": 2, "<EMAIL> 3": 3}, "y": [{"<EMAIL>": 1}, {"<EMAIL>": 2}]}


def test_part_rules_and_sweeps_together():
    """A rule for a part of a text, ``within``, and ``redact_text`` within a part go together with a sweep of what no rule names."""
    rules = {"email": {**PSEUDONYM, "within": {"prefix": "mailto:"}},
             "a.b": {"technique": "redact_text", "within": {"prefix": "note: "}}, "*": "redact_text"}  # fmt: skip
    (found,) = seen(protector(rules), {"id": "at 10.1.2.3", "email": "mailto:j@example.com", "a": {"b": "note: j@example.com x"}})
    assert found["email"].startswith("mailto:") and "@" not in found["email"]
    assert (found["id"], found["a"]["b"]) == ("at <IP_ADDRESS>", "note: <EMAIL> x")


def test_values_that_break_their_contract_go_by_on_error():
    """A swept field with a type keeps its contract: other values go by the rule's on_error."""
    fields = "id: {class: plain, type: integer}, when: {class: plain, type: date, optional: true}"
    for on_error, expected in (("redact", {"id": 1, "when": "***"}), ("drop", {"id": 1}), ("quarantine", None)):
        protect = protector({"id": "keep", "*": {"technique": "redact_text", "on_error": on_error}}, fields=fields)
        assert seen(protect, {"id": 1, "when": "jane"}) == [expected]


def test_the_audit_counts_what_was_swept():
    """The report has the swept fields and the undeclared members of accepted records under ``*``."""
    result = protector({"id": "keep", "*": "redact_text"}).protect([b'{"id":1,"x":1,"y":2}', b'{"id":2,"a":{"b":"t"}}', b"broken"])
    fields = json.loads(result.audit[0])["segments"]["s"]["fields"]
    assert fields["*"] == {"technique": "redact_text", "values": 2, "refused": 0}
    assert fields["a.b"] == {"technique": "redact_text", "values": 1, "refused": 0}


TREES = st.recursive(st.sampled_from([1, 1.5, None, True, "", "plain", "ä\n", "j@example.com", 4111111111111111, "at 10.1.2.3"]),
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["k", "l", "m n", "q@example.com"]), inner,
                                                                                 max_size=3), max_leaves=8)  # fmt: skip
INSTEAD = {"j@example.com": "<EMAIL>", "q@example.com": "<EMAIL>", 4111111111111111: "<CARD_NUMBER>", "at 10.1.2.3": "at <IP_ADDRESS>"}


def redacted(tree):
    """The definition of a sweep, one value at a time."""
    if isinstance(tree, dict):
        return {redacted(key): redacted(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [redacted(value) for value in tree]
    return INSTEAD.get(tree, tree) if isinstance(tree, str | int) and not isinstance(tree, bool) else tree


SWEPT = protector({"id": "keep"})


@settings(deadline=None, max_examples=80)
@given(st.lists(st.dictionaries(st.sampled_from(["k", "x", "q@example.com", "free", "email"]), TREES, max_size=4), max_size=5))
def test_a_batch_is_swept_as_its_values_are(records):
    """A sweep of a batch gives what the definition gives for each value, whatever surrounds it."""
    kept = [{key: value for key, value in record.items() if key not in ("free", "email")} for record in records]
    fit = [not isinstance(record.get("email"), dict | list) for record in records]
    assert seen(SWEPT, *records) == [redacted(record) if good else None for record, good in zip(kept, fit, strict=True)]


@pytest.mark.parametrize("seed", [5, 6])
def test_nothing_planted_in_undeclared_members_of_fhir_leaves(seed):
    """Of data planted at any depth of FHIR resources, in texts, keys, numbers and escapes, nothing is in the view; no record is lost."""
    planted, values = plant(fhir(150, seed), seed)
    view = lines(protector({"id": "keep"}, fields="id: {class: plain}, resourceType: {class: plain, optional: true}"), *planted)
    assert None not in view and len(values) > 150
    assert [value for value in values if value.encode() in b"".join(planted).replace(b"\\u0040", b"@")] != []
    shown = "\n".join(text for line in view for text in (line.decode(), json.dumps(json.loads(line), ensure_ascii=False)))
    shown += shown.replace("\\", "")
    assert [value for value in values if value in shown] == []


@pytest.mark.parametrize(("change", "message"), [
    ({"more": "format: csv\n"}, "cannot be swept"),
    ({"unknown": "drop", "own": "redact_text"}, "unknown_fields: scan"),
    ({"own": "pseudonym"}, "left out, or go by redact_text"),
    ({"own": {"technique": "redact_text", "entities": ["EMIAL"]}}, "EMAIL"),
])  # fmt: skip
def test_policies_that_cannot_be_swept_are_refused(change, message):
    """What a format cannot do, and rules that do not sweep, are faults with a hint."""
    with pytest.raises(PolicyFaults) as refused:
        load(source({"id": "keep"}, **change))
    assert message in str(refused.value) and "hint: " in str(refused.value)


def test_check_says_what_a_sweep_shows():
    """A warning says that undeclared members are shown, and which identifying fields ``"*"`` shows in part."""
    warnings = [fault.message for fault in load(source({"id": "keep", "*": "redact_text"})).warnings]
    assert any("undeclared members are shown" in text for text in warnings)
    assert any("'email'" in text and "not detected" in text for text in warnings)


def test_paths_of_maps_are_forgotten():
    """Members with data as keys, different in every batch, fill no table and keep what other keys say."""
    protect = protector({"id": "keep"})
    for batch in range(4):
        records = [{"id": row, "z": {f"k{batch}x{row}y{n}": 1 for n in range(20)}} for row in range(200)]
        made = seen(protect, *records, {"id": 1, "phone": "5551234567", "z": {"password": "hunter2secret"}})
        assert made[-1] == {"id": 1, "phone": "<PHONE>", "z": {"password": "<PASSWORD>"}}


def test_a_new_key_is_never_one_that_stays():
    """Where an object has a key that looks like what a key becomes, both members stay, by different keys."""
    found = lines(protector({"id": "keep"}), {"id": 1, "z": {"<EMAIL>": 1, "a@example.com": 2, "b@example.com": 3, "<EMAIL> 2": 4}},
                  {"id": 2, "a@example.com": 5, "<EMAIL>": 6})  # fmt: skip
    members = [json.loads(line, object_pairs_hook=lambda pairs: pairs) for line in found]
    keys = [[key for key, _ in record] for record in (members[0][1][1], members[1])]
    assert all(len(set(names)) == len(names) for names in keys) and not any("@" in name for names in keys for name in names)
    assert {"<EMAIL>": 1, "<EMAIL> 2": 4}.items() <= dict(members[0][1][1]).items() and dict(members[1])["<EMAIL>"] == 6


@pytest.mark.parametrize("number", ["4.111111111111111E15", "4111111111111111e0", "41111111111111110e-1", "-4.111111111111111e+15"])
def test_numbers_with_an_exponent_are_read(number):
    """Java writes whole numbers of eight digits or more with an exponent: they are searched like any other."""
    raw = f'{{"id":1,"n":{number},"far":1e999999999,"low":1e-9999999999999999999,"plain":1.5e3}}'.encode()
    (line,) = lines(protector({"id": "keep"}), raw)
    assert b"<CARD_NUMBER>" in line and b"111111" not in line
    assert line.endswith(b'"far":1e999999999,"low":1e-9999999999999999999,"plain":1.5e3}')


@pytest.mark.parametrize("text", ["https://jane\\u0040example.com:pw12345@host/x", "https://jane\\u0040example.com/x",
                                  "https://shop.example.com/jane\\u0040example.com"])  # fmt: skip
def test_what_is_kept_does_not_keep_what_lies_in_it_behind_escapes(text):
    """A type that is kept, found in a text as written, keeps nothing of another type that shows once escapes are read."""
    protect = protector({"id": "keep", "*": {"technique": "redact_text", "entities": {"URL": "keep"}}})
    (line,) = lines(protect, {"id": 1, "z": text})
    assert b"jane" not in line and b"pw12345" not in line


def test_records_of_two_gibibytes_are_not_needed_to_split():
    """Slices of one column are swept as columns of their own."""
    column = pa.array([json.dumps({"id": n, "z": f"j{n}@example.com"}).encode() for n in range(9)])
    made = protector({"id": "keep"}).protect(column.slice(4, 3)).views["s"].to_pylist()
    assert made == [json.dumps({"id": n, "z": "<EMAIL>"}).encode() for n in (4, 5, 6)]
