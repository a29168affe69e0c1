"""Records and rows of a view in any format, read by parsers of the verifier's own.

Files are opened and cut into records as `run` and `preview` do it (`flink_masking.records.inputs`); what a record says is read here.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from flink_masking.errors import InputError, PolicyError
from flink_masking.policy.layout import layout
from flink_masking.policy.model import Policy
from flink_masking.records.inputs import Input
from flink_masking.records.paths import labels, parse_path

TWICE: Any = ("twice",)
"""Stands for a record that has a member twice: of two values readers may take the other one."""
_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\Z)')
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Held:
    """Records in memory, in place of files.

    Attributes:
        records: without a header.
        columns: that the header would name, in formats that have one; None in others.
    """

    records: Sequence[bytes] = field(repr=False)
    columns: tuple[str, ...] | None = None

    def __iter__(self) -> Iterator[bytes]:
        """The records."""
        return iter(self.records)


class Records:
    """The records of some files, as objects; None for what is no record, `TWICE` for one that has a member twice."""

    def __init__(self, path: Path | Held, policy: Policy, *, raw: bool = False, flat: bool = False, texts: Collection[str] = (),
                 literals: Collection[str] = (), once: bool = False) -> None:
        """Look at the files.

        Args:
            path: a file, a directory of files, or ``-`` for standard input, compressed or not; or records in memory.
            policy: says the format, and which values are numbers or booleans where a format does not tell.
            raw: whether these are raw records, whose header the policy may know.
            flat: whether these are rows of an anonymized or aggregated view, in which a path is the name of one member.
            texts: names of members that are text, whatever the policy says of the field of that name.
            literals: names of members that are JSON text.
            once: whether a JSON object, at any depth, that has a member twice is `TWICE`.

        Raises:
            InputError: there are no such files, or a file names a column twice.
        """
        self._input: Input | Held = path if isinstance(path, Held) else Input.of(
            path, policy.format, policy.columns if raw else None, each=policy.each if raw else None)
        names = self._input.columns
        if names is None:
            self._parse: Callable[[bytes], Any] = _once if once else _object
            return
        if len(set(names)) < len(names):
            raise InputError(f"{place(path)}: its header names a column twice. Hint: which of two values counts is up to their readers")
        kinds = {**layout(policy).kinds, **dict.fromkeys(texts, "text"), **dict.fromkeys(literals, "literal")}
        of = [next((kinds[label] for label in (name, *labels(name)) if label in kinds), "text") for name in names]
        self._parse = _Rows(names, of, flat)

    def __iter__(self) -> Iterator[Any]:
        """The records.

        Raises:
            InputError: a file cannot be read.
        """
        return map(self._parse, self._input)


def place(path: Path | Held) -> str:
    """Where records are, for messages."""
    return "a view" if isinstance(path, Held) else str(path)


def _object(record: bytes) -> Any:
    try:
        found = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    return found if type(found) is dict else None


def _once(record: bytes) -> Any:
    found = _object(record)
    return TWICE if found is not None and orjson.dumps(found) != record and _repeats(record) else found


def _repeats(record: bytes) -> bool:
    """Whether an object of a JSON text has a member twice."""

    def members(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise KeyError

    try:
        json.loads(record, object_pairs_hook=members)
    except KeyError:
        return True
    except (ValueError, RecursionError):
        return True  # what only one of two parsers can read is refused, too
    return False


class _Rows:
    """CSV records as objects: by the names of their columns, and those names that spell a path by that, too."""

    def __init__(self, names: Sequence[str], kinds: Sequence[str], flat: bool) -> None:
        self._names, self._kinds = names, kinds
        self._paths = [(name, steps) for name in names if not flat and len(steps := _steps(name)) > 1]

    def __call__(self, record: bytes) -> Any:
        try:
            cells = _cells(record.decode())
        except UnicodeDecodeError:
            return None
        if len(cells) != len(self._names):
            return None
        found: dict[str, Any] = {name: None if cell is None else _value(cell, kind)
                                 for name, cell, kind in zip(self._names, cells, self._kinds, strict=True)}
        for name, steps in self._paths:
            inner = found
            for step in steps[:-1]:
                inner = inner.setdefault(step, {})
            inner[steps[-1]] = found[name]
        return found


def _steps(name: str) -> list[str]:
    try:
        return [str(step) for step in parse_path(name)]
    except PolicyError:
        return []


def _cells(record: str) -> list[str | None]:
    """The cells of a record (RFC 4180), None for those that are empty and not in quotes; nothing where it is no record."""
    found: list[str | None] = []
    at = 0
    while cell := _CELL.match(record, at):
        quoted, plain, end = cell.groups()
        found.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        if not end:
            return found
        at = cell.end()
    return []


def _value(cell: str, kind: str) -> Any:
    """A cell's value by what its column holds; text where it does not hold that."""
    if kind == "boolean":
        return _BOOLEANS.get(cell, cell)
    if kind == "text":
        return cell
    try:
        found = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell
    return found if kind == "literal" or type(found) in (int, float) else cell
