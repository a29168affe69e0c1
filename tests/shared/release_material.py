"""A small view made by hand: raw records, and groups of neighbours released as ranges."""

import random

from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: patients
subject: person
event_time: {field: at}
fields:
  person: {class: identifier}
  seq: {class: measure, bounds: [0, 1000]}
  age: {class: quasi, domain: [0, 100]}
  zip: {class: quasi, prefix: 5}
  ward: {class: quasi, hierarchy: wards.csv}
  illness: {class: sensitive, hierarchy: illnesses.yaml}
  severity: {class: sensitive, domain: [1, 5]}
  at: {class: plain, type: datetime}
segments:
  partners:
    view: anonymized
    k: 4
    quasi_identifiers: [age, zip, ward]
    release: [illness, severity, seq]
"""
FILES = {"wards.csv": "A1;A;*\nA2;A;*\nB1;B;*\nB2;B;*", "illnesses.yaml": "{lung: [flu, asthma], heart: [infarct]}"}


def source(rules=""):
    """The policy with further lines in the segment."""
    return PolicySource("policy.yaml", POLICY + "".join(f"    {line}\n" for line in rules.splitlines()), FILES)


def raw_records(n=40, people=None, seed=5):
    """Records in the order of their coming; each of another person, or of so many people in turn."""
    draw = random.Random(seed)
    return [{"person": f"P{i % (people or n)}", "seq": i, "age": draw.randrange(20, 80), "zip": f"{draw.randrange(94100, 94120)}",
             "ward": draw.choice(["A1", "A2", "B1", "B2"]), "illness": draw.choice(["flu", "asthma", "infarct"]),
             "severity": draw.randrange(1, 6), "at": f"2024-03-15T10:{i % 60:02}:00Z"} for i in range(n)]


def released(records, k=4, names=("illness", "severity", "seq")):
    """Neighbours by age as groups with one box each."""
    ordered, lines = sorted(records, key=lambda r: r["age"]), []
    for start in range(0, len(ordered) - len(ordered) % k, k):
        group = ordered[start : start + k + (len(ordered) - start - k if len(ordered) - start < 2 * k else 0)]
        ages, zips = [r["age"] for r in group], [r["zip"] for r in group]
        kept = next(p for p in range(5, -1, -1) if len({z[:p] for z in zips}) == 1)
        wards = {r["ward"] for r in group}
        box = {"age": f"{min(ages)}-{max(ages)}" if min(ages) < max(ages) else str(ages[0]),
               "zip": zips[0][:kept] + "*" * (5 - kept) if kept else "*",
               "ward": wards.pop() if len(wards) == 1 else "*" if len({w[0] for w in wards}) > 1 else wards.pop()[0]}
        lines += [{**box, **{name: r[name] for name in names}} for r in group]
        if len(group) > k:
            break
    return lines


def verdicts(report):
    """The verdict by the promise's name."""
    return {promise.name: promise.verdict for promise in report.promises}
