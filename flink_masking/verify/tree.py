"""Generalisation trees, read anew from their files: which values a label stands for."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import yaml

from flink_masking.errors import PolicyError

ROOT = "*"


class Tree:
    """A hierarchy as the reader of a release sees it: labels, and the values below each.

    Attributes:
        leaves: value → its number; values below one node have consecutive numbers.
        paths: for each leaf, by number, its labels from the value up, without the root.
        ranges: label → first and last leaf that it can stand for; a label of several nodes stands for the one with most values.
    """

    def __init__(self, text: str, name: str) -> None:
        """Read a file: ``.yaml`` and ``.yml`` nested, any other CSV with a line a value.

        Raises:
            PolicyError: it cannot be read.
        """
        try:
            rows = list(_nested(text) if name.lower().endswith((".yaml", ".yml")) else _lines(text))
        except (csv.Error, yaml.YAMLError, RecursionError):
            rows = []
        if not rows or not all(rows):
            raise PolicyError(f"{name}: no hierarchy. Hint: flink-masking check says what is wrong with it")
        depth = max(map(len, rows))
        rows = [(row[0],) * (depth - len(row)) + row for row in rows]
        if len({row[-1] for row in rows}) == 1 and depth > 1:
            rows = [row[:-1] for row in rows]
        self.paths = sorted(rows, key=lambda row: row[::-1])
        self.leaves = {path[0]: number for number, path in enumerate(self.paths)}
        self.ranges: dict[str, tuple[int, int]] = {}
        for level in range(len(self.paths[0])):
            nodes: dict[str, list[int]] = {}
            for number, path in enumerate(self.paths):
                nodes.setdefault(path[level], []).append(number)
            for label, below in nodes.items():
                known = self.ranges.get(label, (0, -1))
                if len(below) > known[1] - known[0] + 1:
                    self.ranges[label] = (below[0], below[-1])

    @property
    def levels(self) -> int:
        """Levels below the root."""
        return len(self.paths[0])


def _lines(text: str) -> Iterator[tuple[str, ...]]:
    text = text.removeprefix("\ufeff").lstrip()
    separator = ";" if ";" in text.partition("\n")[0] else ","
    for row in csv.reader(io.StringIO(text, ""), delimiter=separator):
        if any(cell.strip() for cell in row):
            yield tuple(cell.strip() for cell in row)


def _nested(text: str) -> Iterator[tuple[str, ...]]:
    value = yaml.load(text, Loader=yaml.BaseLoader)  # makes texts, lists and mappings only
    if isinstance(value, dict) and len(value) > 1:
        value = {ROOT: value}
    return _below(value, ())


def _below(value: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for label, inner in value.items():
            yield from _below(inner, (label, *above)) if inner else iter([(label, *above)])
    elif isinstance(value, list):
        for inner in value:
            yield from _below(inner, above)
    else:
        yield (str(value), *above)
