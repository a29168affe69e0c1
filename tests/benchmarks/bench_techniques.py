"""Speed of every technique, Arrow array to Arrow array, one thread: ``python tests/benchmarks/bench_techniques.py [NAME …]``.

Each figure is the best of several runs over one batch of 10,000 values, beside what pyarrow.compute takes for the nearest thing that it
can do; where the technique is keyed, beside an HMAC of each value in Python. Times are this process's processor time; keep and drop never
see a value and have no figure.
"""

import hmac
import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.registry import TECHNIQUES

ROWS = 10_000
SECONDS = 0.3
"""Processor time that each figure is measured for."""

EMAILS = [f"user{k}.{k * 7919 % 10**6}@example.com" for k in range(ROWS)]
SSNS = [f"{100 + k % 800}-{10 + k % 89}-{1000 + k * 7 % 9000}" for k in range(ROWS)]
AMOUNTS = [f"{k % 1000}.{k % 100:02d}" for k in range(ROWS)]
TIMES = [f"2024-{1 + k % 12:02d}-{1 + k % 28:02d}T{k % 24:02d}:30:00Z" for k in range(ROWS)]
PLACES = [f'{{"lat":{k % 90}.{k:05d},"lon":{k % 180}.{k:05d}}}' for k in range(ROWS)]
ZIPS = [f"{10_000 + k * 7 % 90_000}" for k in range(ROWS)]
DIAGNOSES = [f"{'ABCDEFGHIJKLMNOP'[k % 16]}{k % 7}-code" for k in range(ROWS)]
CITIES = [("Boston", "Albany", "Salem")[k % 3] for k in range(ROWS)]

NOTES = [f"Order {k} of {EMAILS[k]} was paid and sent to the customer, who asked twice; see the ticket for the rest." for k in range(ROWS)]


def hmac_each(text: pa.Array) -> pa.Array:
    """HMAC-SHA-256 of each value, one Python call each."""
    return pa.array([hmac.digest(b"k" * 32, value.encode(), "sha256").hex() for value in text.to_pylist()])


def floor_to(step: float) -> Callable[[pa.Array], pa.Array]:
    """Numbers cut to a step in floating point, and back to text."""
    return lambda text: pc.cast(pc.multiply(pc.floor(pc.divide(pc.cast(text, pa.float64()), step)), step), pa.string())


def constant(text: pa.Array) -> pa.Array:
    """A constant for each value."""
    return pc.if_else(pc.is_valid(text), pa.scalar("***"), text)


def email(text: pa.Array) -> pa.Array:
    """The nearest thing to the e-mail mask: a regular expression."""
    return pc.replace_substring_regex(text, r"^(.)[^@]*", r"\1***")


def one_pattern(text: pa.Array) -> pa.Array:
    """Addresses replaced by one regular expression of Python, a value at a time."""
    pattern = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
    return pa.array([pattern.sub("<EMAIL>", value) for value in text.to_pylist()])


def shuffled(text: pa.Array) -> pa.Array:
    """The values by a random permutation."""
    return text.take(pa.array(np.random.default_rng(1).permutation(len(text))))


