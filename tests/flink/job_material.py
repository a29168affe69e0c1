"""Customer events whose every record can be told apart, the policy that they go through, and what must never be seen of them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flink_masking.files.opened import data_files as files
from flink_masking.generate import write_events
from flink_masking.tools.reconcile import lines

FIELDS = """\
version: 1
stream: events
format: json
subject: customerId
event_time: {field: timestamp, max_out_of_orderness: 5s}
fields:
  order:             {class: plain}
  customerId:        {class: identifier, optional: false}
  name:              {class: direct, type: person}
  email:             {class: direct, type: email}
  ssn:               {class: direct, type: us_ssn}
  card.number:       {class: direct, type: payment_card}
  card.brand:        {class: plain}
  contacts[*].phone: {class: direct, type: phone}
  contacts[*].kind:  {class: plain}
  birthDate:         {class: direct, type: date}
  age:               {class: quasi, domain: [0, 120]}
  zip:               {class: quasi, prefix: 5}
  diagnosis:         {class: sensitive}
  purchaseAmount:    {class: measure, bounds: [0, 1000], scale: 2}
  notes:             {class: free_text}
  timestamp:         {class: plain, type: datetime}
unknown_fields: quarantine
audit: {sink: audit}
segments:
"""
MASKED = """\
  analytics:
    view: masked
    rules:
      order: keep
      customerId: {technique: pseudonym, domain: customer}
      email: {technique: partial, keep_first: 1, keep_after: "@"}
      ssn: {technique: partial, keep_last: 4, keep_separators: true}
      purchaseAmount: keep
      timestamp: keep
      "*": drop
  development:
    view: masked
    rules:
      order: keep
      customerId: {technique: pseudonym, domain: customer}
      card.number: {technique: redact, fill: "#"}
      contacts[*].phone: {technique: redact, with: hidden}
      age: {technique: generalize, width: 10}
      zip: {technique: generalize, prefix: 3}
      "*": drop
"""
STATEFUL = """\
  partners:
    view: anonymized
    k: 5
    quasi_identifiers: [age, zip]
    release: [order, diagnosis, purchaseAmount]
    max_delay: 4s
    max_buffer: 1000
  dashboard:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [{zip: {generalize: 1}}]
    metrics: {orders: count, customers: count_distinct_subjects, spend: {sum: purchaseAmount}}
    privacy: {epsilon: 10.0, delta: 1.0e-6, max_groups_per_subject: 1, max_records_per_group: 3, lifetime_epsilon: 1000}
"""
POLICY = FIELDS + MASKED + STATEFUL
K, RECORDS_PER_PERSON = 5, 3
VIEWS = ("analytics", "development", "partners", "dashboard")
SINKS = (*VIEWS, "audit", "quarantine")

UNREADABLE = (
    b'{"order":-1,"customerId":"CUST7777771","email":"leak.me@example.com"',
    b"leak.me@example.com",
    b'{"order":-3,"customerId":"CUST7777773","password":"leak.me@example.com","timestamp":"2024-03-15T10:00:00Z"}',
    b'{"order":-5,"email":"leak.me@example.com","timestamp":"2024-03-15T10:00:00Z"}',
    b'\xff\xfe{"order":-6}',
    b"",
)
"""Lines that belong in the quarantine whatever the segments are; the last one is empty."""
BROKEN = (
    *UNREADABLE,
    b'{"order":-2,"customerId":"CUST7777772","age":"forty","zip":"94110","timestamp":"2024-03-15T10:00:00Z"}',
    b'{"order":-4,"customerId":"CUST7777774","timestamp":"yesterday"}',
)
"""The same, and what the anonymized and the aggregated segment cannot take."""

_PERSONAL = re.compile(
    rb"(?<![\w.+-])[\w.+-]+@[\w.-]+|\d{3}-\d{2}-\d{4}|\d{4}-\d{4}-\d{4}-\d{4}|\+\d{11}|CUST\d{7}|(?:19|20)\d\d-\d\d-\d\d(?!T|\s\d\d:)"
)


@dataclass(frozen=True)
class Events:
    """Raw events: their lines and, by order number, what they say."""

    lines: list[bytes]
    truth: dict[int, dict[str, Any]]


def make_events(place: Path, count: int, people: int, seed: int, first: int = 0, hour: int = 10) -> Events:
    """Events with a member ``order``, numbered from `first`."""
    raw = place / f"made-{seed}"
    write_events(raw, count, people, seed, "nested")
    made = [line.replace(b"T10:", b"T%d:" % hour) for line in raw.read_bytes().splitlines()]
    raw.unlink()
    numbered = [b'%s,"order":%d}' % (line[:-1], number) for number, line in enumerate(made, first)]
    return Events(numbered, {event["order"]: event for event in map(json.loads, numbered)})


def text(lines_: Iterable[bytes]) -> bytes:
    """Lines as the contents of a file."""
    return b"".join(line + b"\n" for line in lines_)


def secrets(events: Iterable[dict[str, Any]]) -> frozenset[bytes]:
    """Every personal value of raw events: names, addresses, numbers, birth dates; those of the broken ones too."""
    found = {b"leak.me@example.com"}
    for event in events:
        values = [event.get(name, "") for name in ("customerId", "name", "email", "ssn", "birthDate")]
        values += [event.get("card", {}).get("number", ""), *(contact.get("phone", "") for contact in event.get("contacts", []))]
        found.update(value.encode() for value in values if value)
    return frozenset(found)


def leaked(directory: Path, known: frozenset[bytes], some_names: int = 20) -> set[bytes]:
    """Those of the `known` personal values that some file below `directory`, of whatever form, holds."""
    names = sorted(value for value in known if not _PERSONAL.fullmatch(value))[:some_names]
    found: set[bytes] = set()
    for file in directory.rglob("*"):
        if file.is_file() and file.suffix != ".jar":  # Flink's own code: tens of megabytes
            held = file.read_bytes()
            found |= known.intersection(_PERSONAL.findall(held))
            found |= {name for name in names if name in held}
    return found


def records(directory: Path) -> list[dict[str, Any]]:
    """The records of a view."""
    return [json.loads(line) for line in lines(directory)]


def sizes(directory: Path) -> int:
    """Bytes of a view's finished files."""
    return sum(file.stat().st_size for file in files(directory))


def covers(label: str, value: int | str) -> bool:
    """Whether a released quasi-identifier tells the truth about a raw one."""
    if label == "*":
        return True
    if isinstance(value, str):
        return len(label) == len(value) and all(a in (b, "*") for a, b in zip(label, value, strict=True))
    low, _, high = label.partition("-")
    return int(low) <= value <= int(high or low)


def small_classes(released: list[dict[str, Any]], truth: dict[int, dict[str, Any]]) -> list[int]:
    """Numbers of people of the equivalence classes with fewer than k."""
    classes: dict[tuple[str, str], set[str]] = {}
    for record in released:
        classes.setdefault((record["age"], record["zip"]), set()).add(truth[record["order"]]["customerId"])
    return [len(people) for people in classes.values() if len(people) < K]
