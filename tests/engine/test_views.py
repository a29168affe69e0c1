"""What a view shows: kept bytes as they came, nothing of rejected records, no clear value where none belongs."""

import json
import re

import orjson
import pytest

POLICY = """\
version: 1
stream: views
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  mail: {class: direct, type: email}
  born: {class: direct, type: date}
  age: {class: quasi, domain: [0, 120]}
  sick: {class: sensitive}
  "a.b": {class: plain}
  amount: {class: plain}
  deep.list[*].x: {class: plain}
  at: {class: plain, type: datetime}
segments:
  kept:
    view: masked
    rules: {"*": keep}
  one:
    view: masked
    rules:
      id: {technique: pseudonym, domain: d}
      mail: {technique: partial, keep_first: 1, keep_after: "@"}
      sick: {technique: shuffle, min_distinct: 2, on_error: quarantine}
      amount: keep
  two:
    view: masked
    rules:
      born: {technique: generalize, date: year, on_error: quarantine}
      deep: keep
  groups: {view: anonymized, k: 2, quasi_identifiers: [age], release: [sick, amount, '"a.b"']}
  sums:
    view: aggregated
    window: {tumbling: 1h}
    group_by: [age]
    metrics: {n: count}
    privacy: {epsilon: 100, delta: 0.1}
"""
POLICY = POLICY.replace('  "a.b":', "  '\"a.b\"':")
NUMBERS = ["12.50", "0", "-0", "1e0", "1E+2", "15e-3", "0.10", "12345678901234567890", "123456789012345678901234567890.0", "-1.000"]


def raw(number="1", person="p0", **members):
    """A record with an amount written as given."""
    rest = {"age": 30, "at": "2024-03-15T10:30:00Z", "sick": f"sick of {person}", **members}
    return f'{{"id":"{person}","amount":{number},{json.dumps(rest)[1:]}'.encode()


def test_kept_members_are_identical_to_the_byte(run):
    """Spaces, escapes, number texts and the order of members come out of a segment that keeps all as they went in, in one line."""
    odd = b' {\t"am\\u006funt" : 1.50e+01 ,"deep":{"list":[ {"x":"\\u00e9\\/"} , {} ]}, "id":"\xc3\xa9","age":1,"at":"2024-03-15"\n} '
    rows = [odd, *(raw(number) for number in NUMBERS)]
    done = run(POLICY.replace("shuffle, min_distinct: 2, on_error: quarantine", "redact"), rows)
    assert done.entries == {}
    assert done.view("kept") == [odd.replace(b"\n", b" "), *rows[1:]]
    assert [re.search(rb'"am\S*unt"\s*:\s*([^\s,}]+)', row)[1] for row in done.view("one")] == [b"1.50e+01", *(n.encode() for n in NUMBERS)]


def test_released_members_of_an_anonymized_view_are_identical_to_the_byte(run):
    """Number texts, escaped strings and nulls are released as they came; members that a record lacks stay away."""
    rows = [raw(number, person=f"p{k}", **{"a.b": "é\"\\\n"}) for k, number in enumerate(NUMBERS)]
    rows += [b'{"id":"q1","age":30,"at":"2024-03-15","amount":null}', b'{"id":"q2","age":30,"at":"2024-03-15"}']
    done = run(POLICY.replace("shuffle, min_distinct: 2, on_error: quarantine", "redact"), rows)
    lines = done.released["groups"]
    assert len(lines) == len(rows) and all(line.startswith(b'{"age":"30"') for line in lines)
    amounts = [found[1].decode() for line in lines if (found := re.search(rb'"amount":([^,}]+)', line))]
    assert sorted(amounts) == sorted([*NUMBERS, "null"])
    texts = [member for line in lines for name, member in json.loads(line).items() if "a.b" in name]
    assert texts == ["é\"\\\n"] * len(NUMBERS)
    assert b'{"age":"30"}' in lines and b'{"age":"30","amount":null}' in lines


