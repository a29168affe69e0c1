"""Values of personal and secret data for generated payloads: none of them is anybody's, check digits are right."""

import base64
import json
import random
import string
from collections.abc import Callable
from typing import Any

NATIONAL = {
    "de_DE": ("DE_RVNR", "ssn"), "fr_FR": ("FR_NIR", "ssn"), "es_ES": ("ES_DNI", ""), "it_IT": ("IT_CODICE_FISCALE", "ssn"),
    "nl_NL": ("NL_BSN", "ssn"), "pl_PL": ("PL_PESEL", "pesel"), "pt_BR": ("BR_CPF", "cpf"), "sv_SE": ("SE_PERSONNUMMER", "ssn"),
    "en_US": ("US_SSN", "ssn"),
}  # fmt: skip
"""For each locale the type of its identity numbers, and faker's method for them; faker's own numbers of Spain do not follow its seed."""


def national(fake: Any, locale: str, rng: random.Random) -> tuple[str, str]:
    """An identity number of a locale, and its type."""
    kind, method = NATIONAL[locale]
    if method:
        return str(getattr(fake, method)()), kind
    number = rng.randrange(10**7, 10**8)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}", kind


def _luhn(digits: str) -> str:
    """Digits with Luhn's check digit."""
    total = sum(int(d) if k % 2 else sum(divmod(2 * int(d), 10)) for k, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _base62(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.ascii_letters + string.digits, k=count))


def _card(_: Any, rng: random.Random) -> str:
    start = rng.choice(("4", "51", "55", "34", "37", "6011"))
    size = 14 if start in ("34", "37") else 15
    number = _luhn(start + "".join(rng.choices(string.digits, k=size - len(start))))
    if size == 15 and rng.random() < 0.4:
        return rng.choice("- ").join(number[k : k + 4] for k in range(0, 16, 4))
    return number


def _jwt(_: Any, rng: random.Random) -> str:
    header, body = ({"alg": "HS256", "typ": "JWT"}, {"sub": _base62(rng, 8), "iat": rng.randrange(10**9)})
    parts = [base64.urlsafe_b64encode(json.dumps(x).encode()).decode().rstrip("=") for x in (header, body)]
    return ".".join((*parts, _base62(rng, 43)))


def _geo(_: Any, rng: random.Random) -> str:
    return f"{rng.uniform(-80, 80):.5f}, {rng.uniform(-170, 170):.5f}"


def _address(fake: Any, rng: random.Random) -> str:
    return fake.street_address().replace("\n", ", ")


def _day(rng: random.Random, year: int) -> str:
    return f"{year}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"


VALUES: dict[str, Callable[[Any, random.Random], str]] = {
    "PERSON": lambda fake, _: fake.name(),
    "FIRST_NAME": lambda fake, _: fake.first_name(),
    "LAST_NAME": lambda fake, _: fake.last_name(),
    "EMAIL": lambda fake, _: fake.ascii_safe_email(),
    "PHONE": lambda fake, _: fake.phone_number(),
    "STREET_ADDRESS": _address,
    "CITY": lambda fake, _: fake.city(),
    "POSTCODE": lambda fake, _: fake.postcode(),
    "DATE_OF_BIRTH": lambda _, rng: _day(rng, rng.randrange(1935, 2008)),
    "USERNAME": lambda fake, _: fake.user_name(),
    "CARD_NUMBER": _card,
    "CARD_CVV": lambda _, rng: f"{rng.randrange(1000):03}",
    "IBAN": lambda fake, _: fake.iban(),
    "IP_ADDRESS": lambda fake, rng: fake.ipv4_public() if rng.random() < 0.7 else fake.ipv6(),
    "MAC_ADDRESS": lambda fake, _: fake.mac_address(),
    "IMEI": lambda _, rng: _luhn("35" + "".join(rng.choices(string.digits, k=12))),
    "GEO": _geo,
    "JWT": _jwt,
    "PASSWORD": lambda fake, _: fake.password(length=12),
    "SECRET": lambda _, rng: _base62(rng, 32),
    "AWS_ACCESS_KEY": lambda _, rng: "AKIA" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16)),
    "GITLAB_TOKEN": lambda _, rng: "glpat-" + _base62(rng, 20),
    "STRIPE_KEY": lambda _, rng: "sk_live_" + _base62(rng, 24),
    "CRYPTO_ADDRESS": lambda _, rng: "0x" + "".join(rng.choices("0123456789abcdef", k=40)),
}
"""For each name of a value how it is made from a faker and random numbers; names are types but for parts of names of people."""

TYPES = {"FIRST_NAME": "PERSON", "LAST_NAME": "PERSON"}
"""Types of values that are called otherwise."""

FILLERS: dict[str, Callable[[Any, random.Random], Any]] = {
    "uuid": lambda fake, _: fake.uuid4(),
    "time": lambda _, rng: _day(rng, 2026) + f"T{rng.randrange(24):02}:{rng.randrange(60):02}:00.{rng.randrange(1000):03}Z",
    "epoch": lambda _, rng: rng.randrange(1_600_000_000_000, 1_800_000_000_000),
    "int": lambda _, rng: rng.randrange(1, 500),
    "price": lambda _, rng: round(rng.uniform(1, 900), 2),
    "sku": lambda _, rng: f"SKU-{rng.randrange(10_000):04}",
    "word": lambda _, rng: rng.choice(("created", "pending", "gold", "standard", "web", "failed", "north", "daily")),
    "flag": lambda _, rng: rng.random() < 0.5,
    "hash": lambda _, rng: "".join(rng.choices("0123456789abcdef", k=16)),
    "version": lambda _, rng: f"{rng.randrange(9)}.{rng.randrange(30)}.{rng.randrange(9)}",
    "order": lambda _, rng: f"ORD{rng.randrange(10**7):07}",
    "currency": lambda _, rng: rng.choice(("EUR", "USD", "SEK", "BRL")),
    "none": lambda _, __: None,
    "product": lambda _, rng: rng.choice(("Desk lamp", "Office chair", "Water bottle", "Phone case", "Running shoes")),
    "action": lambda _, rng: rng.choice(("order.created", "login", "ticket.opened", "profile.updated")),
}
"""Values that are of nobody."""
