"""Field paths compiled into a trie of flat arrays, which scanners walk alongside a record."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from flink_masking.errors import PolicyError
from flink_masking.kernels.memory import SLACK
from flink_masking.records.near import NearNames
from flink_masking.records.paths import At, Step, Where, Wild, format_path, parse_path, selects, unselected
from flink_masking.records.selection import Condition, Selection
from flink_masking.records.span_kernels import (
    DENY,
    DESCEND_ARRAY,
    DESCEND_OBJECT,
    EITHER,
    MAY_ARRAY,
    MAY_OBJECT,
    MAY_SCALAR,
    N_COLUMNS,
    N_ELEMENT,
    N_FLAGS,
    N_KEY,
    N_LENGTH,
    N_MASK,
    N_PATH,
    N_TABLE,
    N_WILD,
    UNDECLARED_NODE,
    UNDECLARED_PATH,
)

UNDECLARED = ""
"""Stands for a path where members are meant that no path leads to."""


@dataclass
class _Node:
    steps: tuple[Step, ...]
    path: int = -1
    opaque: bool = False
    either: bool = False
    children: dict[Step, int] = field(default_factory=dict)

    def flags(self, deny: bool) -> int:
        """What may stand here, where a scanner goes on, and whether unknown members are faults."""
        objects = any(step is not Wild.ELEMENT for step in self.children) or not self.steps
        arrays = Wild.ELEMENT in self.children
        bits = (DESCEND_OBJECT | MAY_OBJECT) * objects | (DESCEND_ARRAY | MAY_ARRAY) * arrays | DENY * deny
        if self.either:  # its path is that of the array's elements, too, and never that of the array
            bits |= EITHER | MAY_SCALAR * (not objects)
        if self.opaque:
            return bits | MAY_SCALAR | MAY_OBJECT | MAY_ARRAY
        return bits if objects or arrays else bits | MAY_SCALAR


class Paths:
    """The fields that a policy declares, as a scanner needs them.

    A named key goes before ``*`` on the same level. Parents of all these paths are known. Null may stand anywhere. A leaf that is not
    opaque and holds an object or array, or a scalar where a path leads on, is a mismatch; an opaque path takes anything. A path with a
    selector is a part of the path with ``[*]`` in its place, which it has values of before that one.

    Attributes:
        names: the emitted paths, as given.
        ids: emitted path → number from 1 on (two spellings of one path share it); `UNDECLARED` → 0.
        count: of numbers, those that have no name among them.
        selections: what paths with selectors take from others, in the order in which they count.
        labels: for each trie node its path in canonical form.
        nodes: int32, `N_COLUMNS` a node; node 0 is the record, node 1 any undeclared member.
        table: int32, hash tables of named children.
        keys: uint8, the names' UTF-8 bytes, each followed by a quote.
        named: for each trie node the keys that are named below it.
    """

    def __init__(self, emit: Iterable[str], known: Iterable[str] = (), opaque: Iterable[str] = (), deny: bool = True,
                 selected: Iterable[str] = ()) -> None:
        """Compile.

        Args:
            emit: paths whose values are recorded.
            known: paths that are declared and left alone.
            opaque: those of `emit` and `known` that may hold an object or array as a whole.
            deny: record members that no path leads to and flag their rows; otherwise they are stepped over, unseen.
            selected: paths with selectors in the order in which they count, those of `emit` and others, whose values are left alone.

        Raises:
            PolicyError: a path that cannot be parsed; an opaque path that is neither emitted nor known.
        """
        self.names, self.deny, self.ids = tuple(dict.fromkeys(emit)), deny, {UNDECLARED: UNDECLARED_PATH}
        nodes = [_Node(()), _Node((), UNDECLARED_PATH, opaque=True)]
        ends: set[int] = set()
        self.count, parts = 1, dict[tuple[Step, ...], int]()
        for name in self.names:
            steps = parse_path(name)
            if selects(steps):
                parts.setdefault(steps, -1)
            else:
                self.ids[name] = self._emit(nodes, steps, ends)
        for name in (*known, *selected):
            steps = parse_path(name)
            if selects(steps):
                parts.setdefault(steps, -1)
            self._grow(nodes, unselected(steps), ends)
        order = dict.fromkeys([*(parse_path(name) for name in selected), *parts])
        self.selections = tuple(self._selection(nodes, steps, ends, parts) for steps in order)
        self.ids.update((name, parts[steps]) for name in self.names if (steps := parse_path(name)) in parts)
        size = len(nodes)
        for name in opaque:
            for at in self._grow(nodes, unselected(parse_path(name)), set()):
                if at >= size or at not in ends:
                    raise PolicyError(f"path {name!r}: opaque, but not declared. Hint: declare the field with this path")
                nodes[at].opaque = True
        self.labels = tuple(format_path(node.steps) for node in nodes)
        self.named = tuple(tuple(step for step in node.children if isinstance(step, str)) for node in nodes)
        self._near: dict[int, NearNames] = {}
        self.nodes, self.table, self.keys = _flatten(nodes, deny)

    def near(self, node: int, key: str) -> str | None:
        """The key named at a trie node that an undeclared key there resembles, or None."""
        if node not in self._near:
            self._near[node] = NearNames(self.named[node])
        return self._near[node].of(key)

    def _emit(self, nodes: list[_Node], steps: tuple[Step, ...], ends: set[int]) -> int:
        """The number of the values at a path without selectors."""
        found = [nodes[at] for at in self._grow(nodes, steps, ends)]
        numbers = {node.path for node in found} - {-1}
        if len(numbers) > 1:
            raise PolicyError(f"path {format_path(steps)!r}: two paths share some of its values. Hint: declare one of them")
        if not numbers:
            numbers.add(self.count)
            self.count += 1
        for node in found:
            (node.path,) = numbers
        return numbers.pop()

    def _selection(self, nodes: list[_Node], steps: tuple[Step, ...], ends: set[int], parts: dict[tuple[Step, ...], int]) -> Selection:
        """What a path with selectors takes; its number is noted in `parts`."""
        whole, conditions = unselected(steps), []
        for place, step in enumerate(steps):
            if isinstance(step, Where | At):
                element = whole[: place + 1]
                told = self._emit(nodes, (*element, *step.path), ends) if isinstance(step, Where) else -1
                number = self._emit(nodes, element, set())
                conditions.append(Condition(number, told, step.value if isinstance(step, Where) else "",
                                            step.index if isinstance(step, At) else -1))
        parts[steps] = self.count
        self.count += 1
        return Selection(parts[steps], self._emit(nodes, whole, ends), tuple(conditions))

    @staticmethod
    def _grow(nodes: list[_Node], steps: tuple[Step, ...], ends: set[int]) -> list[int]:
        """The nodes that stand for a path, several where it leads through arrays or what stands in their place."""
        places = [0]
        for step in steps:
            found = []
            for at in places:
                if step is Wild.MAYBE:
                    found.append(at)
                inner = Wild.ELEMENT if step is Wild.MAYBE else step
                children = nodes[at].children
                if inner not in children:
                    children[inner] = len(nodes)
                    nodes.append(_Node((*nodes[at].steps, inner)))
                found.append(children[inner])
            places = found
        for at in places:
            nodes[at].either |= steps[-1:] == (Wild.MAYBE,)
        ends.update(places)
        return places


def _flatten(nodes: list[_Node], deny: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The arrays of the trie; key hashes must agree with `span_kernels.child`."""
    flat, table, keys = np.full((len(nodes), N_COLUMNS), -1, np.int32), [-1], bytearray()
    for k, node in enumerate(nodes):
        flat[k, [N_PATH, N_FLAGS]] = node.path, node.flags(deny and k != UNDECLARED_NODE)
        flat[k, [N_ELEMENT, N_WILD]] = node.children.get(Wild.ELEMENT, -1), node.children.get(Wild.KEY, -1)
        named = [(key.encode(), at) for key, at in node.children.items() if isinstance(key, str)]
        if not named:
            continue
        mask = (1 << (2 * len(named)).bit_length()) - 1
        flat[k, [N_TABLE, N_MASK]] = len(table), mask
        slots = [-1] * (mask + 1)
        for key, at in named:
            n = len(key)
            flat[at, [N_KEY, N_LENGTH]] = len(keys), n
            keys += key + b'"'
            h = n * 31 + key[0] * 7 + key[-1] * 13 + key[n >> 1] * 3 if n else 0
            while slots[h & mask] >= 0:
                h += 1
            slots[h & mask] = at
        table += slots
    return flat.ravel(), np.array(table, np.int32), np.frombuffer(bytes(keys) + bytes(SLACK), np.uint8)
