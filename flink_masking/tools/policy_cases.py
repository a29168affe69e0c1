"""Tests of a policy: cases with records in, expected views out, and properties that hold of every view.

A case is a YAML file:

    records: [{id: a, email: a@example.org}]      # objects, or lines of text in the policy's format
    views: {masked: [{id: <any>, email: "***"}]}  # the records of each view that is named, in order; <any> stands for any value
    quarantine: {1: contract}                     # number of the record, from 0 → reason; when omitted, no record may be quarantined
    properties:
      - {never: email}                            # no value of the field stands anywhere in any view
      - {absent: email, in: [masked]}             # no record of these views has the field
      - {unchanged: zip, in: [masked]}            # the field comes out as it went in
      - {differs: id, in: [masked]}               # it never does
      - {matches: {phone: "^\\+.*$"}}             # its values match a regular expression

Keys come from a fixed ring that everybody knows, so that pseudonyms in expected views are repeatable; random techniques are `<any>`.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from xml.etree import ElementTree

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flink_masking.engine.quarantine import Entry
from flink_masking.errors import FlinkMaskingError, InputError
from flink_masking.files.directory import files_below
from flink_masking.keys.checks import check_value
from flink_masking.keys.lifecycle import Version
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.files import read_text
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import MaskedSegment
from flink_masking.protector import Protector
from flink_masking.records.column import binary_column
from flink_masking.vault.memory import MemoryVault

ANY = "<any>"
"""Stands for any value in an expected record."""
SHORTEST = 3
"""Characters below which a value is not searched for in a view: it would be found everywhere."""
PUBLIC_ROOT = b"flink-masking tests: not secret."
"""The root of the keys of tests."""


class Property(BaseModel):
    """One property; exactly one of the first five is given.

    Attributes:
        never: path of a field none of whose values stands anywhere in the views, neither as text nor inside another one.
        absent: path that no record has.
        unchanged: path whose values come out as they went in, record by record.
        differs: path of which no value comes out as it went in.
        matches: paths, and regular expressions that their values match as a whole.
        views: written ``in``: the segments that it is about; all of them when omitted, and masked ones for `unchanged` and `differs`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    never: str | None = None
    absent: str | None = None
    unchanged: str | None = None
    differs: str | None = None
    matches: dict[str, str] | None = None
    views: Annotated[tuple[str, ...] | None, Field(alias="in")] = None

    @model_validator(mode="after")
    def _one(self) -> "Property":
        if sum(value is not None for value in (self.never, self.absent, self.unchanged, self.differs, self.matches)) != 1:
            raise ValueError("is one of never, absent, unchanged, differs and matches. Hint: {never: ssn}")
        return self


class Case(BaseModel):
    """One case; see the module."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    records: Annotated[list[dict[str, Any] | str], Field(min_length=1)]
    views: dict[str, list[dict[str, Any] | str]] = Field(default_factory=dict)
    quarantine: dict[int, str] | Literal["any"] = Field(default_factory=dict)
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a case has shown.

    Attributes:
        name: of its file, without the ending.
        failures: what is wrong, a line each; a case without any has passed.
    """

    name: str
    failures: tuple[str, ...] = field(default=())


def read_cases(folder: Path) -> dict[str, Case]:
    """The cases of a directory, by the names of their files (``*.yaml``), or of one file.

    Raises:
        InputError: there are none, one is no case, or a directory cannot be listed: cases that nobody sees do not fail.
    """
    away = list[OSError]()
    paths = sorted(path for path in files_below(folder, away.append) if path.suffix == ".yaml") if folder.is_dir() else [folder]
    if away:
        raise InputError(f"{os.fsdecode(away[0].filename)}: {away[0].strerror}. Hint: check the directory and its permissions")
    if not paths:
        raise InputError(f"{folder}: there are no cases. Hint: files *.yaml with records, views and properties")
    made = {}
    for path in paths:
        try:
            name = path.stem if path == folder else str(path.relative_to(folder).with_suffix(""))
            made[name] = Case.model_validate(yaml.safe_load(read_text(path)))
            continue
        except ValidationError as error:
            details: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
            failure = f"{'.'.join(map(str, details['loc']))}: {details['msg']}"
        except (yaml.YAMLError, InputError) as error:
            failure = "no YAML" if isinstance(error, yaml.YAMLError) else str(error)
        raise InputError(f"{path}: no case: {failure}. Hint: records: [...], views: {{segment: [...]}}, properties: [{{never: field}}]")
    return made


def run_case(name: str, case: Case, loaded: LoadedPolicy) -> Outcome:
    """Protect the records of a case, and compare.

    Windows and groups close at the end of the records.
    """
    try:
        return Outcome(name, tuple(_failures(case, loaded)))
    except FlinkMaskingError as error:
        return Outcome(name, (str(error),))


