"""Rows a second of the span codec, beside orjson per row and pyarrow.json on the same events in the same run.

``python tests/benchmarks/bench_records.py [--fhir DIR] [--json FILE]``: one thread, batches of 10,000, rows per second of processor
time. A busy machine slows all contestants, so each round runs them one after the other; rows/s are of the best round, ratios are
medians over the rounds. Nothing fails on time. DIR holds FHIR resources as NDJSON files; the encounters among them are used.
"""

import argparse
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from flink_masking import arrow
from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit
from flink_masking.kernels.memory import SLACK, at, copy, put8
from flink_masking.records.edits import KEEP, Replace
from flink_masking.records.json.codec import scan
from flink_masking.records.spans import Values
from flink_masking.records.trie import Paths

BATCH, ROUNDS = 10_000, 25
MASKED = ("email", "ssn", "card", "age", "zip")
FLAT = Paths(MASKED, known=("customerId", "purchaseAmount", "timestamp"))
FHIR_FIELDS = ("id", "subject.reference", "subject.display", "period.start", "period.end", "participant[*].individual.display")
FHIR = Paths(FHIR_FIELDS, deny=False)
FHIR_KNOWN = Paths(
    FHIR_FIELDS,
    known=("resourceType", "status", "meta", "identifier", "class", "type", "participant[*].type", "participant[*].period",
           "participant[*].individual.reference", "location", "serviceProvider", "reasonCode", "hospitalization"),
    opaque=("meta", "identifier", "class", "type", "participant[*].type", "participant[*].period", "location", "serviceProvider",
            "reasonCode", "hospitalization"),
)


@njit([(U8, I32, W8, W32)], **JIT)
def _email(data, offsets, out_, ends):
    """First character, three stars, everything from the @ on."""
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    limit, o = base + len(data), out
    for k in range(len(offsets) - 1):
        p, e = base + offsets[k], base + offsets[k + 1]
        q = p
        while q < e and at(q) != 64:
            q += 1
        n = 1
        while p + n < e and at(p + n) & 0xC0 == 0x80:
            n += 1
        o = copy(o, p, min(n, e - p), limit)
        for _ in range(3):
            put8(o, 42)
            o += 1
        o = copy(o, q, e - q, limit)
        ends[k + 1] = o - out


@njit([(U8, I32, I64, I64, U8, U8, W8, W32)], **JIT)
def _ends(data, offsets, first, last, before, after, out_, ends):
    """`before`, the first and last so many bytes, `after`; both constants have SLACK bytes behind them."""
    base, out, pre, post = np.int64(data.ctypes.data), np.int64(out_.ctypes.data), np.int64(before.ctypes.data), np.int64(after.ctypes.data)
    limit, o, n_pre, n_post = base + len(data), out, len(before) - SLACK, len(after) - SLACK
    for k in range(len(offsets) - 1):
        p, e = base + offsets[k], base + offsets[k + 1]
        o = copy(o, pre, n_pre, pre + n_pre + SLACK)
        o = copy(o, p, min(first, e - p), limit)
        o = copy(o, e - min(last, e - p), min(last, e - p), limit)
        o = copy(o, post, n_post, post + n_post + SLACK)
        ends[k + 1] = o - out


Mask = Callable[[Values], pa.Array]


def _run(kernel: Any, values: Values, *arguments: Any) -> pa.Array:
    data, offsets, _ = arrow.parts(values.text)
    buffer, out = arrow.output(int(offsets[-1]) + 32 * len(values.text))
    ends = np.zeros(len(values.text) + 1, np.int32)
    kernel(data, offsets, *arguments, out, ends)
    return arrow.assemble(pa.string(), buffer, ends)


def _constant(text: bytes) -> np.ndarray:
    return np.frombuffer(text + bytes(SLACK), np.uint8)


def _around(first: int, last: int, before: bytes, after: bytes) -> Mask:
    pre, post = _constant(before), _constant(after)
    return lambda values: _run(_ends, values, first, last, pre, post)


