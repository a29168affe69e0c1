"""Speed of format-preserving encryption, Arrow array to Arrow array, one thread: ``python tests/benchmarks/bench_ff1.py [NAME …]``.

Each figure is the best of several runs over one batch of 10,000 values, in this process's processor time. It stands beside a loop in
Python over the same values that encrypts one after the other: FF1 in exact integers and AES from ``cryptography``, with none of the checks,
separators and check digits that the technique looks after; and the first one beside AES alone, ten blocks a value, which is the limit.
"""

import random
import string
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from flink_masking.crypto.alphabet import alphabet
from flink_masking.crypto.ff1_exact import ExactFf1
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.techniques.fpe import TECHNIQUE
from flink_masking.techniques.fpe.formats import IBAN
from flink_masking.techniques.masks import Context, Values

ROWS = 10_000
ONE_BY_ONE = 500
"""Values that the loop takes."""
SECONDS = 0.5
"""Processor time that each figure is measured for."""

_RANDOM = random.Random(20)


def _digits(n: int) -> str:
    return "".join(_RANDOM.choices(string.digits, k=n))


def _card() -> str:
    body = "4" + _digits(14)
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def _iban() -> str:
    account = _digits(18)
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def _phone() -> str:
    return f"+{_RANDOM.choice(['1', '49', '420'])} {_digits(_RANDOM.randint(3, 4))} {_digits(6)}"


CARDS = [_card() for _ in range(ROWS)]
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "16 digits": ({"alphabet": "digits"}, CARDS),
    "card, BIN kept, Luhn": ({"format": "card", "keep_first": 6, "luhn": True}, CARDS),
    "card with separators, BIN kept, Luhn": (
        {"format": "card", "keep_first": 6, "luhn": True}, [f"{c[:4]}-{c[4:8]}-{c[8:12]}-{c[12:]}" for c in CARDS]
    ),
    "ssn": ({"format": "ssn"}, [f"{_digits(3)}-{_digits(2)}-{_digits(4)}" for _ in range(ROWS)]),
    "phone": ({"format": "phone"}, [_phone() for _ in range(ROWS)]),
    "email": ({"format": "email"}, [f"user{k}.{k * 7919 % 10**6}@example.com" for k in range(ROWS)]),
    "iban": ({"format": "iban"}, [_iban() for _ in range(ROWS)]),
    "20 alphanumerics": (
        {"alphabet": "alphanumeric"}, ["".join(_RANDOM.choices(string.ascii_letters + string.digits, k=20)) for _ in range(ROWS)]
    ),
    "uuid": ({"alphabet": "hex"}, ["-".join(_digits(n) for n in (8, 4, 4, 4, 12)) for _ in range(ROWS)]),
    "40 digits": ({"alphabet": "digits"}, [_digits(40) for _ in range(ROWS)]),
    "64 digits": ({"alphabet": "digits"}, [_digits(64) for _ in range(ROWS)]),
    "12 letters beyond ASCII": ({"alphabet": "áčďéěíňóřšťúůýž"}, ["".join(_RANDOM.choices("áčďéěíňóřšťúůýž", k=12)) for _ in range(ROWS)]),
}  # fmt: skip


def one_by_one(params: dict[str, Any], texts: list[str]) -> Callable[[], Any]:
    """The loop: each value's characters of the alphabet encrypted by themselves, others put back in between."""
    own = {"email": alphabet(string.digits + string.ascii_lowercase), "iban": IBAN}.get(params.get("format", ""))
    characters = (own or alphabet(params.get("alphabet", "digits"))).characters
    number, cipher = {character: k for k, character in enumerate(characters)}, ExactFf1(AES(bytes(32)), len(characters))

    def loop() -> list[str]:
        results = []
        for text in texts[:ONE_BY_ONE]:
            message = cipher.encrypt([number[character] for character in text if character in number], b"tweak")
            numerals = iter(message)
            results.append("".join(characters[next(numerals)] if character in number else character for character in text))
        return results

    return loop


def aes_alone() -> Callable[[], Any]:
    """Ten blocks a value, and nothing else."""
    blocks, out = bytearray(16 * 2048), bytearray(16 * 2048 + 15)
    encryptor = Cipher(AES(bytes(32)), ECB()).encryptor()

    def encrypt() -> None:
        for _ in range(10):
            encryptor.update_into(blocks, out)

    return encrypt


def rate(work: Callable[[], Any], rows: int) -> float:
    """Values per second of processor time in the best run, after one run to warm up."""
    work()
    best, end, runs = float("inf"), time.process_time() + SECONDS, 0
    while runs < 3 or time.process_time() < end:
        start = time.process_time()
        work()
        best, runs = min(best, time.process_time() - start), runs + 1
    return rows / max(best, 1e-9)


def measure(names: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The figures of all cases, or of those named: values per second, and how many times that is of what it is compared with."""
    ring, rows, figures = KeyRing.new(), np.arange(ROWS, dtype=np.int32), {}
    for name in names or CASES:
        params, texts = CASES[name]
        rule = TECHNIQUE.params.model_validate({"domain": "bench", **params})
        values = Values(pa.array(texts), np.full(ROWS, Kind.STRING, np.int32), rows)
        peer = rate(one_by_one(params, texts), ONE_BY_ONE)
        for way, maker in (("", TECHNIQUE.make), (", back", TECHNIQUE.unmake)):
            assert maker is not None
            mask = maker(rule, RuleContext(FieldFacts("field"), ring, lambda file: ""))
            assert not isinstance(mask, Action)
            own = rate(lambda mask=mask, values=values: mask(values, Context(bytes(32))), ROWS)
            entry = {"value": round(own), "unit": "values/s", "ratio": round(own / peer, 1), "against": "one value after the other"}
            figures[f"fpe:{name}{way}"] = entry
    if names is None or "16 digits" in names:
        limit, own = rate(aes_alone(), 2048), figures["fpe:16 digits"]["value"]
        entry = {"value": own, "unit": "values/s", "ratio": round(own / limit, 2), "against": f"AES alone, {limit / 1e6:.0f} M values/s"}
        figures["fpe:16 digits, of the limit"] = entry
    return figures


if __name__ == "__main__":
    for name, figure in measure(sys.argv[1:] or None).items():
        print(f"{name:<44}{figure['value'] / 1e6:8.2f} M values/s{figure['ratio']:10.2f} × {figure['against']}")
