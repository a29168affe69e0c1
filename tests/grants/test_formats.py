"""Granted views of other formats, nested records and segments that drop whole objects."""

import json

import pytest
from granted_jobs import policy_of

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

NESTED = """\
version: 1
stream: s
subject: customer.id
unknown_fields: {unknown}
fields:
  customer.id: {{class: identifier}}
  customer.address.city: {{class: quasi, type: text, optional: true}}
  customer.address.street: {{class: direct, type: text, optional: true}}
  phones[*]: {{class: direct, type: phone, optional: true}}
  note: {{class: free_text, type: text, optional: true}}
  extra.a: {{class: plain, type: text, optional: true}}
segments:
  support: {{view: masked, rules: {{customer.id: {{technique: pseudonym, domain: d}}, note: {note}, "*": {default}}}}}
  debug:
    view: granted
    of: support
    may_show: {{customer.address.city: keep, "phones[*]": {{technique: partial, keep_last: 2}}}}
    max_duration: 2h
    max_records: 100
"""
CSV = """\
version: 1
stream: s
format: csv
columns: [id, ssn, amount]
subject: id
fields:
  id: {class: identifier}
  ssn: {class: direct}
  amount: {class: plain, type: number}
segments:
  support: {view: masked, rules: {id: {technique: pseudonym, domain: d}, amount: keep}}
  debug: {view: granted, of: support, may_show: {ssn: keep, amount: {technique: generalize, width: 10}}, max_duration: 2h, max_records: 100}
"""


def nested(unknown="drop", default="drop", note="redact"):
    """A policy for nested records."""
    return load(PolicySource("policy.yaml", NESTED.format(unknown=unknown, default=default, note=note)))


def one(number, **more):
    """A nested record."""
    address = {"city": "Bern", "street": "Weg 1"}
    return json.dumps({"customer": {"id": f"p{number}", "address": address}, "phones": ["+41 79 123 45 67", None],
                       "note": "mail me at a@example.com", "extra": {"a": "x"}, "foreign": {"b": 1}, **more}).encode()


@pytest.mark.parametrize("default", ["drop", "redact"])
@pytest.mark.parametrize("unknown", ["drop", "redact"])
def test_a_field_in_an_object_that_is_dropped(job, default, unknown):
    """The granted member is shown, its siblings stay as in the masked segment, and nothing of what is undeclared is shown."""
    made = job(nested(unknown, default))
    made.grant(["p1"], fields={"customer.address.city": None, "phones[*]": None})
    records = [one(0), one(1, phones=[]), one(1)]
    masked, shown = made.shown(records, "support"), made.shown(records)
    assert shown[0] is None and shown[2]["customer"]["address"]["city"] == "Bern" and shown[2]["phones"] == ["***67", None]
    assert shown[2]["customer"]["id"] == masked[2]["customer"]["id"] and shown[2]["note"] == "***"
    assert "Weg" not in json.dumps(shown) and "a@example.com" not in json.dumps(shown) and '"b": 1' not in json.dumps(shown)
    if default == "redact":
        customer = {**masked[2]["customer"], "address": {"city": "Bern", "street": "***"}}
        assert shown[2] == {**masked[2], "customer": customer, "phones": ["***67", None]}


def test_a_grant_for_one_of_two_fields_below_a_dropped_object(job):
    """A field that is not granted is dropped, where the masked segment drops the object that it is in."""
    made = job(nested())
    made.grant(["p0"], fields={"phones[*]": None})
    made.grant(["p1"], fields={"customer.address.city": None})
    shown = made.shown([one(0), one(1)])
    assert "city" not in json.dumps(shown[0]) and shown[0]["phones"] == ["***67", None]
    assert shown[1]["customer"]["address"] == {"city": "Bern"} and "phones" not in json.dumps(shown[1]).replace('"phones": []', "")


