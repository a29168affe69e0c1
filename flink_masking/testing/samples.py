"""Values that the laws are run with: known ones, long series, and texts of characters that no technique makes by itself."""

import random

import numpy as np
import pyarrow as pa

from flink_masking.records.kinds import BOOLEAN, TEXT, Kind
from flink_masking.techniques.masks import Values

HIERARCHY = "Boston;MA;*\nSalem;MA;*\nAlbany;NY;*\n17;young;*\n"
"""Every file that an example names."""

MARKS = "漢字標題測試資料庫系統"
"""Characters that leave only where a value leaves: no pool, alphabet or encoding has them."""

TEXTS = (
    "4111 1111 1111 1111", "", "Boston", "Albany", "17", "123-45-6789", "4111-1111-1111-1234", "+1 415 555 0100", "a@b",
    "john.doe@example.com", "Žofie Nováková", "žofie nováková", "1969-12-31", "2024-02-29", "2023-02-29", "2024-03-15T10:30:00Z",
    "2024-12-30T23:59:59.123+02:00", "---", "x" * 200, "DE89370400440532013000",
)  # fmt: skip
NUMBERS = ("-0", "1e3", "1e999", "17", "12.50", "-0.005", "1E-7", "9" * 30)

SERIES: tuple[tuple[Kind, list[str]], ...] = (
    (Kind.STRING, [f"Boston {n:06} Street" for n in range(0, 480, 2)]),
    (Kind.NUMBER, [str(1000 + 37 * n) for n in range(240)]),
    (Kind.STRING, [f"{1900 + n // 12}-{n % 12 + 1:02}-15" for n in range(240)]),
    (Kind.STRING, [f"{2000 + n % 30}-{n % 12 + 1:02}-{n % 28 + 1:02}T{n % 24:02}:30:00Z" for n in range(240)]),
    (Kind.STRING, [f"{n:03}-45-{n + 1:04}" for n in range(1, 241)]),
    (Kind.STRING, [f"4111{n:012}" for n in range(240)]),
    (Kind.STRING, [f"+1415555{n:04}" for n in range(240)]),
    (Kind.STRING, [f"user{n}@example.com" for n in range(240)]),
    (Kind.STRING, [f"{'ábč'[n % 3]}nová{n:03}"[:4] + "bdefghijk"[n % 9] * (5 + n // 9 % 9) for n in range(81)]),
    (Kind.STRING, [f"DE{98 - int(f'{n:018}131400') % 97:02}{n:018}" for n in range(370400440532013000, 370400440532013081)]),
    (Kind.OBJECT, [f'{{"lat":{k},"lon":{k}}}' for k in range(64)]),
    (Kind.ARRAY, [f"[{k}]" for k in range(64)]),
)
"""Many different values of many forms."""


def batch(pairs: list[tuple[Kind, str | None]]) -> Values:
    """Values of (kind, text or None) pairs, one a row."""
    kinds = np.array([Kind.NULL if text is None else kind for kind, text in pairs], np.int32)
    return Values(pa.array([text for _, text in pairs], pa.string()), kinds, np.arange(len(pairs), dtype=np.int32))


def texts(of: list[str]) -> Values:
    """Strings."""
    return batch([(Kind.STRING, text) for text in of])


def marked() -> list[str]:
    """Texts of nothing but `MARKS`, each with two of its own, and some with the anchors of addresses among them."""
    rng = random.Random(11)
    made = []
    for n in range(40):
        body = "".join(rng.choices(MARKS, k=3 + n % 9)) + chr(0x4E00 + 2 * n) + chr(0x4E01 + 2 * n)
        made.append(body if n % 4 else f"{body[:3]}@{body[3:]}→x{body}")
    return made


def mixed(inputs: frozenset[Kind]) -> list[Values]:
    """Batches of values of the kinds that are taken: bare ones, all known ones, and random mixtures."""
    rng = random.Random(7)
    pool: list[tuple[Kind, str]] = [(Kind.STRING, text) for text in TEXTS] + [(Kind.NUMBER, text) for text in NUMBERS]
    pool += [(kind, text) for kind, some in SERIES for text in some[:9]]
    pool += [(Kind.ENCODED, text) for text in TEXTS] + [(kind, str(kind is Kind.TRUE).lower()) for kind in BOOLEAN]
    pool += [(Kind.OBJECT, text) for text in ("{}", '{"a":{"b":[1,"x"]}}')] + [(Kind.ARRAY, text) for text in ("[]", '[1,"x",{}]')]
    pool = [pair for pair in pool if pair[0] in inputs]
    bare: list[tuple[Kind, str | None]] = [(kind, None) for kind in sorted(inputs)] + [(kind, "") for kind in sorted(inputs & TEXT)]
    every: list[tuple[Kind, str | None]] = [*pool]
    drawn = [[(kind, None if rng.random() < 0.2 else text) for kind, text in rng.choices(pool, k=10)] for _ in range(8)]
    return [batch(pairs) for pairs in (bare, every, *drawn)]