MASKS: dict[str, Mask] = {
    "email": lambda values: _run(_email, values),
    "ssn": _around(0, 4, b"***-**-", b""),
    "card": _around(0, 4, b"xxxx-xxxx-xxxx-", b""),
    "age": _around(1, 0, b"", b"0s"),
    "zip": _around(3, 0, b"", b"**"),
}


def flat_events(n: int, seed: int = 1) -> list[bytes]:
    """n purchase events of about 205 bytes."""
    rnd = random.Random(seed)
    names = ("anna", "benjamin.k", "carlos", "dora-lee", "edward.stone", "fatima", "gus", "henrietta.van.dyk")
    return [
        orjson.dumps({
            "customerId": f"C{rnd.randrange(10**8):08d}-{rnd.randrange(10**4):04d}",
            "email": f"{rnd.choice(names)}{rnd.randrange(10**4)}@{rnd.choice(('example.com', 'mail.example.org', 'test.example.net'))}",
            "ssn": f"{rnd.randrange(1, 899):03d}-{rnd.randrange(1, 99):02d}-{rnd.randrange(1, 9999):04d}",
            "card": f"4{rnd.randrange(1000):03d}-{rnd.randrange(10**4):04d}-{rnd.randrange(10**4):04d}-{rnd.randrange(10**4):04d}",
            "age": rnd.randrange(18, 95),
            "zip": f"{rnd.randrange(10**5):05d}",
            "purchaseAmount": round(rnd.uniform(1, 2000), 2),
            "timestamp": f"2024-{rnd.randrange(1, 13):02d}-{rnd.randrange(1, 29):02d}T{rnd.randrange(24):02d}:{rnd.randrange(60):02d}"
                         f":07.{rnd.randrange(1000):03d}Z",
        })
        for _ in range(n)
    ]


def mask_flat(column: pa.Array) -> pa.Array:
    """Scan, five masked fields, one output."""
    table = scan(column, FLAT)
    return table.splice({field: Replace(mask(table.values(field))) for field, mask in MASKS.items()})


def mask_flat_three(column: pa.Array) -> list[pa.Array]:
    """Three segments with different fields masked, from one scan."""
    table = scan(column, FLAT)
    masked = {field: Replace(mask(table.values(field))) for field, mask in MASKS.items()}
    kept = dict.fromkeys(MASKED, KEEP)
    return [table.splice(masked), table.splice(kept | {"email": masked["email"]}), table.splice(kept | {"ssn": masked["ssn"]})]


def mask_orjson(lines: list[bytes]) -> list[bytes]:
    """The same masks, each record parsed and printed."""
    out = []
    for line in lines:
        d = orjson.loads(line)
        email, zip_ = d["email"], d["zip"]
        d["email"] = email[:1] + "***" + email[email.index("@"):]
        d["ssn"] = "***-**-" + d["ssn"][-4:]
        d["card"] = "xxxx-xxxx-xxxx-" + d["card"][-4:]
        d["age"] = str(d["age"])[0] + "0s"
        d["zip"] = zip_[:3] + "**"
        out.append(orjson.dumps(d))
    return out


def mask_arrow(lines: list[bytes]) -> pa.Array:
    """The same masks with pyarrow: read_json, compute functions, joined text."""
    buffer = b"\n".join(lines)
    table = pj.read_json(pa.BufferReader(buffer), pj.ReadOptions(use_threads=False, block_size=len(buffer) + 1)).combine_chunks()
    t = {name: table[name].chunk(0) for name in table.column_names}
    email = pc.replace_substring_regex(t["email"], r"^(.)[^@]*", "\\1***")
    ssn = pc.binary_join_element_wise("***-**-", pc.utf8_slice_codeunits(t["ssn"], 7), "")
    card = pc.binary_join_element_wise("xxxx-xxxx-xxxx-", pc.utf8_slice_codeunits(t["card"], 15), "")
    age = pc.binary_join_element_wise(pc.utf8_slice_codeunits(pc.cast(t["age"], pa.string()), 0, 1), "0s", "")
    zip3 = pc.binary_join_element_wise(pc.utf8_slice_codeunits(t["zip"], 0, 3), "**", "")
    return pc.binary_join_element_wise(
        '{"customerId":"', t["customerId"], '","email":"', email, '","ssn":"', ssn, '","card":"', card, '","age":"', age, '","zip":"', zip3,
        '","purchaseAmount":', pc.cast(t["purchaseAmount"], pa.string()), ',"timestamp":"', pc.cast(t["timestamp"], pa.string()), '"}', "")


