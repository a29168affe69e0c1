"""Proposals for values whose kind a sibling tells: selectors, with an else for all others."""

import random

import pytest
from proposals import Proposed
from scan_samples import otlp

SSN, HOSPITAL = "http://hl7.org/fhir/sid/us-ssn", "http://hospital.example.org"


def identifiers(count=120, system=False, several=False):
    """Patients with two identifiers each, told apart by a code two objects and an array further down, or by a system beside them."""
    draw = random.Random(7)
    records = []
    for number in range(count):
        listed = []
        for code, value in (("SS", f"{draw.randrange(100, 666)}-{draw.randrange(10, 99)}-{draw.randrange(1000, 9999)}"),
                            ("MR", f"MRN-{100000 + 17 * number}")):  # fmt: skip
            one = {"type": {"coding": [{"code": code}]}, "value": value}
            if several:
                one["type"]["coding"].append({"code": "ZZ"})
            listed.append(one | ({"system": {"SS": SSN, "MR": HOSPITAL}[code]} if system else {}))
        records.append({"id": f"P{number:05d}x", "identifier": draw.sample(listed, 2)})
    return records


def contacts(count=100, seed=3):
    """People with an address or a number each."""
    draw = random.Random(seed)
    return [{"telecom": [draw.choice([{"system": "email", "value": f"p{number}@example.org"},
                                      {"system": "phone", "value": f"+1415555{number:04d}"}])]} for number in range(count)]  # fmt: skip


def test_contacts_have_a_field_and_a_domain_for_each_kind():
    """An address and a telephone number at one path get a selector, a type and a domain each; what is neither is dropped."""
    found = Proposed(contacts())
    assert found.fields["telecom[system=email].value"] == {"class": "direct", "type": "email"}
    assert found.fields["telecom[system=phone].value"] == {"class": "direct", "type": "phone"}
    assert found.rules["telecom[system=email].value"] == {"technique": "pseudonym", "domain": "email"}
    assert found.rules["telecom[system=phone].value"] == {"technique": "pseudonym", "domain": "phone"}
    assert "telecom[*].value" in found.fields and "telecom[*].value" not in found.rules
    assert "every other element" in found.comment("telecom[*].value")
    assert "@example.org" not in str(found.view()) and "+1415" not in str(found.view())


def test_a_discriminator_may_lie_deeper():
    """A code in an array in an object beside the value tells which identifier it is."""
    found = Proposed(identifiers())
    assert found.fields["identifier[type.coding[*].code=SS].value"] == {"class": "direct", "type": "us_ssn"}
    assert found.rules["identifier[type.coding[*].code=SS].value"]["domain"] == "us-ssn"
    assert "identifier[type.coding[*].code=MR].value" in found.fields


def test_the_sibling_that_says_most_is_chosen():
    """Where a system and a code tell the same, one of them is in the selectors."""
    found = Proposed(identifiers(system=True))
    assert found.fields[f"identifier[system={SSN}].value"]["type"] == "us_ssn"
    assert not any("code=" in path for path in found.fields if path.endswith("value"))


def test_attributes_of_logs_are_told_apart_by_their_key():
    """OTLP attributes get a field each, of the type that key and values say."""
    found = Proposed(otlp())
    assert found.fields["attributes[key=user.email].value.stringValue"]["type"] == "email"
    assert found.fields["attributes[key=client.address].value.stringValue"]["type"] == "ip_address"
    domains = {found.rules[f"attributes[key={key}].value.stringValue"]["domain"] for key in ("user.email", "client.address")}
    assert domains == {"email", "ip-address"}
    assert not any(path.startswith("[") or "attributes[*].key=" in path for path in found.fields)


def test_what_a_selector_says_counts_as_the_name():
    """A value whose own look says nothing is what its discriminator is called: a latitude, a sex."""
    draw = random.Random(5)
    records = [{"extension": [{"url": "latitude", "valueDecimal": round(draw.uniform(40, 41), 5)},
                              {"url": "http://example.org/birthsex", "valueCode": draw.choice("MF")}]} for _ in range(60)]  # fmt: skip
    found = Proposed(records)
    assert found.fields["extension[url=latitude].valueDecimal"]["class"] == "quasi"
    assert found.fields["extension[url=http://example.org/birthsex].valueCode"]["class"] == "sensitive"
    assert not any("value" in path for path in found.rules)


def test_a_path_of_one_kind_gets_no_selectors():
    """A sibling that only labels what is the same kind of value does not divide it."""
    found = Proposed([{"tags": [{"key": "a", "value": f"x{k}"}, {"key": "b", "value": f"y{k}"}]} for k in range(80)])
    assert list(found.fields) == ["tags[*].key", "tags[*].value"]


def test_lists_inside_an_element_do_not_select_it():
    """The keys of a list of attributes do not tell what the record is that has the list."""
    records = [{"logs": [{"body": f"user{k}@example.org" if k % 2 else "ok", "tags": [{"key": "a"}, {"key": "b"}]}]} for k in range(80)]
    assert not any("=" in path for path in Proposed(records).fields)


def test_discriminators_that_are_data_are_not_written():
    """A selector holds words of the format only: names of people or long numbers in the place of a key are no selectors."""
    records = [{"who": [{"name": f"person{k % 4}@example.org", "value": f"+1415555{k:04d}" if k % 4 > 1 else f"2024-01-{k % 28 + 1:02d}"}]}
               for k in range(120)]  # fmt: skip
    found = Proposed(records)
    assert "person1@" not in found.proposal.text and not any("=" in path for path in found.fields)


def test_mixed_values_without_a_discriminator_are_dropped_with_a_decision():
    """Addresses and numbers at one path with nothing to tell them apart share no domain: they are dropped, and a person decides."""
    found = Proposed([{"contact": f"p{k}@example.org" if k % 2 else f"+1415555{k:04d}"} for k in range(100)])
    assert "contact" not in found.rules
    assert "decide: values are of several types" in found.comment("contact")


@pytest.mark.parametrize("records", [contacts(), identifiers(), identifiers(several=True), otlp()])
def test_proposals_with_selectors_take_every_record(records):
    """No record of the sample goes to quarantine, and check has no error."""
    found = Proposed(records)
    found.view()
    assert found.proposal.refused == {} and found.loaded().warnings == found.proposal.warnings


def test_health_codes_are_sensitive():
    """Codes of a system for diseases are sensitive, not identifiers, and so are fields below one that is called so."""
    records = [{"code": {"coding": [{"system": "http://snomed.info/sct", "code": str(10_000_000 + k % 40)}]},
                "maritalStatus": {"coding": [{"code": "MS"[k % 2]}]}} for k in range(200)]  # fmt: skip
    found = Proposed(records)
    assert {found.fields[path]["class"] for path in ("code.coding[*].code", "maritalStatus.coding[*].code")} == {"sensitive"}
    assert not {"code.coding[*].code", "maritalStatus.coding[*].code"} & set(found.rules)
