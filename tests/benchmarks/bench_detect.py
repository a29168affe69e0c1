"""Records a second of detection over nested records of 1.1 kB, and over inputs made to slow it down.

``python tests/benchmarks/bench_detect.py [--json FILE]``: one thread, batches of 2,000, records per second of processor time, best of
several rounds. Nothing fails on time. An input that is one token again and again is cut into records of 1,100 bytes.
"""

import argparse
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from flink_masking.detect import ColumnStatistics, Detectors, Paths
from flink_masking.detect.catalogue import regexes
from flink_masking.generate.payloads import payloads

BATCH, ROUNDS, SIZE = 2_000, 5, 1_100
NESTED: dict[str, Any] = {
    "event_id": "#hash", "type": "#action", "ts": "#time",
    "customer": {"id": "#order", "name": "{PERSON}", "email": "{EMAIL}", "phone": "{PHONE}",
                 "address": {"full": "{STREET_ADDRESS}, {POSTCODE} {CITY}", "city": "{CITY}", "country": "US"}, "tier": "#word"},
    "payment": {"method": "card", "pan": "{CARD_NUMBER}", "iban": "{IBAN}", "amount": "#price", "currency": "#currency"},
    "device": {"ip": "{IP_ADDRESS}", "mac": "{MAC_ADDRESS}", "session": "#uuid",
               "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0 Safari/537.36"},
    "items": [{"sku": "#sku", "qty": "#int", "price": "#price", "note": "#none"}] * 3,
    "notes": "Order {order} arrived damaged, the customer asked to be called back at {PHONE_TEXT} before Friday and wants a refund to the "
             "same card as before.",
    "history": [{"at": "#time", "by": "{PERSON}",
                 "text": "Sent the form to {EMAIL}, no answer for {int} days; passed on to the second level."}],
}  # fmt: skip
"""The shape of the records: 1.1 kB each, orders with a person, a card, an account, a device and two free texts."""

HOSTILE = {
    "a.": b"a.", "a_": b"a ", "1_": b"1 ", "0:": b"0:", "digits": b"1", "GB33_": b"GB33 ", "eyJa.": b"eyJaaaaaaaa.", "sk-": b"sk-",
    "xoxb-": b"xoxb-",
    "key=": b"key=", "password=a": b"password=a ", "://": b"://", "@": b"@", "a@": b"a@", "a@b.": b"a@b.", "+1_": b"+1 ", "(1)": b"(1)",
    "1-": b"1-", "BEGIN": b"-----BEGIN PRIVATE KEY-----",
    "Mary_": b"Mary ", "New_York_": b"New York ", "12_Main_Street_": b"12 Main Street ", "umlaut": b"\xc3\xa4", "0xff": b"\xff",
    "4111": b"4111 1111 1111 1111 ", "ssn": b"536-90-4399 ",
    "email": b"a@bc.io ", "ipv6": b"1:2:3:4:5:6:7:", "colons": b"::", "quote": b'\\"', "u0040": b"\\u0040", "braces": b'{"a":',
    "keys": b'"a":1,', "hex": b"0123456789abcdef-", "Bearer": b"Bearer ",
}  # fmt: skip
"""Tokens that fill a whole record."""


def records(count: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Data, starts and ends of nested records."""
    raw = [payload.record for payload in payloads(count, 7, of=[NESTED])]
    ends = np.cumsum([len(x) for x in raw]).astype(np.int64)
    return np.frombuffer(b"".join(raw), np.uint8), ends - [len(x) for x in raw], ends


def filled(token: bytes, count: int = 2_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Records that hold one string of one token again and again."""
    inside = token * (SIZE // len(token))
    record = inside if token in (b'{"a":', b'"a":1,') else b'{"t":"' + inside + b'"}'
    data = np.frombuffer(record * count, np.uint8)
    ends = np.arange(1, count + 1, dtype=np.int64) * len(record)
    return data, ends - len(record), ends


def rate(detectors: Detectors, batch: tuple[np.ndarray, np.ndarray, np.ndarray], rounds: int = ROUNDS) -> float:
    """Records of 1,100 bytes a second: the best of several rounds."""
    data, starts, ends = batch
    paths, best = Paths(), float("inf")
    detectors.find_json(data, starts[:200], ends[:200], paths)
    for _ in range(rounds):
        begin = time.process_time()
        for k in range(0, len(starts), BATCH):
            detectors.find_json(data, starts[k : k + BATCH], ends[k : k + BATCH], paths)
        best = min(best, time.process_time() - begin)
    return len(data) / SIZE / best


def statistics_rate(detectors: Detectors, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    """Records a second that are counted by path."""
    data, starts, ends = batch
    paths = Paths()
    counted = ColumnStatistics(detectors, paths)
    counted.add(data, paths.values(data, starts[:200], ends[:200]))
    begin = time.process_time()
    for k in range(0, len(starts), BATCH):
        counted.add(data, paths.values(data, starts[k : k + BATCH], ends[k : k + BATCH]))
    return len(starts) / (time.process_time() - begin)


def one_by_one(batch: tuple[np.ndarray, np.ndarray, np.ndarray], count: int = 60) -> float:
    """Records a second of Python's `re`, all patterns of the catalogue one after the other."""
    data, starts, ends = batch
    compiled = [re.compile(pattern.encode()) for pattern in regexes()]
    begin = time.process_time()
    for s, e in zip(starts[:count], ends[:count], strict=True):
        for pattern in compiled:
            pattern.findall(data[s:e].tobytes())
    return count / (time.process_time() - begin)


def measure() -> dict[str, Any]:
    """All figures, by name."""
    random.seed(7)
    detectors, batch = Detectors(), records()
    found: dict[str, Any] = {}

    def put(name: str, value: float, ratio: float | None = None, against: str = "") -> None:
        found[name] = {"value": round(value), "unit": "records/s", "ratio": ratio, "against": against}

    every = rate(detectors, batch)
    python = one_by_one(batch)
    put("detect.nested", every, every / python, "re, one pattern after the other")
    put("detect.nested_without_names", rate(Detectors(names=False), batch))
    put("detect.columns", statistics_rate(detectors, batch))
    for name, token in HOSTILE.items():
        put(f"detect.hostile.{name}", rate(detectors, filled(token), 2))
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure()
    for name, entry in found.items():
        print(f"{name:<44} {entry['value']:>12,} {entry['unit']}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