# name of the figure → (technique, parameters, kind, values, what to compare with, its name); one entry at least for each technique
CASES: dict[str, tuple[str, dict[str, Any], Kind, list[str], Callable[[pa.Array], Any], str]] = {
    "nullify": ("nullify", {}, Kind.STRING, EMAILS, lambda text: pa.nulls(len(text), pa.string()), "pyarrow.nulls"),
    "redact": ("redact", {}, Kind.STRING, EMAILS, constant, "pyarrow.compute.if_else"),
    "redact, fill": (
        "redact", {"fill": "#"}, Kind.STRING, EMAILS, lambda text: pc.replace_substring_regex(text, ".", "#"), "pyarrow regular expression",
    ),
    "partial": ("partial", {"keep_first": 1, "keep_after": "@"}, Kind.STRING, EMAILS, email, "pyarrow regular expression"),
    "partial, separators": (
        "partial", {"keep_last": 4, "keep_separators": True}, Kind.STRING, SSNS,
        lambda text: pc.binary_join_element_wise("***-**-", pc.utf8_slice_codeunits(text, -4), ""), "pyarrow slice and join",
    ),
    "redact_text": ("redact_text", {}, Kind.STRING, NOTES, one_pattern, "re.sub of one pattern a value"),
    "redact_text, pseudonyms": (
        "redact_text", {"entities": {"EMAIL": {"technique": "pseudonym", "domain": "email"}}}, Kind.STRING, NOTES, one_pattern,
        "re.sub of one pattern a value",
    ),
    "redact_text, unknown names": (
        "redact_text", {"unknown_names": "mask"}, Kind.STRING, NOTES, one_pattern, "re.sub of one pattern a value",
    ),
    "pseudonym": ("pseudonym", {"domain": "customer"}, Kind.STRING, EMAILS, hmac_each, "hmac.digest a value"),
    "generalize, width": ("generalize", {"width": 10}, Kind.NUMBER, AMOUNTS, floor_to(10), "pyarrow floating point"),
    "generalize, round_to": ("generalize", {"round_to": 0.05}, Kind.NUMBER, AMOUNTS, floor_to(0.05), "pyarrow floating point"),
    "generalize, prefix": (
        "generalize", {"prefix": 3}, Kind.STRING, ZIPS,
        lambda text: pc.binary_join_element_wise(pc.utf8_slice_codeunits(text, 0, 3), "**", ""), "pyarrow slice and join",
    ),
    "generalize, date": (
        "generalize", {"date": "month"}, Kind.STRING, TIMES, lambda text: pc.utf8_slice_codeunits(text, 0, 7), "pyarrow slice, unchecked",
    ),
    "generalize, hierarchy": (
        "generalize", {"hierarchy": "city.csv", "level": 1}, Kind.STRING, CITIES,
        lambda text: pc.index_in(text, value_set=pa.array(["Albany", "Boston", "Salem"])), "pyarrow.compute.index_in alone",
    ),
    "generalize, geohash": (
        "generalize", {"geohash": 5}, Kind.OBJECT, PLACES, lambda text: [json.loads(value) for value in text.to_pylist()],
        "json.loads alone",
    ),
    "date_shift": ("date_shift", {"max_days": 30}, Kind.STRING, TIMES, hmac_each, "hmac.digest a value"),
    "substitute": ("substitute", {"as": "full_name", "domain": "person"}, Kind.STRING, EMAILS, hmac_each, "hmac.digest a value"),
    "shuffle": ("shuffle", {}, Kind.STRING, DIAGNOSES, shuffled, "pyarrow take of a permutation"),
    "perturb": ("perturb", {"relative": 0.05, "scale": 2}, Kind.NUMBER, AMOUNTS, floor_to(0.01), "pyarrow floating point"),
}  # fmt: skip


def rate(work: Callable[[], Any]) -> float:
    """Values per second of processor time in the best run, after one run to warm up."""
    work()
    best, end, runs = float("inf"), time.process_time() + SECONDS, 0
    while runs < 3 or time.process_time() < end:
        start = time.process_time()
        work()
        best, runs = min(best, time.process_time() - start), runs + 1
    return ROWS / max(best, 1e-9)


def measure(names: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The figures of all cases, or of those named: values per second, and how many times that is of what it is compared with."""
    ring, rows = KeyRing.new(), np.arange(ROWS, dtype=np.int32)
    context = Context(bytes(32), pa.array([f"CUST{k % 2_500}" for k in range(ROWS)]), lambda path: rows)
    figures = {}
    for name in names or CASES:
        title, example, kind, texts, baseline, against = CASES[name]
        technique, site = TECHNIQUES[title], RuleContext(FieldFacts("field"), ring, lambda file: "Boston;MA;*\nSalem;MA;*\nAlbany;NY;*\n")
        mask, text = technique.make(technique.params.model_validate(example), site), pa.array(texts)
        assert not isinstance(mask, Action)
        values = Values(text, np.full(ROWS, kind, np.int32), rows)
        own, other = rate(lambda m=mask, v=values: m(v, context)), rate(lambda b=baseline, t=text: b(t))
        figures[f"technique:{name}"] = {"value": round(own), "unit": "values/s", "ratio": round(own / other, 2), "against": against}
    return figures


if __name__ == "__main__":
    for name, figure in measure(sys.argv[1:]).items():
        print(f"{name:<36}{figure['value'] / 1e6:8.1f} M values/s{figure['ratio']:10.1f} × {figure['against']}")
