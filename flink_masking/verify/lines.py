"""JSON lines as columns of small numbers: every different value is looked at once, however often it comes."""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from flink_masking.errors import InputError
from flink_masking.records.paths import Wild, parse_path

ABSENT: Any = ("absent",)
"""Stands for a member that a record does not have, which is not the same as null."""


class Column:
    """The values of a field, numbered as they come; several files can share one.

    Attributes:
        values: the different values, by number: text, numbers, booleans, None, `ABSENT`, tuples for arrays and objects.
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self._numbers: dict[Any, int] = {}
        self.values: list[Any] = []

    def number(self, value: Any) -> int:
        """The number of a value; 1, 1.0, true and "1" are different values."""
        key = value
        if type(value) is not str:  # arrays and objects by their text, which orjson would hand out in blocks of 4 kB
            key = (None, orjson.dumps(value).decode()) if type(value) in (list, dict) else (type(value), value)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.values)
            self.values.append(value)
        return found


class Table:
    """The records of some files.

    Attributes:
        codes: for each column, the number of each record's value (int32).
        size: records.
        unreadable: lines that are no JSON object, and where that is asked for, those that have a member twice.
        twice: the latter.
        unexpected: members besides the columns, and how many records have each; only where that is asked for.
    """

    def __init__(self, lines: Iterable[bytes], columns: Sequence[tuple[Callable[[dict[str, Any]], Any], Column]],
                 known: frozenset[str] | None = None, once: bool = False) -> None:
        """Read lines.

        Args:
            lines: JSON, one record each.
            columns: how a record's value is got, and where it is numbered.
            known: names of members that are expected; None: any.
            once: whether an object, at any depth, that has a member twice is refused: of two values readers may take the other one.
        """
        rows = [array("i") for _ in columns]
        parts = [(get, column.number, row.append) for (get, column), row in zip(columns, rows, strict=True)]
        self.size = self.unreadable = self.twice = 0
        self.unexpected: dict[str, int] = {}
        for line in lines:
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                record = None
            if type(record) is not dict:
                self.unreadable += 1
                continue
            if once and orjson.dumps(record) != line and _repeats(line):
                self.unreadable += 1
                self.twice += 1
                continue
            self.size += 1
            if known is not None and not known.issuperset(record):
                for name in record.keys() - known:
                    self.unexpected[name] = self.unexpected.get(name, 0) + 1
            for get, number, append in parts:
                append(number(get(record)))
        self.codes = [np.frombuffer(row, np.int32) if row else np.zeros(0, np.int32) for row in rows]


def _repeats(line: bytes) -> bool:
    """Whether an object of a JSON text has a member twice."""

    def members(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise KeyError

    try:
        json.loads(line, object_pairs_hook=members)
    except KeyError:
        return True
    except (ValueError, RecursionError):
        return True  # what only one of two parsers can read is refused, too
    return False


def getter(path: str) -> Callable[[dict[str, Any]], Any]:
    """What gets the value at a path of a policy from a record; of ``tags[*]`` the whole array.

    Raises:
        PolicyError: the path cannot be parsed.
    """
    steps = [step for step in parse_path(path) if not isinstance(step, Wild)]
    if len(steps) == 1:
        name = steps[0]
        return lambda record: record.get(name, ABSENT)

    def get(record: Any) -> Any:
        for step in steps:
            if type(record) is not dict:
                return ABSENT
            record = record.get(step, ABSENT)
        return record

    return get


def member(name: str) -> Callable[[dict[str, Any]], Any]:
    """What gets a member of a released record, whose names are paths written out."""
    return lambda record: record.get(name, ABSENT)


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, or of the files below a directory in the order of their names; hidden ones (``.``, ``_``) are no data.

    Raises:
        InputError: there is no such file, or none in the directory.
    """
    if path.is_dir():
        found = sorted(f for f in path.rglob("*") if f.is_file())
        files = [f for f in found if not any(part.startswith((".", "_")) for part in f.relative_to(path).parts)]
        if not files:
            raise InputError(f"{path}: the directory holds no files. Hint: names that begin with . or _ are skipped")
    elif path.is_file():
        files = [path]
    else:
        raise InputError(f"{path}: there is no such file or directory. Hint: JSON lines, in a file or in a directory of files")
    return (line for file in files for line in _lines(file))


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        for line in opened:
            if line := line.strip():
                yield line
