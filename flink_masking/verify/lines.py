"""Records as columns of small numbers: every different value is looked at once, however often it comes."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import orjson

from flink_masking.records.paths import parse_path, selects
from flink_masking.verify.records import TWICE
from flink_masking.verify.selected import selecting

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
        unreadable: how many more there are that cannot be read, or that have a member twice.
        twice: the latter.
        unexpected: members besides the columns, and how many records have each; only where that is asked for.
    """

    def __init__(self, records: Iterable[Any], columns: Sequence[tuple[Callable[[dict[str, Any]], Any], Column]],
                 known: frozenset[str] | None = None) -> None:
        """Read records.

        Args:
            records: see `flink_masking.verify.records.Records`.
            columns: how a record's value is got, and where it is numbered.
            known: names of members that are expected; None: any.
        """
        rows = [array("i") for _ in columns]
        parts = [(get, column.number, row.append) for (get, column), row in zip(columns, rows, strict=True)]
        self.size = self.unreadable = self.twice = 0
        self.unexpected: dict[str, int] = {}
        for record in records:
            if type(record) is not dict:
                self.unreadable += 1
                self.twice += record is TWICE
                continue
            self.size += 1
            if known is not None and not known.issuperset(record):
                for name in record.keys() - known:
                    self.unexpected[name] = self.unexpected.get(name, 0) + 1
            for get, number, append in parts:
                append(number(get(record)))
        self.codes = [np.frombuffer(row, np.int32) if row else np.zeros(0, np.int32) for row in rows]


def getter(path: str, fields: Iterable[str] = (), one: bool = False) -> Callable[[dict[str, Any]], Any]:
    """What gets the value at a path of a policy from a record; of ``tags[*]`` the whole array.

    Args:
        path: of a field.
        fields: all declared fields, which decide what a path with selectors names.
        one: whether several different values, which such a path can have, are none; otherwise the first counts.

    Raises:
        PolicyError: a path cannot be parsed.
    """
    if selects(parse_path(path)):
        return selecting(path, fields, ABSENT, one)
    steps = [step for step in parse_path(path) if isinstance(step, str)]
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
