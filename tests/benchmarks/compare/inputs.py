"""What all contestants of a comparison get: the same values, texts, records and keys, made from a seed."""

import json
import random
import re
from pathlib import Path
from typing import Any

from flink_masking.keys.ring import KeyRing

HERE = Path(__file__).parent
SEED = 20261122
SLOT = re.compile(r"\{\{(\w+)\}\}")
KINDS = {
    "PERSON": ("person", "name", "name_female", "name_male", "first_name", "first_name_male", "first_name_female", "first_name_nonbinary",
               "last_name", "last_name_male", "last_name_female"),
    "PLACE": ("address", "city", "country", "street_name", "secondary_address", "state_abbr", "zipcode", "postcode", "building_number"),
    "EMAIL": ("email",), "PHONE": ("phone_number",), "CARD": ("credit_card_number",), "IBAN": ("iban",), "IP": ("ip_address",),
    "SSN": ("ssn",), "URL": ("url",), "ORGANIZATION": ("organization",), "NATIONALITY": ("nationality", "nation_woman", "nation_plural"),
    "DATE": ("date_of_birth", "date_time", "day_of_week", "year"), "AGE": ("age",),
}
"""Kinds of personal data, and the slots of templates that hold them."""
_FAKER = {"person": "name", "organization": "company", "ip_address": "ipv4", "nation_woman": "nationality", "nation_plural": "nationality",
          "zipcode": "postcode", "day_of_week": "day_of_week", "secondary_address": "secondary_address"}


def values(count: int) -> dict[str, dict[str, Any]]:
    """Columns of values with parameters and keys, by technique.

    Args:
        count: values of each.
    """
    from flink_masking.records.kinds import Kind
    from flink_masking.techniques.base import FieldFacts, RuleContext
    from flink_masking.techniques.encrypt import EncryptParams
    from flink_masking.techniques.encrypt.values import _MARKS, bindings
    from flink_masking.techniques.encrypt_deterministic.mask import FORMS
    from flink_masking.techniques.fpe import FpeParams, shape_of
    from flink_masking.techniques.fpe.numerals import Converter

    rng, ring = random.Random(SEED), KeyRing.new()
    numbers = [f"4{rng.randrange(10**15):015}" for _ in range(count)]
    mails = [f"user{k}.{rng.randrange(10**6)}@example.com" for k in range(count)]
    customers = [f"CUST{rng.randrange(10**7):07}" for _ in range(count)]
    fpe, key = {"domain": "pan", "alphabet": "digits"}, ring.derive("fpe", "pan")
    tweak = Converter(shape_of(FpeParams.model_validate(fpe)), key)._tweaks[0]
    siv = {"domain": "mail"}
    form, bound = bindings(EncryptParams.model_validate(siv), RuleContext(FieldFacts("field"), ring, lambda file: ""), *FORMS)[0]
    own = {"ring": ring.dump().decode()}

    def secret(purpose: str, domain: str, length: int = 32) -> str:
        return ring.derive(purpose, domain, length=length).secret().hex()

    return {
        "fpe": own | {"values": numbers, "params": fpe, "key": secret("fpe", "pan"), "tweak": tweak.hex()},
        "pseudonym": own | {"values": customers, "params": {"domain": "customer", "encoding": "hex", "length": 64},
                            "key": secret("pseudonym", "customer")},
        "siv": own | {"values": mails, "params": siv, "key": secret("encrypt_deterministic", "mail", 64), "bound": bound.hex(),
                      "mark": chr(_MARKS[Kind.STRING]), "head": (form.to_bytes(1, "big") + ring.primary.to_bytes(4, "big")).hex()},
        "gcm": own | {"values": mails, "params": {"domain": "mail"}, "key": secret("encrypt", "bench")},
    }


def texts(count: int, templates: Path) -> dict[str, Any]:
    """Texts made from templates, and where what lies in them.

    Args:
        count: of texts.
        templates: lines with slots such as ``{{credit_card_number}}``.
    """
    from faker import Faker

    fake, kind_of = Faker("en_US"), {slot: kind for kind, slots in KINDS.items() for slot in slots}
    fake.seed_instance(SEED)
    lines = [line.strip() for line in templates.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    made: list[str] = []
    gold: list[list[tuple[int, int, str]]] = []
    for number in range(count):
        text, spans, at, line = "", [], 0, lines[number % len(lines)]
        for slot in SLOT.finditer(line):
            text, at = text + line[at : slot.start()], slot.end()
            value = _value(fake, slot[1])
            if slot[1] in kind_of:
                spans.append((len(text), len(text) + len(value), kind_of[slot[1]]))
            text += value
        made.append(text + line[at:])
        gold.append(spans)
    return {"texts": made, "gold": gold}


def _value(fake: Any, slot: str) -> str:
    if slot == "age":
        return str(fake.random_int(18, 90))
    if slot in ("nationality", "nation_woman", "nation_plural"):
        return str(fake.random_element(("German", "French", "Mexican", "Canadian", "Japanese", "Indian", "Kenyan", "Brazilian")))
    if slot == "us_driver_license":
        return str(fake.bothify("?#######").upper())
    return str(getattr(fake, _FAKER.get(slot, slot))()).replace("\n", ", ")


def evaluated(path: Path, count: int) -> dict[str, Any]:
    """The same from a file in presidio-evaluator's format."""
    kinds = {"CREDIT_CARD": "CARD", "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "GPE": "PLACE", "LOCATION": "PLACE",
             "STREET_ADDRESS": "PLACE", "ZIP_CODE": "PLACE", "IP_ADDRESS": "IP", "US_SSN": "SSN", "IBAN_CODE": "IBAN", "DATE_TIME": "DATE",
             "DOMAIN_NAME": "URL", "NRP": "NATIONALITY"}
    samples = json.loads(path.read_text())[:count]
    return {"texts": [one["full_text"] for one in samples],
            "gold": [[(span["start_position"], span["end_position"], kinds.get(span["entity_type"], span["entity_type"]))
                      for span in one["spans"]] for one in samples]}
