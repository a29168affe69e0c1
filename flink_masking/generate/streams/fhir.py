"""FHIR R4 resources as bulk export writes them: patients, and the encounters and conditions that refer to them."""

import datetime
import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

_SYSTEMS = "http://terminology.hl7.org/CodeSystem/"
_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_RACES = (("2106-3", "White"), ("2054-5", "Black or African American"), ("2028-9", "Asian"))
_CONDITIONS = (("38341003", "Hypertensive disorder, systemic arterial (disorder)"), ("44054006", "Diabetes mellitus type 2 (disorder)"),
               ("195662009", "Acute viral pharyngitis (disorder)"), ("10509002", "Acute bronchitis (disorder)"),
               ("73595000", "Stress (finding)"), ("91302008", "Sepsis (disorder)"), ("35489007", "Depressive disorder (disorder)"))
_VISITS = (("AMB", "185347001", "Encounter for problem (procedure)"), ("AMB", "162673000", "General examination of patient (procedure)"),
           ("EMER", "50849002", "Emergency room admission (procedure)"), ("IMP", "183452005", "Emergency hospital admission (procedure)"))
_HOSPITALS = ("MERCY GENERAL HOSPITAL", "ST LUKE COMMUNITY CLINIC", "RIVERSIDE MEDICAL CENTER")
_PLACES = (("Boston", "MA", "021"), ("Worcester", "MA", "016"), ("Springfield", "MA", "011"))
_START = datetime.datetime(2024, 3, 4, 8, tzinfo=datetime.UTC)
_DAYS = 28


def patients(people: int, seed: int) -> Iterator[bytes]:
    """Patients: identifiers of five systems, names, contacts, addresses, extensions for race and place of birth."""
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(seed)
    for number in range(people):
        draw = _draw(seed, "patient", number)
        known, female = _id(seed, "patient", number), draw.random() < 0.5
        family, given = fake.last_name(), fake.first_name_female() if female else fake.first_name_male()
        city, state, area = draw.choice(_PLACES)
        race = draw.choice(_RACES)
        mail = f"{given}.{family}{number}@example.org".lower()
        resource: dict[str, Any] = {
            "resourceType": "Patient", "id": known, "meta": {"profile": [_CORE + "us-core-patient"]},
            "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{given} {family}</div>'},
            "extension": [
                {"url": _CORE + "us-core-race", "extension": [
                    {"url": "ombCategory",
                     "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": race[0], "display": race[1]}},
                    {"url": "text", "valueString": race[1]}]},
                {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": fake.name()},
                {"url": _CORE + "us-core-birthsex", "valueCode": "F" if female else "M"},
                {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                 "valueAddress": {"city": fake.city(), "state": state, "country": "US"}}],
            "identifier": [
                {"system": "https://github.com/synthetichealth/synthea", "value": known},
                _identifier("MR", "Medical Record Number", "http://hospital.example.org", known),
                _identifier("SS", "Social Security Number", "http://hl7.org/fhir/sid/us-ssn", fake.ssn()),
                _identifier("DL", "Driver's license number", "urn:oid:2.16.840.1.113883.4.3.25", f"S999{draw.randrange(10**5):05}")],
            "name": [{"use": "official", "family": family, "given": [given], "prefix": ["Mrs." if female else "Mr."]}],
            "telecom": [{"system": "phone", "value": f"555-{draw.randrange(200, 999)}-{draw.randrange(10**4):04}", "use": "home"}],
            "gender": "female" if female else "male",
            "birthDate": f"{draw.randrange(1930, 2008)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}",
            "address": [{
                "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation", "extension": [
                    {"url": "latitude", "valueDecimal": round(draw.uniform(42.0, 42.7), 6)},
                    {"url": "longitude", "valueDecimal": round(draw.uniform(-72.6, -71.0), 6)}]}],
                "line": [fake.street_address()], "city": city, "state": state, "postalCode": f"{area}{draw.randrange(1, 30):02}",
                "country": "US"}],
            "maritalStatus": _coded(_SYSTEMS + "v3-MaritalStatus", *draw.choice((("M", "Married"), ("S", "Never Married")))),
            "multipleBirthBoolean": draw.random() < 0.05,
            "communication": [{"language": _coded("urn:ietf:bcp:47", "en-US", "English (United States)")}],
        }  # fmt: skip
        if draw.random() < 0.5:
            resource["telecom"].append({"system": "email", "value": mail, "use": "home"})
        if draw.random() < 0.1:
            resource["deceasedDateTime"] = "2023-11-02T04:10:00-05:00"
        yield _line(resource)


