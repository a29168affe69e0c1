"""Values that a path with selectors takes from the path with ``[*]`` in their place, by what stands beside them in the same element.

``attributes[key=user.email].value`` takes from ``attributes[*].value`` the values of the elements whose ``key`` is ``user.email``. Elements
are found by where spans lie: those of one path follow each other and never overlap. Whole columns, no loop over records.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.compute as pc

from flink_masking.arrow import strings
from flink_masking.records.kinds import Kind
from flink_masking.records.span_kernels import PATH, PE, SPAN, VS

if TYPE_CHECKING:
    from flink_masking.records.spans import SpanTable


class Condition(NamedTuple):
    """Which elements of an array are meant.

    Attributes:
        element: number of the elements' path.
        told: number of the path within them whose value decides; -1: their place does.
        value: what the value must be.
        place: the element's, from 0 on; -1: the value decides.
    """

    element: int
    told: int
    value: str
    place: int


class Selection(NamedTuple):
    """What a path with selectors takes.

    Attributes:
        number: its own.
        whole: number of the path that has the values otherwise.
        conditions: all must hold, one for each selector.
    """

    number: int
    whole: int
    conditions: tuple[Condition, ...]


def select(table: "SpanTable") -> bool:
    """Give the spans of selected values the numbers of the paths that select them; of several, the first one takes a value.

    Args:
        table: grouped by the numbers of the paths without selectors.

    Returns:
        Whether any span has another number now, so that they have to be grouped again.
    """
    scan, changed = _Scan(table), False
    taken: dict[int, np.ndarray] = {}
    for selection in table.paths.selections:
        group = table.numbered(selection.whole)
        if not len(group):
            continue
        free = taken.setdefault(selection.whole, np.ones(len(group), np.bool_))
        wanted = free.copy()
        for condition in selection.conditions:
            wanted &= scan.met(condition)[scan.elements(condition.element, selection.whole)]
        if wanted.any():
            free &= ~wanted
            scan.spans[group[wanted], PATH] = selection.number
            changed = True
    return changed


class _Scan:
    """A scanned batch, in which nothing is looked up twice."""

    def __init__(self, table: "SpanTable") -> None:
        self._table, self.spans = table, table.spans.reshape(-1, SPAN)
        self._elements: dict[tuple[int, int], np.ndarray] = {}
        self._codes: dict[int, tuple[dict[str, int], np.ndarray]] = {}
        self._met: dict[Condition, np.ndarray] = {}

    def elements(self, element: int, number: int) -> np.ndarray:
        """For each value of a path number, which element of an array around it it is in: int64."""
        if (element, number) not in self._elements:
            starts, values = (self.spans[self._table.numbered(n), VS] for n in (element, number))
            self._elements[element, number] = np.searchsorted(starts, values, "right") - 1
        return self._elements[element, number]

    def met(self, condition: Condition) -> np.ndarray:
        """bool, one for each element of the condition's path: whether it is meant."""
        if condition not in self._met:
            self._met[condition] = self._by_place(condition) if condition.told < 0 else self._by_value(condition)
        return self._met[condition]

    def _by_place(self, condition: Condition) -> np.ndarray:
        elements = self._table.numbered(condition.element)
        number = np.arange(len(elements))
        first = np.maximum.accumulate(np.where(self.spans[elements, PE] < 0, number, 0))
        found: np.ndarray = number - first == condition.place
        return found

    def _by_value(self, condition: Condition) -> np.ndarray:
        codes, coded = self._coded(condition.told)
        met = np.zeros(len(self._table.numbered(condition.element)), np.bool_)
        if condition.value in codes:
            met[self.elements(condition.element, condition.told)[coded == codes[condition.value]]] = True
        return met

    def _coded(self, told: int) -> tuple[dict[str, int], np.ndarray]:
        """The different values of a path number that decide anything, and for each value which it is; -1 for null and for containers."""
        if told not in self._codes:
            wanted = list(dict.fromkeys(condition.value for selection in self._table.paths.selections
                                        for condition in selection.conditions if condition.told == told))
            found = pc.index_in(self._table.decoded(told), value_set=strings(wanted))
            coded = np.where(self._table.kinds_of(told) < Kind.NULL, pc.fill_null(found, -1).to_numpy(), -1)
            self._codes[told] = {value: code for code, value in enumerate(wanted)}, coded
        return self._codes[told]