def test_csv(job):
    """The granted column is there; a cell that is not granted is empty, and numbers are compared as numbers."""
    made = job(load(PolicySource("policy.yaml", CSV)))
    made.grant(where={"amount": 12.5}, fields={"ssn": None})
    made.grant(["p3"], fields={"amount": None})
    piece = made([b"p1,078051120,12.50", b"p2,078051120,12.51", b"p3,219099999,47"])
    header = made.protect.plan.columns("debug")
    first, second, third = piece.views["debug"].to_pylist()
    support = piece.views["support"].to_pylist()
    assert header == ("id", "ssn", "amount") and second is None
    assert first.split(b",")[1:] == [b"078051120", b"12.50"] and first.split(b",")[0] == support[0].split(b",")[0]
    assert third.split(b",")[1] in (b"", b'""') and third.split(b",")[2] != b"47"


@pytest.mark.parametrize(("change", "place", "told"), [
    (("of: support", "of: suport"), (17, 9), "'suport' is not a segment"),
    (("of: support", "of: debug"), (17, 9), "is granted, and a grant opens records of a masked segment"),
    (("ssn: keep", "sn: keep"), (18, 60), "'sn' is not a declared field"),
    (("ssn: keep", "ssn: {technique: shuffle}"), (18, 65), "takes values from other records"),
    (("ssn: keep", '"*": keep'), (18, 60), "stands for all others"),
    (("max_records: 1000", "max_records: 0"), None, "max_records"),
    (("max_duration: 2h", "max_duration: 2h\n    rules: {ssn: keep}"), None, "unknown key 'rules'"),
    (("max_duration: 2h", "max_duration: 2 hours"), None, "is not a duration"),
])
def test_faults_have_places(change, place, told):
    """A granted segment that cannot be is refused at its line and column, once."""
    with pytest.raises(PolicyFaults) as found:
        policy_of(change=change)
    (fault,) = found.value.faults
    assert told in fault.message
    if place is not None:
        assert (fault.line, fault.column) == place


def test_a_field_that_is_searched_in_the_masked_segment_needs_a_rule():
    """What redact_text finds in fields without a rule of their own is found by place: such a field cannot be granted."""
    with pytest.raises(PolicyFaults, match="has no rule of its own in 'support'"):
        nested("scan", "redact_text", "redact_text")


def test_may_show_is_isolated_from_other_segments():
    """A key domain that may_show shares with a segment other than its own is told as any other."""
    fpe = "ssn: {technique: fpe, format: ssn, domain: other}"
    claims = f"segments:\n  claims: {{view: masked, rules: {{id: {{technique: pseudonym, domain: c}}, {fpe}}}}}\n"
    loaded = policy_of(may_show=fpe, change=("segments:\n", claims))
    assert any("share the key domain 'other'" in warning.message for warning in loaded.warnings)
    assert not any("key domain" in warning.message for warning in policy_of(may_show="email: {technique: pseudonym, domain: e}").warnings)


SWEPT = """\
version: 1
stream: s
subject: id
unknown_fields: scan
fields:
  id: {class: identifier}
  ssn: {class: direct, optional: true}
  attrs.*: {class: plain, type: text, optional: true}
segments:
  support:
    view: masked
    rules: {id: {technique: pseudonym, domain: d}, ssn: drop, attrs.*: redact}
    keys: {attrs.*: {technique: pseudonym, domain: k}}
  debug: {view: granted, of: support, may_show: {ssn: keep}, max_duration: 2h, max_records: 100}
"""


def test_undeclared_members_and_open_objects(job):
    """What is found in undeclared members, and keys that are data, are hidden in a granted record as in the masked one."""
    made = job(load(PolicySource("policy.yaml", SWEPT)))
    made.grant(["p1", "p3"], fields={"ssn": None})
    records = [json.dumps({"id": f"p{number}", "pad": "x" * number, "ssn": f"{number:09d}", "attrs": {f"key{number}": "v", "more": "w"},
                           "free": f"write to a{number}@example.com now"}).encode() for number in range(5)]
    masked, shown = made.shown(records, "support"), made.shown(records)
    assert [one is not None for one in shown] == [False, True, False, True, False]
    for number in (1, 3):
        assert shown[number] == {**masked[number], "ssn": f"{number:09d}"} and "example.com" not in json.dumps(shown[number])
        assert "key" not in json.dumps(list(shown[number]["attrs"])) and len(shown[number]["attrs"]) == 2


