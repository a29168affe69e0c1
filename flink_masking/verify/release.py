"""One anonymized view and its raw records, as the audit looks at them: points, boxes, classes, and what fits what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flink_masking.errors import PolicyError
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.verify.attributes import MISSING, OUTSIDE, Attribute, Box, attribute
from flink_masking.verify.declared import HIDDEN, broken
from flink_masking.verify.lines import ABSENT, Column, Table, getter, member
from flink_masking.verify.people import match
from flink_masking.verify.population import Corner, Population, combined
from flink_masking.verify.records import Held, Records
from flink_masking.verify.swept import swept_rules
from flink_masking.verify.tree import Tree


@dataclass
class Raw:
    """The raw records.

    Attributes:
        table: their values.
        fields: path → the place of its column in the table.
        columns: path → what its numbers stand for.
        people: int64, a record: the number of its person; -1 without one.
        refused: bool, a record: whether its members send it to quarantine, as far as that was asked for.
    """

    table: Table
    fields: dict[str, int]
    columns: dict[str, Column]
    people: np.ndarray
    refused: np.ndarray

    @classmethod
    def read(cls, path: Path | Held, policy: Policy, fields: Sequence[str],
             refused: Callable[[dict[str, Any]], bool] | None = None) -> "Raw":
        """Read the subject and some fields of all records, and whether each is `refused`.

        Raises:
            InputError: there are no such files.
        """
        assert policy.subject is not None
        names = list(dict.fromkeys([policy.subject, *fields]))
        columns = {name: Column() for name in names}
        getters = [(getter(name, policy.fields, name == policy.subject), columns[name]) for name in names]
        verdicts = Column()
        getters += [] if refused is None else [(refused, verdicts)]
        table = Table(Records(path, policy, raw=True), getters)
        nobody = np.array([value is None or value is ABSENT for value in columns[policy.subject].values] or [False])
        codes = table.codes[0].astype(np.int64)
        wrong = np.array(verdicts.values or [False], np.bool_)[table.codes[-1]] if refused is not None else np.zeros(table.size, np.bool_)
        return cls(table, {name: at for at, name in enumerate(names)}, columns, np.where(nobody[codes], -1, codes), wrong)

    def codes(self, path: str) -> np.ndarray:
        """The numbers of a field's values, a record."""
        return self.table.codes[self.fields[path]]

    def positions(self, path: str, attribute: Attribute) -> np.ndarray:
        """First and last position of a field's value, (records, 2)."""
        return attribute.positions(self.columns[path].values)[self.codes(path)] if self.table.size else np.zeros((0, 2), np.int64)


@dataclass
class Classes:
    """Lines of a release by equivalence class, held against the raw records.

    Attributes:
        of: int64, the class of each line.
        boxes: for each class, what its labels say; None where a label says nothing.
        size: int64, lines a class.
        least: int64, people in it at least.
        most: int64, people in it at most.
        population: int64, people whose records lie in its box.
        uncovered: lines that no raw record fits.
        surplus: lines beyond the records that fit them.
        source: int64, a line: the record that it comes from; -1 where that is not known.
    """

    of: np.ndarray
    boxes: list[tuple[Box, ...] | None]
    size: np.ndarray
    least: np.ndarray
    most: np.ndarray
    population: np.ndarray
    uncovered: int
    surplus: int
    source: np.ndarray


