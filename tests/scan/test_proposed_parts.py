"""Proposals for identifiers that are part of a value, and for identifiers that recur."""

import uuid

from proposals import Proposed
from scan_samples import cloudtrail, fhir


def ids(count):
    """UUIDs, always the same."""
    return [str(uuid.UUID(int=(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, version=4)) for number in range(count)]


def test_a_reference_joins_with_the_identifier_inside_it():
    """An id behind a constant beginning is proposed as a part in the id's domain, and both have the same pseudonyms."""
    found = Proposed(fhir())
    rule = found.rules["subject.reference"]
    assert rule == {"technique": "pseudonym", "domain": found.rules["id"]["domain"], "within": {"prefix": "Patient/"}}
    view = found.view()
    people = {record["id"] for record in view if record["resourceType"] == "Patient"}
    references = [record["subject"]["reference"] for record in view if record["resourceType"] == "Encounter"]
    assert len(references) == 400 and all(one.startswith("Patient/") and one.removeprefix("Patient/") in people for one in references)


def test_references_of_several_kinds_have_a_form_each():
    """Where references begin with one of several words, each is a form of the rule."""
    known = ids(60)
    records = [{"id": one} for one in known] + [{"ref": f"{'Group' if k % 3 else 'Patient'}/{known[k % 60]}"} for k in range(120)]
    rule = Proposed(records).rules["ref"]
    assert rule["within"] == [{"prefix": "Patient/"}, {"prefix": "Group/"}] and rule["domain"] == "id"


def test_what_stands_behind_an_identifier_is_left_too():
    """A constant end, or text on both sides, is left outside the part."""
    known = ids(40)
    records = [{"id": one, "file": f"{one}/history/1", "url": f"/users/{one}/orders"} for one in known]
    found = Proposed(records)
    assert found.rules["file"] == {"technique": "pseudonym", "domain": "id", "within": {"before": "/history/1"}}
    assert found.rules["url"]["within"] == {"pattern": "/users/([^/]+)/orders"}
    for record in found.view():
        assert record["file"] == f"{record['id']}/history/1" and record["url"] == f"/users/{record['id']}/orders"


def test_names_are_no_words_of_a_format():
    """What stands around a part is not written where it holds data about people: then the whole value gets a pseudonym."""
    known = ids(40)
    records = [{"id": one, "email": f"{name}@example.org", "file": f"{name}@example.org/{one}"}
               for one, name in zip(known, ["anna", "ben"] * 20, strict=True)]  # fmt: skip
    found = Proposed(records)
    assert "within" not in str(found.rules["file"]) and "anna" not in found.proposal.text


def test_lists_of_words_do_not_share_a_domain():
    """Fields whose values are the same few words are shown, not joined as identifiers."""
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "theta"]
    found = Proposed([{"severity": words[k % 6], "tier": words[k // 6 % 6], "site": words[k // 2 % 6]} for k in range(200)])
    assert {path: found.rules[path] for path in ("severity", "tier", "site")} == {"severity": "keep", "tier": "keep", "site": "keep"}


def test_identifiers_of_two_things_have_two_domains():
    """Fields called id below different members do not share a domain unless their values recur."""
    a, b = ids(80)[:40], ids(80)[40:]
    found = Proposed([{"id": one, "customer": {"id": other}} for one, other in zip(a, b, strict=True)])
    assert found.rules["id"]["domain"] != found.rules["customer.id"]["domain"]


def test_long_numbers_that_come_back_are_identifiers():
    """The number of an account is not shown because there are few accounts, and joins with itself elsewhere."""
    found = Proposed(cloudtrail())
    assert found.rules["userIdentity.accountId"]["technique"] == "pseudonym"
    assert found.rules["resources[*].accountId"] == found.rules["userIdentity.accountId"]


def test_versions_are_no_measures_and_bytes_no_identifiers():
    """A version that looks like a decimal is plain; numbers called bytes are measures however different they are."""
    found = Proposed([{"eventVersion": "1.08", "bytesSent": 10_007 * k} for k in range(1, 300)])
    assert found.fields["eventVersion"] == {"class": "plain"} and found.fields["bytesSent"]["class"] == "measure"


def test_the_subject_is_a_person_not_an_event():
    """Identifiers of traces and requests are not proposed as the subject."""
    a, b = ids(80)[:40], ids(80)[40:]
    text = Proposed([{"traceId": one, "requestId": one, "passengerId": other} for one, other in zip(a, b, strict=True)]).proposal.text
    assert "# subject: passengerId" in text
    assert "# subject: …" in Proposed([{"traceId": one} for one in a]).proposal.text


def test_the_time_of_an_event_is_the_one_that_every_record_has():
    """Of several times the one in all records with a telling name is proposed."""
    text = Proposed([{"made": {"on": "2024-01-01T00:00:00Z"}, "eventTime": f"2024-03-01T00:00:{k:02d}Z"} for k in range(40)]).proposal.text
    assert "# event_time: {field: eventTime}" in text


def test_times_since_1970_have_a_unit():
    """Numbers, and texts of digits, since 1970 are declared with their unit and cut to the hour."""
    found = Proposed([{"s": 1_700_000_000 + 7 * k, "ms": 1_700_000_000_000 + 7777 * k, "nano": str(1_700_000_000_000_000_000 + 10**12 * k)}
                      for k in range(90)])  # fmt: skip
    assert {path: found.fields[path]["unit"] for path in ("s", "ms", "nano")} == {"s": "s", "ms": "ms", "nano": "ns"}
    assert set(map(str, (found.rules[path] for path in ("s", "ms", "nano")))) == {"{'technique': 'generalize', 'date': 'hour'}"}
    view = found.view()
    assert all(record["ms"] % 3_600_000 == 0 and int(record["nano"]) % 3_600_000_000_000 == 0 for record in view)


def test_digits_in_identifiers_of_objects_are_no_telephone_numbers():
    """A URN whose numbers look like a telephone number is no telephone number."""
    found = Proposed([{"system": "urn:oid:2.16.840.1.113883.6.238", "n": k} for k in range(50)])
    assert "PHONE" not in found.comment("system")