def test_the_record_is_as_in_the_masked_segment_byte_for_byte(job):
    """All bytes outside the granted values are those of the masked segment's record, random techniques among them."""
    text = SWEPT.replace("ssn: drop, attrs.*: redact", "ssn: redact, attrs.*: {technique: encrypt, domain: x}")
    made = job(load(PolicySource("policy.yaml", text)))
    made.grant(["p1"], fields={"ssn": None})
    piece = made([b'{"id" : "p0"}', b'{ "id":"p1",  "ssn":"078051120", "attrs":{"a":"secret"} , "free":"a@example.com"}'])
    masked, shown = piece.views["support"][1].as_py(), piece.views["debug"][1].as_py()
    assert shown == masked.replace(b'"***"', b'"078051120"', 1) and shown != masked and b"secret" not in shown


def test_ids_of_grants_stand_beside_records(job):
    """Each record tells the grants that opened it, for a header; records that are not there tell none."""
    made = job()
    one, two = made.grant(["p0", "p1"], fields={"ssn": None}), made.grant(["p1"], fields={"email": None})
    piece = made([json.dumps({"id": f"p{number}", "ssn": "078051120"}).encode() for number in range(3)])
    first, second, third = piece.grants["debug"].to_pylist()
    assert first == one.encode() and set(second.split(b",")) == {one.encode(), two.encode()} and third is None


def test_with_segments_that_count_people(job):
    """Subjects are found as well by the hashes that people are counted with, before and after another key version is the primary."""
    k = "  anonymous: {view: anonymized, k: 2, quasi_identifiers: [region]}\n"
    quasi = "region: {class: plain, values: [eu, us]", "region: {class: quasi, prefix: 2"
    made = job(policy_of(change=("segments:\n", "segments:\n" + k), quasi=quasi))
    made.grant(["p1", "p3"])
    records = [json.dumps({"id": f"p{number}", "ssn": "078051120", "region": "eu"}).encode() for number in range(5)]
    expected = [False, True, False, True, False]
    assert [one is not None for one in made.shown(records)] == expected
    made.ring = made.ring.rotated()
    assert [one is not None for one in made.shown(records)] == expected


def test_many_grants(job):
    """Each of many grants opens its own subject's records, and counts them for itself."""
    made = job(policy_of(most=2))
    names = [made.grant([f"p{number}"]) for number in range(0, 60, 3)]
    records = [json.dumps({"id": f"p{number % 30}", "ssn": "078051120"}).encode() for number in range(90)]
    done = made.event(records)["segments"]["debug"]
    assert done["released"] == 20 and done["grants"] == dict.fromkeys(names[:10], 2)


def test_verify_says_that_it_has_no_promise_to_check(tmp_path):
    """A granted view is not verified against raw records, and the error says what to ask instead."""
    from flink_masking.errors import PolicyError
    from flink_masking.verify.files import verify

    with pytest.raises(PolicyError, match="granted view"):
        verify(policy_of().source, tmp_path, tmp_path, "debug")


@pytest.mark.parametrize(("where", "opened"), [({"extra.a": "x"}, [0, 1]), ({"customer.address.street": "Weg 2"}, [1]),
                                               ({"note": "n"}, []), ({"phones[*]": "1"}, [])])
@pytest.mark.parametrize("default", ["drop", "keep", "redact"])
def test_predicates_on_fields_that_no_view_reads(job, where, opened, default):
    """A predicate may name a field that all segments drop with its object, or keep as it is; one of several values is refused."""
    made = job(nested("drop", default))
    made.grant(where=where, fields={"phones[*]": None})
    address = {"city": "Bern", "street": "Weg 2"}
    shown = made.shown([one(0), one(1, customer={"id": "p1", "address": address})])
    assert [row for row, found in enumerate(shown) if found is not None] == opened
    if default == "drop":
        assert "Weg" not in json.dumps(shown) and "extra" not in json.dumps(shown)