class Release:
    """An anonymized view beside its raw records.

    Attributes:
        name: of the segment.
        segment: as in the policy.
        raw: the raw records.
        attributes: by quasi-identifier.
        table: the lines: labels in the order of the quasi-identifiers, then released values.
        labels: by quasi-identifier, the labels.
        refused: records that no view holds: without a person, or outside a domain.
        candidates: records that the view could hold, in the order of their coming.
        inputs: records that are not refused: candidates, and those that lack a quasi-identifier.
        points: the candidates in the space of the quasi-identifiers.
    """

    def __init__(self, name: str, segment: AnonymizedSegment, policy: Policy, raw: Raw, path: Path | Held,
                 trees: Mapping[str, Tree]) -> None:
        """Read the lines of a view.

        Raises:
            InputError: there are no such files.
            PolicyError: the policy does not say how a quasi-identifier is generalised.
        """
        self.name, self.segment, self.raw = name, segment, raw
        self._fields, self._hidden = policy.fields, dict[str, np.ndarray]()
        unknown = segment.outside == "unknown"
        self.attributes = {path: attribute(path, policy.fields[path], trees, unknown) for path in segment.quasi_identifiers}
        self.labels = {path: Column() for path in self.attributes}
        columns: list[tuple[Callable[[dict[str, Any]], Any], Column]] = [
            (member(path.removesuffix("[*]")), self.labels[path]) for path in self.attributes]
        columns += [(member(path), raw.columns[path]) for path in segment.release]
        shown = [path.removesuffix("[*]") for path in self.attributes]
        self.table = Table(Records(path, policy, flat=True, texts=shown, once=True), columns, frozenset([*shown, *segment.release]))
        places = [raw.positions(path, attribute) for path, attribute in self.attributes.items()]
        outside = np.zeros(raw.table.size, np.bool_)
        missing = np.zeros(raw.table.size, np.bool_)
        for place in places:
            outside |= place[:, 0] == OUTSIDE
            missing |= place[:, 0] == MISSING
        outside |= raw.people < 0
        self.refused = int(outside.sum()) + raw.table.unreadable
        self.inputs = int((~outside).sum())
        self.candidates = np.flatnonzero(~outside & ~missing if segment.missing == "suppress" else ~outside)
        self.points = Population(places, self.candidates, raw.people)

    def shown(self, path: str) -> np.ndarray:
        """The numbers of what a record shows of a released field: its value, or what stands for one that breaks the declaration."""
        codes = self.raw.codes(path)
        if path not in self._hidden:
            column = self.raw.columns[path]
            wrong = broken(self._fields[path], column.values)
            self._hidden[path] = np.where(wrong, column.number(HIDDEN) if wrong.any() else 0, np.arange(len(wrong)))
        return self._hidden[path][codes] if len(codes) else codes

    def marks(self) -> tuple[np.ndarray, np.ndarray]:
        """The combination of released values of each line, and of each raw record (int64)."""
        first = len(self.attributes)
        columns = [np.concatenate((self.table.codes[first + at], self.shown(path))) for at, path in enumerate(self.segment.release)]
        both = combined(columns, self.table.size + self.raw.table.size)
        return both[: self.table.size], both[self.table.size :]

    def values(self, path: str, source: np.ndarray) -> np.ndarray | None:
        """The numbers of a field's values a line, released or known from the record; None where neither tells."""
        if path in self.segment.release:
            return self.table.codes[len(self.attributes) + self.segment.release.index(path)]
        return None if (source < 0).any() else self.raw.codes(path)[source]

    def classes(self) -> Classes:
        """Lines with the same labels, and who may be behind them."""
        labels = self.table.codes[: len(self.attributes)]
        of = combined(labels, self.table.size)
        first = np.unique(of, return_index=True)[1]
        said = [[attribute.box(None if label is ABSENT else label) for label in self.labels[path].values]
                for path, attribute in self.attributes.items()]
        for told, column in zip(said, self.labels.values(), strict=True):
            for number, label in enumerate(column.values):
                if label is ABSENT:
                    told[number] = None
        marks, record_marks = self.marks()
        order = np.argsort(of, kind="stable")
        edges = np.searchsorted(of[order], np.arange(len(first) + 1))
        least, most, population = np.zeros((3, len(first)), np.int64)
        found = Classes(of, [], np.diff(edges), least, most, population, 0, 0, np.full(self.table.size, -1, np.int64))
        for number, line in enumerate(first.tolist()):
            parts = [told[column[line]] for told, column in zip(said, labels, strict=True)]
            boxes = tuple(part for part in parts if part is not None)
            whole = len(boxes) == len(parts)
            found.boxes.append(boxes if whole else None)
            mine = order[edges[number] : edges[number + 1]]
            inside = self.points.within(corner(boxes)) if whole else np.zeros(0, np.int64)
            people, records = self.points.people[inside], self.points.rows[inside]
            told_of = match(marks[mine], records, record_marks[records], people)
            found.least[number], found.most[number] = told_of.least, told_of.most
            found.population[number] = len(np.unique(people))
            found.uncovered += told_of.uncovered
            found.surplus += told_of.surplus
            found.source[mine[told_of.lines]] = told_of.records
        return found


def corner(boxes: Sequence[Box]) -> Corner:
    """What boxes say, without what they lose."""
    return tuple((box.low, box.high) for box in boxes)


def read_trees(policy: Policy, file: Callable[[str], str]) -> dict[str, Tree]:
    """All hierarchies that a policy names, by file name.

    Raises:
        PolicyError: one cannot be read.
    """
    names = {field.hierarchy for field in policy.fields.values() if field.hierarchy}
    for segment in policy.segments.values():
        if isinstance(segment, AnonymizedSegment):
            names |= {rule.hierarchy for rule in segment.closenesses if rule.hierarchy}
    return {name: Tree(file(name), name) for name in sorted(names)}


def segment_of(policy: Policy, name: str | None, folder: str) -> str:
    """The segment that files belong to: the one that is named, else that of the folder's name, else the only one that can be verified.

    Raises:
        PolicyError: there is no such segment, none that can be verified, or several.
    """
    fitting = [one for one, segment in policy.segments.items() if segment.view in ("anonymized", "aggregated")]
    swept = [one for one, segment in policy.segments.items() if segment.view == "masked" and any(swept_rules(segment, policy))]
    if (name or folder) in swept:
        return name or folder
    if name is None:
        name = folder if folder in fitting else fitting[0] if len(fitting) == 1 else None
    if name is None or name not in fitting:
        known = ", ".join([*fitting, *swept])
        if not known:
            raise PolicyError("the policy has no anonymized or aggregated segment, and verify measures only these (and swept ones). "
                              "Hint: flink-masking preview shows a masked view; add a segment with view: anonymized or aggregated")
        raise PolicyError(f"it is not clear which segment to verify. Hint: --segment; anonymized, aggregated and swept ones are: {known}")
    return name
