"""Selectors that a proposal needs: elements in which a sibling tells what a value is, such as ``telecom[system=email].value``."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from flink_masking.detect import TYPES, Detectors
from flink_masking.records.paths import At, Step, Where, Wild, format_path, parse_path, unselected
from flink_masking.scan import names
from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.members import Members
from flink_masking.scan.siblings import LEAST, NAMES, Discriminator
from flink_masking.scan.tree import Numbering, above
from flink_masking.scan.vocabulary import Vocabulary

MOST = 40
"""Elements that are told apart at one place, at most."""
_STRONG = frozenset((kernels.UUID, kernels.DATE, kernels.DATETIME, kernels.EPOCH_S, kernels.EPOCH_MS, kernels.EPOCH_US, kernels.EPOCH_NS,
                     kernels.IP, kernels.MAC, kernels.EMAIL, kernels.URL, kernels.ARN, kernels.HEX))  # fmt: skip
"""Shapes that make a difference."""


class Selector(NamedTuple):
    """Elements of an array that are told apart.

    Attributes:
        path: of what is selected, with ``[*]``.
        anchor: number of its steps that lead to the element.
        inside: path within the element of what tells them apart.
        values: texts that do, the most frequent first.
    """

    path: tuple[Step, ...]
    anchor: int
    inside: tuple[str | Wild, ...]
    values: tuple[str, ...]

    def selected(self, value: str) -> tuple[Step, ...]:
        """The path in the elements that have one of the values."""
        return (*self.path[: self.anchor - 1], Where(self.inside, value), *self.path[self.anchor :])


def selectors(found: Iterable[Discriminator], paths: Numbering, detectors: Detectors, vocabulary: Vocabulary) -> tuple[Selector, ...]:
    """The selectors that tell kinds of values apart; of each path those by the sibling that says most."""
    best: dict[int, tuple[tuple[int, ...], Selector]] = {}
    for one in found:
        path, inside, anchor = paths.path(one.sibling), paths.path(one.path), paths.path(one.anchor)
        if not anchor or anchor[-1] is not Wild.ELEMENT or any(step is Wild.KEY or isinstance(step, Where) for step in (*path, *inside)):
            continue
        if isinstance(path[-1], str) and path[-1].lower() in NAMES and not names.is_value(path, len(anchor)):
            continue
        counts = {value: sum(classes.values()) for value, classes in one.classes.items()}
        values = sorted((value for value, count in counts.items() if count >= LEAST), key=lambda value: (-counts[value], value))[:MOST]
        values = [value for value in values if value and value == value.strip() and vocabulary.holds(value)]
        said = {value: _said(value, path, len(anchor), detectors) for value in values}
        labels = {said[value] or _looks(one.classes[value]) for value in values}
        if len(labels) < 2 and not any(said.values()):
            continue
        relative = tuple(step for step in inside[len(anchor) :] if isinstance(step, str | Wild))
        rank = (len(labels), sum(counts[value] for value in values), len(anchor), -len(relative))
        if one.sibling not in best or rank > best[one.sibling][0]:
            best[one.sibling] = rank, Selector(path, len(anchor), relative, tuple(values))
    return tuple(selector for _, selector in best.values())


def of_paths(declared: Iterable[str]) -> tuple[Selector, ...]:
    """The selectors that a policy has, of paths with one each; the first that is declared counts."""
    grouped: dict[tuple[tuple[Step, ...], int, tuple[str | Wild, ...]], list[str]] = {}
    for name in declared:
        steps = parse_path(name)
        where = [k for k, step in enumerate(steps) if isinstance(step, Where)]
        if len(where) != 1 or any(isinstance(step, At) or step is Wild.KEY or step is Wild.MAYBE for step in steps):
            continue
        step = steps[where[0]]
        if isinstance(step, Where):
            grouped.setdefault((unselected(steps), where[0] + 1, step.path), []).append(step.value)
    return tuple(Selector(path, anchor, inside, tuple(values)) for (path, anchor, inside), values in grouped.items())


def _said(value: str, path: tuple[Step, ...], anchor: int, detectors: Detectors) -> str:
    """What a discriminating value says as a name of what stands beside it; "" for nothing."""
    if not names.is_value(path, anchor):
        return ""
    name = names.said_by(value)
    if names.SENSITIVE.search(name):
        return "sensitive"
    known = detectors.key_type(name)
    return known[0] if known is not None else ""


def _looks(classes: dict[int, int]) -> str:
    """What most of the values beside a discriminating one look like, where that makes a difference."""
    kind, times = max(classes.items(), key=lambda item: item[1])
    if times < 0.8 * sum(classes.values()):
        return ""
    if kind > kernels.SHAPES:
        return TYPES[kind - kernels.SHAPES - 1].name
    return str(kind) if kind in _STRONG else ""


class Selecting:
    """Gives the values that selectors name paths of their own."""

    def __init__(self, paths: Numbering, chosen: tuple[Selector, ...]) -> None:
        """Prepare for the paths of a scan, which grow."""
        self._paths, self._known = paths, 0
        self._chosen = chosen
        self._numbers: dict[str, int] = {}
        self._wanted = {format_path(steps) for one in chosen for steps in (one.path, (*one.path[: one.anchor], *one.inside))}
        self._virtual: dict[tuple[int, int], int] = {}

    @property
    def others(self) -> set[int]:
        """The paths of the elements that no selector has taken."""
        return {self._numbers[name] for one in self._chosen if (name := format_path(one.path)) in self._numbers}

    def apply(self, found: Members) -> None:
        """Change the paths of the members that are selected."""
        for number in range(max(1, self._known), len(self._paths)):
            name = self._paths.name(number)
            if name in self._wanted:
                self._numbers.setdefault(name, number)
        self._known = len(self._paths)
        places = found.places.copy()
        known = [{value.encode(): number for number, value in enumerate(one.values)} for one in self._chosen]
        for k, one in enumerate(self._chosen):
            source = self._numbers.get(format_path((*one.path[: one.anchor], *one.inside)))
            target = self._numbers.get(format_path(one.path))
            if source is None or target is None:
                continue
            own, others = np.flatnonzero(places == source), np.flatnonzero(places == target)
            if not len(own) or not len(others):
                continue
            first = np.full(len(places), len(one.values), np.int64)  # of several values in an element the first that is declared counts
            ranks = np.array([known[k].get(found.data[a:b].tobytes(), len(one.values))
                              for a, b in zip(found.starts[own].tolist(), found.ends[own].tolist(), strict=True)], np.int64)  # fmt: skip
            np.minimum.at(first, above(found.owners, own, len(one.inside)), ranks)
            rank = first[above(found.owners, others, len(one.path) - one.anchor)]
            for number in np.unique(rank[rank < len(one.values)]).tolist():
                found.places[others[rank == number]] = self._number(k, number)

    def _number(self, k: int, value: int) -> int:
        """The number of the path of what one value selects."""
        if (k, value) not in self._virtual:
            one = self._chosen[k]
            for rank, text in enumerate(one.values):  # all of them, so that they are declared in this order
                at = 0
                for step in one.selected(text):
                    at = self._child(at, step)
                self._virtual[k, rank] = at
        return self._virtual[k, value]

    def _child(self, parent: int, step: Step) -> int:
        p = self._paths
        found = next((n for n in range(1, len(p)) if p.parents[n] == parent and p.steps[n] == step), None)
        return p.add(parent, step) if found is None else found