def encounters(people: int, seed: int) -> Iterator[bytes]:
    """Three to six encounters a patient, in the order of their time."""
    for begin, number, visit in _visits(people, seed):
        draw = _draw(seed, "visit", number, visit)
        kind, code, text = draw.choice(_VISITS)
        end = begin + datetime.timedelta(minutes=draw.randrange(15, 240))
        period = {"start": begin.isoformat(), "end": end.isoformat()}
        npi, hospital = draw.randrange(20), draw.randrange(len(_HOSPITALS))
        doctor = f"Dr. {chr(65 + npi)}lva{npi} Weimann{npi * 7}"
        where = f"identifier=https://github.com/synthetichealth/synthea|{_id(seed, 'hospital', hospital)}"
        resource: dict[str, Any] = {
            "resourceType": "Encounter", "id": _id(seed, "visit", number, visit), "meta": {"profile": [_CORE + "us-core-encounter"]},
            "identifier": [{"use": "official", "system": "https://github.com/synthetichealth/synthea",
                            "value": _id(seed, "visit", number, visit)}],
            "status": "finished", "class": {"system": _SYSTEMS + "v3-ActCode", "code": kind},
            "type": [_coded("http://snomed.info/sct", code, text)],
            "subject": {"reference": f"Patient/{_id(seed, 'patient', number)}", "display": f"Mrs. Patient{number} of the ward"},
            "participant": [{
                "type": [_coded(_SYSTEMS + "v3-ParticipationType", "PPRF", "primary performer")], "period": period,
                "individual": {"reference": f"Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|{9999900000 + npi}",
                               "display": doctor}}],
            "period": period,
            "location": [{"location": {"reference": f"Location?{where}", "display": _HOSPITALS[hospital]}}],
            "serviceProvider": {"reference": f"Organization?{where}", "display": _HOSPITALS[hospital]},
        }  # fmt: skip
        if draw.random() < 0.6:
            code, text = draw.choice(_CONDITIONS)
            resource["reasonCode"] = [{"coding": [{"system": "http://snomed.info/sct", "code": code, "display": text}]}]
        yield _line(resource)


def conditions(people: int, seed: int) -> Iterator[bytes]:
    """A condition for about half of the encounters, found on their day."""
    for begin, number, visit in _visits(people, seed):
        draw = _draw(seed, "condition", number, visit)
        if draw.random() < 0.5:
            continue
        code, text = draw.choice(_CONDITIONS)
        resource: dict[str, Any] = {
            "resourceType": "Condition", "id": _id(seed, "condition", number, visit),
            "meta": {"profile": [_CORE + "us-core-condition-encounter-diagnosis"]},
            "clinicalStatus": {"coding": [{"system": _SYSTEMS + "condition-clinical", "code": draw.choice(("active", "resolved"))}]},
            "verificationStatus": {"coding": [{"system": _SYSTEMS + "condition-ver-status", "code": "confirmed"}]},
            "category": [{"coding": [{"system": _SYSTEMS + "condition-category", "code": "encounter-diagnosis",
                                      "display": "Encounter Diagnosis"}]}],
            "code": _coded("http://snomed.info/sct", code, text),
            "subject": {"reference": f"Patient/{_id(seed, 'patient', number)}"},
            "encounter": {"reference": f"Encounter/{_id(seed, 'visit', number, visit)}"},
            "onsetDateTime": begin.isoformat(), "recordedDate": begin.isoformat(),
        }  # fmt: skip
        if draw.random() < 0.6:
            resource["abatementDateTime"] = (begin + datetime.timedelta(days=draw.randrange(1, 60))).isoformat()
        yield _line(resource)


def _visits(people: int, seed: int) -> list[tuple[datetime.datetime, int, int]]:
    """When, whose, and which of the patient's encounters."""
    found = []
    for number in range(people):
        draw = _draw(seed, "visits", number)
        found += [(_START + datetime.timedelta(seconds=draw.randrange(_DAYS * 86_400)), number, visit)
                  for visit in range(draw.randrange(3, 7))]
    return sorted(found)


def _draw(*of: int | str) -> random.Random:
    return random.Random("/".join(map(str, of)))


def _id(*of: int | str) -> str:
    """The same UUID for the same resource, in whichever file."""
    return str(uuid.UUID(int=_draw("id", *of).getrandbits(128), version=4))


def _coded(system: str, code: str, text: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def _identifier(code: str, text: str, system: str, value: str) -> dict[str, Any]:
    return {"type": _coded(_SYSTEMS + "v2-0203", code, text), "system": system, "value": value}


def _line(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource, separators=(",", ":")).encode()
