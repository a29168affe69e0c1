"""Samples of records for `scan`, about people and things that do not exist; the same seed makes the same records."""

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

FIRST = ["Anna", "Boris", "Chiara", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Klara", "Luis", "Marta", "Nadia"]
LAST = ["Almeida", "Becker", "Castillo", "Dupont", "Eriksen", "Fischer", "Garcia", "Hansen", "Ivanova", "Jensen", "Kowalski", "Moreau"]


def lines(records: list[Any]) -> bytes:
    """Records as a file, one a line."""
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def strings(record: Any) -> Iterator[str]:
    """Every text and number in a record, not the keys."""
    if isinstance(record, dict):
        for value in record.values():
            yield from strings(value)
    elif isinstance(record, list):
        for value in record:
            yield from strings(value)
    elif isinstance(record, str):
        yield record
    elif isinstance(record, int | float) and not isinstance(record, bool):
        yield str(record)


def _uuid(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def _person(draw: random.Random) -> tuple[str, str]:
    return draw.choice(FIRST), draw.choice(LAST)


def fhir(count: int = 600, seed: int = 1) -> list[dict[str, Any]]:
    """Patients and the encounters that refer to them, as bulk export writes them: in one file, of two kinds."""
    draw = random.Random(seed)
    patients = []
    for _ in range(count // 3):
        given, family = _person(draw)
        system = draw.choice(["phone", "email"])
        number, mail = f"+1415555{draw.randrange(10_000):04d}", f"{given}.{family}{draw.randrange(999)}@example.org".lower()
        value = number if system == "phone" else mail
        patients.append({
            "resourceType": "Patient", "id": _uuid(draw), "active": draw.random() < 0.9,
            "name": [{"use": "official", "family": family, "given": [given]}],
            "telecom": [{"system": system, "value": value, "use": "home"}],
            "birthDate": f"{draw.randrange(1930, 2010)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
            "extension": [{"url": "http://example.org/race", "valueCode": draw.choice("abc")}] if draw.random() < 0.5 else [],
            "contained": [], "deceased": draw.choice([True, "2020-01-01"]) if draw.random() < 0.2 else None,
        })  # fmt: skip
    encounters = []
    for _ in range(count - len(patients)):
        patient = draw.choice(patients)
        encounters.append({
            "resourceType": "Encounter", "id": _uuid(draw), "status": draw.choice(["finished", "planned"]),
            "subject": {
                "reference": f"Patient/{patient['id']}", "display": f"{patient['name'][0]['given'][0]} of the ward"},
            "period": {"start": f"2024-0{draw.randrange(1, 10)}-11T08:{draw.randrange(10, 60)}:00+01:00"},
        })  # fmt: skip
    return patients + encounters


def cloudtrail(count: int = 400, seed: int = 2) -> list[dict[str, Any]]:
    """Events of an account: ARNs, addresses, parameters that depend on the call, tags by any name."""
    draw = random.Random(seed)
    found = []
    accounts = [f"{draw.randrange(10**11, 10**12)}" for _ in range(12)]
    for number in range(count):
        account, user = draw.choice(accounts), draw.choice(FIRST).lower()
        tagged = f"{user}.{number}@example.com"
        parameters = {"userName": user, "tags": {f"team-{number}-x": "y"}}
        if draw.random() < 0.5:
            parameters = {"bucketName": f"b-{draw.randrange(99)}"}
        found.append({
            "eventVersion": "1.08", "eventID": _uuid(draw),
            "eventTime": f"2024-03-{draw.randrange(1, 29):02d}T{draw.randrange(24):02d}:00:00Z",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{user}", "accountId": account, "userName": user},
            "sourceIPAddress": f"203.0.113.{draw.randrange(1, 255)}",
            "requestParameters": draw.choice([parameters, None]),
            "responseElements": None,
            "resources": [{"ARN": f"arn:aws:s3:::bucket-{draw.randrange(50)}", "accountId": account}],
            "sessionsByUser": {tagged: {"count": draw.randrange(9)}},
        })  # fmt: skip
    return found


def otlp(count: int = 300, seed: int = 3) -> list[dict[str, Any]]:
    """Log records whose attributes are lists of key and value."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        given, family = _person(draw)
        nanos = str(1_700_000_000_000_000_000 + draw.randrange(10**15))
        attributes = [{"key": "user.email", "value": {"stringValue": f"{given}.{family}@example.net".lower()}},
                      {"key": "http.status", "value": {"intValue": str(draw.choice([200, 404, 500]))}},
                      {"key": "client.address", "value": {"stringValue": f"198.51.100.{draw.randrange(255)}"}}]  # fmt: skip
        found.append({
            "timeUnixNano": nanos, "severityText": draw.choice(["INFO", "WARN"]), "traceId": f"{draw.getrandbits(128):032x}",
            "body": {"stringValue": f"request of {given} {family} took {draw.randrange(900)} ms"}, "attributes": draw.sample(attributes, 2),
        })  # fmt: skip
    return found


def taxi(count: int = 500, seed: int = 4) -> bytes:
    """Trips as CSV with a header."""
    draw = random.Random(seed)
    rows = ["VendorID,tpep_pickup_datetime,passenger_count,trip_distance,PULocationID,store_and_fwd_flag,total_amount,hack_license,note"]
    for _ in range(count):
        day, hour = draw.randrange(1, 29), draw.randrange(24)
        note = draw.choice(["", '"lost, a ""red"" bag"', "none"])
        rows.append(f"{draw.randrange(1, 3)},2024-01-{day:02d}T{hour:02d}:{draw.randrange(60):02d}:00,{draw.randrange(1, 6)},"
                    f"{draw.uniform(0.3, 30):.2f},{draw.randrange(1, 264)},{draw.choice('YN')},{draw.uniform(4, 90):.2f},"
                    f"{draw.randrange(10**6, 10**7)},{note}")
    return ("\n".join(rows) + "\n").encode()
