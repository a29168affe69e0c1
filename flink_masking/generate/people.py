"""The people that events are about: names and places from pools that faker makes once, everything else from a seeded generator."""

import unicodedata
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.generate.columns import Text, joined, padded, picked, skewed, where, written
from flink_masking.records.codec import Rows

TODAY = np.datetime64("2024-03-15")
"""The day on which ages are true and events begin."""

LOCALES = (("en_US", 700), ("es_ES", 120), ("de_DE", 80), ("fr_FR", 80), ("pl_PL", 60))
"""Where names come from, and how many draws: names that are not ASCII must be there."""

DOMAINS = ("example.com", "example.org", "example.net")
"""Reserved for examples (RFC 2606): no message reaches anybody."""

BRANDS = (("visa", "4"), ("mastercard", "52"), ("mastercard", "55"), ("discover", "6011"))
AREAS = (202, 212, 305, 312, 404, 415, 512, 602, 617, 702, 713, 720, 801, 919)
KINDS = ("mobile", "home", "work")
_WITHOUT_ACCENT = str.maketrans({"ł": "l", "ø": "o", "ß": "ss", "đ": "d", "æ": "ae", "œ": "oe"})


class People(NamedTuple):
    """Columns with one row a person.

    Attributes:
        nested: the members of a nested event that are the person's, as JSON text from ``{"customerId"`` on, without the closing brace.
        flat: the same for a flat event, in the format of the rows.
        contacts: three columns one after the other (phone, e-mail, name): what a note can mention.
    """

    nested: pa.StringArray
    flat: pa.StringArray
    contacts: pa.StringArray


def make_people(count: int, rng: np.random.Generator, seed: int, rows: Rows) -> People:
    """People that do not exist.

    Args:
        count: 1 to 2,000,000.
        rng: everything but the pools is drawn from it.
        seed: of faker, for the pools.
        rows: how flat events are written.
    """
    firsts, lasts, prefixes = _pools(seed)
    first = rng.integers(len(firsts), size=count)
    last = rng.integers(len(lasts), size=count)
    number = padded(np.arange(1, count + 1), 7)
    name = joined(picked(firsts, first), " ", picked(lasts, last))
    account = joined(picked([_ascii(text) for text in firsts], first), ".", picked([_ascii(text) for text in lasts], last))
    domain = picked(list(DOMAINS), rng.integers(len(DOMAINS), size=count))
    email = joined(account, pa.array(np.arange(1, count + 1)).cast(pa.string()), "@", domain)
    area = rng.integers(1, 899, count)
    area += area >= 666  # 666 is never given
    ssn = joined(padded(area, 3), "-", padded(rng.integers(1, 100, count), 2), "-", padded(rng.integers(1, 10_000, count), 4))
    card, brand = _cards(count, rng)
    mobile, second = _phones(count, rng), _phones(count, rng)
    birth, age = _births(count, rng)
    place = picked(prefixes, rng.choice(len(prefixes), count, p=skewed(len(prefixes), 0.8)))
    zipcode = joined(place, padded((rng.beta(1.2, 3.0, count) * 60).astype(np.int64), 2))

    some = rng.random((5, count))
    phone = joined('{"phone":"', mobile, '","kind":"mobile"}')
    other = joined(',{"phone":"', second, '","kind":"', picked(list(KINDS), rng.integers(1, len(KINDS), count)), '"}')
    nested = joined(
        '{"customerId":"CUST', number, '"',
        where(some[0] < 0.98, joined(',"name":"', name, '"'), ""),
        where(some[1] < 0.97, joined(',"email":"', email, '"'), ',"email":null'),
        where(some[2] < 0.95, joined(',"ssn":"', ssn, '"'), ""),
        where(some[3] < 0.90, joined(',"card":{"number":"', card, '","brand":"', brand, '"}'), ""),
        ',"contacts":[', where(some[4] < 0.95, phone, ""), where(some[4] < 0.40, other, ""),  # a second only where there is a first
        '],"birthDate":"', birth, '","age":', age, ',"zip":"', zipcode, '"',
    )  # fmt: skip
    texts = {"email": email, "ssn": ssn, "card": card}
    members: list[Text] = [rows.front, rows.first("customerId"), written(rows, joined("CUST", number))]
    for key, value in (*((key, written(rows, text)) for key, text in texts.items()), ("age", age), ("zip", written(rows, zipcode))):
        members += [rows.between, rows.member(key), value]
    flat = joined(*members)
    return People(nested, flat, pa.concat_arrays([mobile, email, name]))