def mask_fhir(column: pa.Array, paths: Paths = FHIR) -> pa.Array:
    """Scan, six fields gathered, two masked, one output."""
    table = scan(column, paths)
    fields = {field: table.values(field) for field in FHIR_FIELDS}
    edits = dict.fromkeys(FHIR_FIELDS, KEEP)
    display = Replace(MASKS["ssn"](fields["subject.display"]))
    return table.splice(edits | {"subject.display": display, "id": Replace(MASKS["zip"](fields["id"]))})


def mask_fhir_orjson(lines: list[bytes]) -> list[bytes]:
    """The same, each record parsed and printed."""
    out = []
    for line in lines:
        d = orjson.loads(line)
        d["subject"]["display"] = "***-**-" + d["subject"].get("display", "")[-4:]
        d["id"] = d["id"][:3] + "**"
        out.append(orjson.dumps(d))
    return out


def _times(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each contestant in each round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for k in range(rounds + 1):
        for name, run in contestants.items():
            start = time.process_time()
            run()
            if k:
                times[name].append(time.process_time() - start)
    return times


def _entry(times: dict[str, list[float]], name: str, rows: int, against: str) -> dict[str, Any]:
    ratio = statistics.median(b / a for a, b in zip(times[name], times[against], strict=True))
    return {"value": round(rows / min(times[name])), "unit": "rows/s", "ratio": round(ratio, 2), "against": against}


def measure(fhir: Path | None = None, rounds: int = ROUNDS) -> dict[str, dict[str, Any]]:
    """Measure.

    Args:
        fhir: a directory with FHIR resources as NDJSON, or None to leave them out.
        rounds: how often everything runs.

    Returns:
        Name → value (rows a second, best round), unit, ratio (median, how many times as fast), against.
    """
    pa.set_cpu_count(1)
    lines = flat_events(BATCH)
    column = pa.array(lines, pa.binary())
    if [orjson.loads(x) for x in mask_flat(column).to_pylist()] != [orjson.loads(x) for x in mask_orjson(lines)]:
        raise AssertionError("the span codec and orjson disagree")
    times = _times({
        "scan": lambda: scan(column, FLAT), "mask": lambda: mask_flat(column), "three": lambda: mask_flat_three(column),
        "orjson per row": lambda: mask_orjson(lines), "pyarrow.json": lambda: mask_arrow(lines)}, rounds)
    result = {
        "scan, flat events": _entry(times, "scan", BATCH, "orjson per row"),
        "five masked fields, flat events, against orjson": _entry(times, "mask", BATCH, "orjson per row"),
        "five masked fields, flat events, against pyarrow.json": _entry(times, "mask", BATCH, "pyarrow.json"),
        "three segments, flat events": _entry(times, "three", BATCH, "orjson per row"),
        "orjson per row, flat events": _entry(times, "orjson per row", BATCH, "orjson per row"),
        "pyarrow.json, flat events": _entry(times, "pyarrow.json", BATCH, "pyarrow.json"),
    }
    files = [] if fhir is None else sorted(fhir.glob("*Encounter*.ndjson"))
    if files:
        encounters = [line for file in files for line in file.read_bytes().splitlines() if line]
        lines = (encounters * (BATCH // len(encounters) + 1))[:BATCH]
        nested = pa.array(lines, pa.binary())
        times = _times({
            "scan": lambda: scan(nested, FHIR_KNOWN), "mask": lambda: mask_fhir(nested), "deny": lambda: mask_fhir(nested, FHIR_KNOWN),
            "orjson per row": lambda: mask_fhir_orjson(lines)}, max(rounds // 3, 1))
        result["scan, FHIR encounters, default deny"] = _entry(times, "scan", BATCH, "orjson per row")
        result["six fields, FHIR encounters"] = _entry(times, "mask", BATCH, "orjson per row")
        result["six fields, FHIR encounters, default deny"] = _entry(times, "deny", BATCH, "orjson per row")
        result["orjson per row, FHIR encounters"] = _entry(times, "orjson per row", BATCH, "orjson per row")
    return result


def _protect(policy: str) -> tuple[Any, list[bytes]]:
    """`Protect` for a policy, and a batch of its events."""
    from flink_masking.engine.plan import compile_plan
    from flink_masking.engine.protect import Protect
    from flink_masking.generate.events import write_events
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    plan = compile_plan(load(PolicySource("policy_flat.yaml", policy)), KeyRing.new())
    with tempfile.TemporaryDirectory() as folder:
        write_events(Path(folder) / "events.jsonl", BATCH, BATCH // 4, 1, "flat")
        return Protect(plan, os.urandom, lambda: 1_710_498_600_000), (Path(folder) / "events.jsonl").read_bytes().splitlines()


def _by_row(lines: list[bytes]) -> list[bytes]:
    """What the rules of `measure_protect` make, each record parsed and printed; no contract, no count, no audit."""
    out = []
    for line in lines:
        d = orjson.loads(line)
        email, card, decade = d["email"], d["card"], d["age"] // 10 * 10
        d["email"] = email[:1] + "***" + email[email.index("@"):]
        d["ssn"] = "***-**-" + d["ssn"][-4:]
        d["card"] = re.sub("[0-9]", "x", card[:-4]) + card[-4:]
        d["age"] = f"{decade}-{decade + 9}"
        d["zip"] = d["zip"][:3] + "**"
        out.append(orjson.dumps(d))
    return out


def measure_protect(rounds: int = ROUNDS) -> dict[str, dict[str, Any]]:
    """The whole step of a job, of five masked fields, contract, counts and audit digests included, beside orjson doing the masks alone.

    Args:
        rounds: how often both run, one after the other.

    Returns:
        As `measure`.
    """
    text = (Path(__file__).parent / "policy_flat.yaml").read_text()
    step, lines = _protect(text.replace("{technique: pseudonym, domain: customer}", "keep").replace(
        "age: keep", "age: {technique: generalize, width: 10}"))
    column, name = pa.array(lines, pa.binary()), "five masked fields through Protect, audited, against orjson"
    shown = [line for done in step(column) for line in done.views["masked-events"].to_pylist()]
    if [orjson.loads(x) for x in shown] != [orjson.loads(x) for x in _by_row(lines)]:
        raise AssertionError("Protect and orjson disagree")
    times = _times({"protect": lambda: step(column), "orjson per row": lambda: _by_row(lines)}, rounds)
    return {name: _entry(times, "protect", BATCH, "orjson per row")}


def measure_bad(rounds: int = ROUNDS) -> dict[str, dict[str, Any]]:
    """Whole batches through Protect under ``policy_flat.yaml``: good records, and records that are rejected or have refused values.

    Args:
        rounds: how often everything runs.

    Returns:
        As `measure`; the ratios are against the good records of the same rounds.
    """
    step, good = _protect((Path(__file__).parent / "policy_flat.yaml").read_text())
    batches = {
        "good records, five masked fields, contract checked": good,
        "malformed records": [line[:-1] for line in good],
        "records with an undeclared key, each its own": [line[:-1] + b',"k%d":1}' % (k * 7919) for k, line in enumerate(good)],
        "records with three values that break the contract": [
            line.replace(b"@", b"@@").replace(b'"card":"', b'"card":"9').replace(b'"timestamp":"', b'"timestamp":"?') for line in good],
    }
    columns = {name: pa.array(lines, pa.binary()) for name, lines in batches.items()}
    times = _times({name: lambda column=column: step(column) for name, column in columns.items()}, rounds)
    return {name: _entry(times, name, BATCH, next(iter(batches))) for name in batches}


def main() -> None:
    """Print the table, and write it to a file when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fhir", type=Path, help="directory with FHIR resources as NDJSON")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    result = measure(options.fhir, options.rounds) | measure_protect(options.rounds) | measure_bad(options.rounds)
    for name, entry in result.items():
        print(f"{name:56s} {entry['value']:12,d} {entry['unit']}   {entry['ratio']:6.2f} × {entry['against']}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
