"""Inputs that are tables or files: a census, its anonymized release, and events for Flink jobs."""

import csv
import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

SEED = 20261122
SENSITIVE = "salary"
EDUCATION = {"school": ["9th", "10th", "11th", "12th", "HS-grad"], "college": ["Some-college", "Assoc-acdm", "Assoc-voc"],
             "university": ["Bachelors", "Masters", "Doctorate", "Prof-school"]}
SIX_TIMES = 6


def generated(records: int) -> dict[str, Any]:
    """A census like Adult: ages, sex, education, 60 towns, unevenly spread and correlated."""
    rng = np.random.default_rng(SEED)
    schools = [(leaf, level, "*") for level, leaves in EDUCATION.items() for leaf in leaves]
    towns = [(f"town {i:02}", f"county {i // 5}", f"state {i // 20}", "*") for i in range(60)]
    age = np.clip(rng.gamma(5.5, 7.0, records) + 10, 17, 90).astype(int)
    school = np.clip(rng.normal(5 + (age > 25) * 2, 3, records), 0, len(schools) - 1).astype(int)
    town = np.minimum(rng.geometric(0.07, records), 60) - 1
    rich = rng.random(records) < 0.06 + 0.03 * school
    return {
        "columns": {"age": age.tolist(), "sex": rng.choice(["Female", "Male"], records).tolist(),
                    "education": [schools[i][0] for i in school], "town": [towns[i][0] for i in town],
                    SENSITIVE: np.where(rich, ">50K", "<=50K").tolist()},
        "domains": {"age": [17, 90]}, "quasi": ["age", "sex", "education", "town"], "records": records,
        "hierarchies": {"sex": [("Female", "*"), ("Male", "*")], "education": schools, "town": towns},
    }


def adult(folder: Path, records: int) -> dict[str, Any]:
    """The first records of the Adult extract of the UCI repository in ARX's form."""
    with (folder / "adult.csv").open(newline="") as file:
        rows = list(itertools.islice(csv.DictReader(file, delimiter=";"), records))
    names = ["age", *(name for name in rows[0] if name not in ("age", "salary-class"))]
    trees = {name: [tuple(line.split(";")) for line in (folder / f"adult_hierarchy_{name}.csv").read_text().splitlines() if line]
             for name in names[1:]}
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in names[1:]}
    return {"columns": {"age": [int(row["age"]) for row in rows], **columns, SENSITIVE: [row["salary-class"] for row in rows]},
            "domains": {"age": [17, 90]}, "quasi": names, "records": len(rows), "hierarchies": trees}


def released(census: dict[str, Any], k: int, folder: Path) -> dict[str, Any]:
    """The census as raw records, a policy, and what this library releases of it.

    Args:
        census: of `generated` or `adult`.
        k: of the policy.
        folder: an empty one.
    """
    from flink_masking import KeyRing, Protector

    trees = []
    for name, paths in census["hierarchies"].items():
        (folder / f"{name}.csv").write_text("\n".join(";".join(path) for path in paths) + "\n")
        trees.append(f"  {name}: {{class: quasi, hierarchy: {name}.csv}}")
    low, high = census["domains"]["age"]
    written = [
        "version: 1", "stream: census", "subject: person", "fields:", "  person: {class: identifier}",
        f"  age: {{class: quasi, domain: [{low}, {high}]}}", *trees, f"  {SENSITIVE}: {{class: sensitive}}", "segments:", "  view:",
        "    view: anonymized", f"    k: {k}", f"    quasi_identifiers: [{', '.join(census['quasi'])}]",
        f"    release: [{SENSITIVE}]", f"    l_diversity: {{field: {SENSITIVE}, l: 2}}", "    max_delay: 10min", "    max_buffer: 1000"]
    (folder / "policy.yaml").write_text("\n".join(written) + "\n")
    names = [*census["quasi"], SENSITIVE]
    columns = [census["columns"][name] for name in names]
    records = [json.dumps({"person": f"p{number}", **dict(zip(names, row, strict=True))}).encode()
             for number, row in enumerate(zip(*columns, strict=True))]
    (folder / "raw.jsonl").write_bytes(b"\n".join(records) + b"\n")
    protector = Protector(folder / "policy.yaml", KeyRing.ephemeral())
    out = [line for start in range(0, len(records), 5_000) for line in protector.protect(records[start : start + 5_000]).released["view"]]
    out += protector.finish()["view"]
    (folder / "released").mkdir()
    (folder / "released" / "part-0").write_bytes(b"\n".join(out) + b"\n")
    return {"policy": str(folder / "policy.yaml"), "raw": str(folder / "raw.jsonl"), "released": str(folder / "released"),
            "quasi": census["quasi"], "records": len(records)}


def events(count: int, share: float, folder: Path) -> dict[str, Any]:
    """Directories of events for a job over n, one over 6 n, and one over few whose lines are compared.

    Args:
        count: n of the fastest job.
        share: of it that this job takes.
        folder: for the files; made by the first call.
    """
    from flink_masking.generate import write_events

    n, whole = max(100, round(count * share)), folder / "events.jsonl"
    if not whole.exists():
        write_events(whole, count, max(1, count // 4), 1, "flat")
    given: dict[str, Any] = {"more": (SIX_TIMES - 1) * n}
    for name, lines, copies in (("few", 100, 1), ("small", n, 1), ("large", n, SIX_TIMES)):
        place = folder / f"{name}-{n}"
        given[name] = str(place)
        if place.exists():
            continue
        place.mkdir()
        for i in range(copies):
            if i:
                os.link(place / "0.jsonl", place / f"{i}.jsonl")
                continue
            with whole.open("rb") as source, (place / "0.jsonl").open("wb") as part:
                part.writelines(itertools.islice(source, lines))
    return given