def _pools(seed: int) -> tuple[list[str], list[str], list[str]]:
    """First names, last names and three-digit zip prefixes, as JSON string contents (none of them needs an escape)."""
    from faker import Faker

    firsts: set[str] = set()
    lasts: set[str] = set()
    for locale, draws in LOCALES:
        fake = Faker(locale)
        fake.seed_instance(seed)
        firsts |= {fake.first_name() for _ in range(draws)}
        lasts |= {fake.last_name() for _ in range(draws)}
    fake = Faker("en_US")
    fake.seed_instance(seed)
    prefixes = list(dict.fromkeys(fake.postcode()[:3] for _ in range(64)))
    plain = [sorted(name for name in names if '"' not in name and "\\" not in name) for names in (firsts, lasts)]
    return plain[0], plain[1], prefixes[:32]


def _ascii(name: str) -> str:
    """The name as it stands in an e-mail address: lower-case ASCII letters."""
    text = unicodedata.normalize("NFKD", name.lower().translate(_WITHOUT_ACCENT))
    return "".join(c for c in text if c.isascii() and c.isalpha())


def _cards(count: int, rng: np.random.Generator) -> tuple[pa.StringArray, pa.StringArray]:
    """Card numbers in groups of four, their check digit right (ISO/IEC 7812-1, Luhn), and their brands."""
    which = rng.choice(len(BRANDS), count, p=[0.55, 0.2, 0.15, 0.1])
    digits = rng.integers(0, 10, (count, 16))
    for index, (_, start) in enumerate(BRANDS):
        digits[which == index, : len(start)] = [int(c) for c in start]
    doubled = digits[:, 0:15:2] * 2
    total = (doubled // 10 + doubled % 10).sum(axis=1) + digits[:, 1:15:2].sum(axis=1)
    digits[:, 15] = -total % 10
    groups = digits.reshape(count, 4, 4) @ np.array([1000, 100, 10, 1])
    number = joined(*(piece for g in range(4) for piece in ("-" * (g > 0), padded(groups[:, g], 4))))
    return number, picked([brand for brand, _ in BRANDS], which)


def _phones(count: int, rng: np.random.Generator) -> pa.StringArray:
    """North American numbers from the range that is kept for fiction, 555-0100 to 555-0199."""
    area = picked([f"{area}55501" for area in AREAS], rng.integers(len(AREAS), size=count))
    return joined("+1", area, padded(rng.integers(0, 100, count), 2))


def _births(count: int, rng: np.random.Generator) -> tuple[pa.StringArray, pa.StringArray]:
    """Dates of birth of people of 18 to 95, and their ages in years on `TODAY`."""
    birth = TODAY - (365.2425 * (18.1 + 76.8 * rng.beta(1.5, 2.4, count))).astype("timedelta64[D]")
    months = birth.astype("datetime64[M]")
    day_of_year = (months.astype(int) % 12) * 100 + (birth - months).astype(int)
    years = 2024 - (birth.astype("datetime64[Y]").astype(int) + 1970)
    years -= day_of_year > 2 * 100 + 14  # not yet the birthday: 15 March is month 2, day 14, counted from 0
    return pa.array(birth).cast(pa.string()), pa.array(years).cast(pa.string())