@pytest.mark.parametrize(
    "bad",
    [
        raw(person="bad", sick="LEAK", age=999),
        raw(person="bad", sick="LEAK", at="never"),
        raw(person="bad", sick="LEAK", born="LEAK too"),
        raw(person="bad", sick="LEAK", surprise=1),
        raw(person="bad", sick="LEAK")[:-1],
        raw(person="bad", sick="LEAK").replace(b'"bad"', b"null"),
    ],
)
def test_no_value_of_a_rejected_record_reaches_a_view(run, bad):
    """Also techniques that move values between records see accepted records only, whichever segment or rule rejected a record."""
    rows = [raw(person=f"p{k}", born="2001-01-01") for k in range(6)]
    rows.insert(3, bad)
    done = run(POLICY, rows)
    assert list(done.entries) == [3]
    assert all(done.view(segment)[3] is None for segment in ("kept", "one", "two"))
    given = sorted(f"sick of p{k}" for k in range(6))
    assert sorted(json.loads(row)["sick"] for row in done.view("one") if row) == given
    assert sorted(json.loads(line)["sick"] for line in done.released["groups"]) == given
    published = b"".join([*(row for s in ("kept", "one", "two") for row in done.view(s) if row), *done.released["groups"]])
    assert b"LEAK" not in published
    assert [batch.records for name in ("groups", "sums") for batch in done.pieces[0].packed[name]] == [6, 6]


def test_rejected_records_do_not_count_as_company(run):
    """Values of rejected records do not help a shuffle over its least number of distinct values; the refusal then rejects, too."""
    rows = [raw(person="p0", sick="flu"), raw(person="p1", sick="flu"), raw(person="p2", sick="rare", age=-1)]
    done = run(POLICY, rows)
    assert done.reasons == {0: ("refused_value", "sick"), 1: ("refused_value", "sick"), 2: ("out_of_domain", "age")}
    assert done.view("one") == [None] * 3 and done.released["groups"] == []


def test_a_record_that_one_shuffle_rejects_is_not_in_another(run):
    """Where one moving rule rejects records, those that ran before it begin anew without them."""
    moving = "sick: {technique: shuffle, min_distinct: 2}\n      mail: {technique: shuffle, min_distinct: 3, on_error: quarantine}"
    text = POLICY.replace("deep: keep", moving)
    rows = [raw(person=f"p{k}", sick=f"s{k}") for k in range(4)] + [raw(person="x", sick="LEAK", mail="only@one")]
    done = run(text, rows)
    assert done.reasons == {4: ("refused_value", "mail")}
    for segment in ("one", "two"):
        assert sorted(json.loads(row)["sick"] for row in done.view(segment) if row) == ["s0", "s1", "s2", "s3"]


SECRETS = [b"topsecret@example.com", b"1971-03-04", b"SECRETFLU", b"PERSON-77", b"SECRETKEY"]


def test_audit_and_quarantine_lines_hold_no_value(run, ring):
    """Of good and bad records alike, no value, no undeclared key and no key of the ring stands in an audit event or quarantine entry."""
    good = raw(person="PERSON-77", mail="topsecret@example.com", born="1971-03-04", sick="SECRETFLU")
    bad = [good[:-1], good[:-1] + b',"SECRETKEY 1234":1}', good.replace(b'"age": 30', b'"age": "SECRETFLU"'),
           good.replace(b"1971-03-04", b"SECRETFLU"), b'{"id":"PERSON-77","id":"PERSON-77"}']
    done = run(POLICY, [good, *bad, good.replace(b"SECRETFLU", b"OTHER")])
    assert sorted(done.entries) == [1, 2, 3, 4, 5]
    lines = [line for piece in done.pieces for line in (piece.audit, *(entry for _, entry in piece.quarantine))]
    assert [secret for secret in SECRETS for line in lines if secret in line] == []
    roots = [version["root"].encode() for version in orjson.loads(ring.dump())["versions"]]
    assert not any(root in line for root in roots for line in lines)
    assert not any(secret in batch.blob for batches in done.pieces[0].packed.values() for batch in batches for secret in SECRETS)


def test_the_audit_tells_what_was_done(run):
    """An event names policy, key version, counts and the technique of each field; a field is in it under every masked segment."""
    done = run(POLICY, [raw(person="a", sick="x"), raw(person="b", sick="y", mail="b@c.org"), b"?"])
    event = done.audit[0]
    assert (event["event"], event["stream"], event["policy_version"], event["records"]) == ("protect", "views", 1, 3)
    assert event["quarantined"] == {"malformed": 1} and event["policy_digest"] == done.plan.digest
    fields = event["segments"]["one"]["fields"]
    assert fields["mail"] == {"technique": "partial", "values": 1, "refused": 0}
    assert fields["amount"] == {"technique": "keep"} and fields["born"] == {"technique": "drop"}
    assert event["segments"]["groups"] == {"packed": 2, "suppressed": 0} and event["segments"]["one"]["released"] == 2
