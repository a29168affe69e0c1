"""Policies and records of the formats that runs read beside plain JSON lines: CSV, Avro, marked JSON, and records that are swept."""

from typing import Any

CELLS = """\
version: 1
stream: cells
format: csv
subject: id
fields:
  id: {class: identifier}
  age: {class: quasi, type: integer, domain: [18, 97]}
  note: {class: plain}
  home.city: {class: quasi, optional: true}
segments:
  masked: {view: masked, rules: {id: {technique: pseudonym, domain: person}, age: keep, note: keep, home: drop}}
  groups: {view: anonymized, k: 5, quasi_identifiers: [age], release: [note]}
"""


RECORDS = """\
version: 1
stream: records
format: avro
subject: id
fields:
  id: {class: identifier}
  age: {class: quasi, type: integer, domain: [18, 97]}
  notes[*]: {class: plain}
segments:
  masked: {view: masked, rules: {id: {technique: pseudonym, domain: person}, age: {technique: generalize, width: 10}, "notes[*]": keep}}
  groups: {view: anonymized, k: 5, quasi_identifiers: [age], release: []}
"""
RECORD = {"type": "record", "name": "Person", "fields": [
    {"name": "id", "type": "string"}, {"name": "age", "type": ["null", "int"]},
    {"name": "notes", "type": {"type": "array", "items": "string"}}]}  # fmt: skip


def people() -> list[dict[str, Any]]:
    """Avro records of 60 people; notes have line breaks and what folding writes otherwise."""
    return [{"id": f"P{number % 60}", "age": 18 + number % 60, "notes": ["a\nb", "ÿ\r\n"][: number % 3]} for number in range(300)]


MARKED = """\
version: 1
stream: marked
fields: {a: {class: plain}, b: {class: plain, optional: true}}
segments:
  masked: {view: masked, rules: {a: keep, b: keep}}
"""
SWEPT = """\
version: 1
stream: swept
unknown_fields: scan
fields: {id: {class: plain, optional: true}, birthDate: {class: plain, optional: true}}
segments:
  support: {view: masked, rules: {id: keep, "*": redact_text}}
"""
UNUSUAL = [b'{"a":1,\r"b":2}', b'{"a":"\xff\r"}']
"""A record with a carriage return between members, and one that is no UTF-8."""


def cells() -> list[bytes]:
    """CSV records of 60 people, with line breaks, quotes and empty cells."""
    notes = [b'"two\nlines, ""quoted"""', b"", b'""', b"plain"]
    return [b"p%d,%d,%s,Brno" % (n % 60, 18 + n * 7 % 80, notes[n % 4]) for n in range(300)]