def as_junit(policy: str, outcomes: Sequence[Outcome]) -> bytes:
    """Outcomes as a JUnit XML report, as CI systems read it."""
    suite = ElementTree.Element("testsuite", name=policy, tests=str(len(outcomes)), errors="0",
                                failures=str(sum(bool(one.failures) for one in outcomes)))
    for one in outcomes:
        case = ElementTree.SubElement(suite, "testcase", classname=policy, name=one.name)
        if one.failures:
            ElementTree.SubElement(case, "failure", message=one.failures[0]).text = "\n".join(one.failures)
    ElementTree.indent(suite)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def _failures(case: Case, loaded: LoadedPolicy) -> Iterator[str]:
    lines = [one.encode() if isinstance(one, str) else orjson.dumps(one) for one in case.records]
    ring = KeyRing({1: Version("primary", "2026-01-01T00:00:00+00:00", PUBLIC_ROOT, check=check_value(PUBLIC_ROOT, 1))})
    protector = Protector(loaded.in_order(), ring, MemoryVault())
    made = protector.protect(binary_column(lines))
    last = protector.finish()
    masked = {segment: column.to_pylist() for segment, column in made.views.items()}
    stateful = {segment: [*made.released.get(segment, []), *last.get(segment, [])] for segment in loaded.policy.segments
                if segment not in masked}
    views = {**{name: [line for line in found if line is not None] for name, found in masked.items()}, **stateful}
    yield from _quarantine(case, dict(_reasons(made.quarantine)))
    for name, expected in case.views.items():
        if name not in views:
            yield f"views.{name}: there is no segment of that name"
            continue
        yield from _compare(name, [_value(line) for line in views[name]], [_value(one) for one in expected])
    for one in case.properties:
        if missing := [name for name in one.views or () if name not in views]:
            yield f"properties: there is no segment {missing[0]}"
            continue
        yield from _property(one, {name: found for name, found in views.items() if one.views is None or name in one.views}, masked,
                             [_value(line) for line in lines], loaded)


def _reasons(lines: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, str]]:
    for row, line in lines:
        yield row, Entry.decode(line).reason


def _quarantine(case: Case, found: Mapping[int, str]) -> Iterator[str]:
    if case.quarantine == "any":
        return
    for row in sorted({*found, *case.quarantine}):
        if found.get(row) != case.quarantine.get(row):
            yield f"record {row}: quarantined: expected {case.quarantine.get(row, 'no')}, found {found.get(row, 'no')}"


def _compare(name: str, found: list[Any], expected: list[Any]) -> Iterator[str]:
    if len(found) != len(expected):
        yield f"views.{name}: expected {len(expected)} records, found {len(found)}"
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        yield from (f"views.{name}[{number}]{place}" for place in _differences(one, other, ""))


def _differences(found: Any, expected: Any, path: str) -> Iterator[str]:
    """Places where a record is not the expected one; the expected value is written in the case, the found one is synthetic."""
    if expected == ANY:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys([*expected, *found]):
            if key not in found:
                yield f"{path}.{key}: expected {_shown(expected[key])}, is not there"
            elif key not in expected:
                yield f"{path}.{key}: is there, and not expected: {_shown(found[key])}"
            else:
                yield from _differences(found[key], expected[key], f"{path}.{key}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif found != expected or isinstance(found, bool) != isinstance(expected, bool):
        yield f"{path}: expected {_shown(expected)}, found {_shown(found)}"


def _property(one: Property, views: Mapping[str, list[bytes]], masked: Mapping[str, list[bytes | None]], records: list[Any],
              loaded: LoadedPolicy) -> Iterator[str]:
    if one.never is not None:
        yield from _never(one.never, views, records)
    for path in [*([one.absent] if one.absent is not None else []), *(one.matches or {})]:
        for name, lines in views.items():
            for number, line in enumerate(lines):
                for value in _at(_value(line), path):
                    if one.absent is not None:
                        yield f"absent {path}: {name}[{number}] has it"
                    elif not re.fullmatch((one.matches or {})[path], value if isinstance(value, str) else orjson.dumps(value).decode()):
                        yield f"matches {path}: {name}[{number}]: {_shown(value)} does not match"
    if (path := one.unchanged or one.differs or "") and (one.unchanged or one.differs):
        for name in (name for name in views if isinstance(loaded.policy.segments[name], MaskedSegment)):
            for number, (shown, record) in enumerate(zip(masked[name], records, strict=True)):
                before, after = _at(record, path), [] if shown is None else _at(_value(shown), path)
                if shown is not None and one.unchanged and before != after:
                    yield f"unchanged {path}: {name}[{number}]: {_shown(before)} became {_shown(after)}"
                if shown is not None and one.differs and any(value in after for value in before):
                    yield f"differs {path}: {name}[{number}]: {_shown(before)} came out as it went in"


def _never(path: str, views: Mapping[str, list[bytes]], records: list[Any]) -> Iterator[str]:
    values = {_plain(value) for record in records for value in _at(record, path)}
    short = sorted(value for value in values if len(value) < SHORTEST)
    if not values or short:
        yield f"never {path}: " + (f"a value has fewer than {SHORTEST} characters" if values else "no record has it")
        return
    for name, lines in views.items():
        for number, line in enumerate(lines):
            told = _texts(line)
            if found := next((value for value in sorted(values) if any(value in text for text in told)), None):
                yield f"never {path}: {name}[{number}] shows {_shown(found)}"


def _texts(line: bytes) -> list[str]:
    """The record as it is, and all texts and numbers in it without escapes."""
    found, inner = [line.decode(errors="replace")], [_value(line)]
    while inner:
        value = inner.pop()
        if isinstance(value, dict):
            inner += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            inner += value
        else:
            found.append(_plain(value))
    return found


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _at(record: Any, path: str) -> list[Any]:
    """The values at a path of names with dots, in every element of arrays on the way; none where it is not there."""
    found = [record]
    for name in path.replace("[*]", "").split("."):
        flat = [inner for value in found for inner in (value if isinstance(value, list) else [value])]
        found = [value[name] for value in flat if isinstance(value, dict) and name in value]
    return [inner for value in found for inner in (value if isinstance(value, list) else [value])]


def _value(line: Any) -> Any:
    """A record of JSON as values; of another format as text."""
    if not isinstance(line, bytes | str):
        return line
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return line.decode(errors="replace") if isinstance(line, bytes) else line


def _shown(value: Any) -> str:
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    return text if len(text) <= 200 else text[:199] + "…"
