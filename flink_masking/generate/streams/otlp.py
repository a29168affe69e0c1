"""Log records in the form of the OpenTelemetry protocol (OTLP), one a line."""

import json
import random
from collections.abc import Iterator
from typing import Any

_START = 1_710_493_200_000_000_000
_ROUTES = ("/cart", "/login", "/checkout", "/profile")
_SERVICES = ("web", "payments", "accounts")


def otlp_logs(people: int, seed: int) -> Iterator[bytes]:
    """Ten log records a person: attributes are lists of key and value, and people are named in the body, too."""
    from faker import Faker

    fake, draw = Faker("en_US"), random.Random(seed)
    fake.seed_instance(seed)
    users = [(f"{fake.user_name()}{number}@example.net", fake.ipv4_public(), f"u-{draw.randrange(10**8):08d}") for number in range(people)]
    for number in range(10 * people):
        mail, address, user = draw.choice(users)
        route, status, took = draw.choice(_ROUTES), draw.choice((200, 200, 200, 404, 500)), draw.randrange(900)
        attributes = [_attribute("http.route", route), {"key": "http.response.status_code", "value": {"intValue": str(status)}},
                      _attribute("client.address", address)]
        if draw.random() < 0.7:
            attributes += [_attribute("user.email", mail), _attribute("user.id", user)]
        if draw.random() < 0.1:
            bearer = "Bearer " + "".join(draw.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=40))
            attributes.append(_attribute("http.request.header.authorization", bearer))
        bodies = (f"login of {mail} from {address} took {took} ms", f"GET {route} {status}", f"mail to {mail} was refused")
        record: dict[str, Any] = {
            "timeUnixNano": str(_START + number * 250_000_000), "observedTimeUnixNano": str(_START + number * 250_000_000 + 1_000_000),
            "severityNumber": 9 if status == 200 else 17, "severityText": "INFO" if status == 200 else "ERROR",
            "body": {"stringValue": draw.choice(bodies)}, "attributes": draw.sample(attributes, len(attributes)),
            "traceId": f"{draw.getrandbits(128):032x}", "spanId": f"{draw.getrandbits(64):016x}",
            "resource": {"attributes": [_attribute("service.name", draw.choice(_SERVICES)),
                                        _attribute("host.name", f"node-{draw.randrange(8)}")]},
        }  # fmt: skip
        yield json.dumps(record, separators=(",", ":")).encode()


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
