"""The undeclared members of quarantined records by name, for whoever holds the keys, and the lines that declare them in a policy.

An undeclared object or array is followed to its values, so that one look is enough, however deeply a record is nested.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flink_masking.engine.quarantine import Entry
from flink_masking.errors import PolicyError
from flink_masking.records.paths import Step, Wild, format_path, parse_path

MANY = 50
"""Undeclared keys of one object from which on they are taken for data: ``*``."""
MOST = 1_000
"""Undeclared keys of one object that are told apart; all further ones count as ``*``."""
DEEP = 32
"""Levels below an undeclared member that are followed."""
_KEY = re.compile(r"[\s,{]*")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*(?:\[\*\][A-Za-z0-9_.\-\[\]*]*)?")
_TYPES = {"number": "number", "boolean": "boolean"}


@dataclass
class _Node:
    kinds: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    records: int = 0
    last: int = -1
    children: "dict[Step, _Node]" = field(default_factory=dict)

    def child(self, step: Step) -> "_Node":
        """The node of a step below, made if need be."""
        if step not in self.children:
            step = Wild.KEY if isinstance(step, str) and len(self.children) > MOST else step
            self.children.setdefault(step, _Node())
        return self.children[step]


@dataclass(frozen=True)
class Undeclared:
    """An undeclared field.

    Attributes:
        path: as a policy names it.
        kinds: number of values by what they are.
        records: that have any.
    """

    path: str
    kinds: Counter[str]
    records: int

    def line(self) -> str:
        """The line of a policy that declares it; its class is the strictest and left to a person to decide."""
        known = {_TYPES.get(kind) for kind in self.kinds if kind != "null"}
        kind = "json" if self.kinds.keys() & {"object", "array"} else known.pop() if len(known) == 1 else None
        key = self.path if _PLAIN.fullmatch(self.path) else "'" + self.path.replace("'", "''") + "'"
        found = ", ".join(f"{word} {count:,}" for word, count in self.kinds.most_common())
        return f"  {key}: {{class: direct{f', type: {kind}' if kind else ''}}}  # decide the class; {found} in {self.records:,}"


class Names:
    """Collects undeclared members, entry by entry."""

    def __init__(self) -> None:
        """Nothing is collected yet."""
        self._root, self._number = _Node(), 0

    def add(self, entry: Entry, record: bytes) -> list[str]:
        """Take in the undeclared members of a record.

        Args:
            entry: its entry.
            record: as opened; perhaps only the beginning.

        Returns:
            The paths of the members by themselves, in the order of the record.
        """
        self._number += 1
        found = []
        for steps, value in _members(entry, record):
            found.append(format_path(steps))
            self._follow(self._reach(steps), value, DEEP)
        return found

    def _reach(self, steps: tuple[Step, ...]) -> _Node:
        node = self._root
        for step in steps:
            node = node.child(step)
        return node

    def _follow(self, node: _Node, value: Any, depth: int) -> None:
        node.records += node.last != self._number
        node.last = self._number
        if isinstance(value, dict | list) and value and depth:
            node.held[_word(value)] += 1
        if isinstance(value, dict) and value and depth:
            for key, inner in value.items():
                self._follow(node.child(key), inner, depth - 1)
        elif isinstance(value, list) and value and depth:
            for inner in value:
                self._follow(node.child(Wild.ELEMENT), inner, depth - 1)
        else:
            node.kinds[_word(value)] += 1

    def fields(self) -> list[Undeclared]:
        """The undeclared fields, in the order in which they were met; many keys of one object as ``*``."""
        return list(_fields(self._root, ()))


def _members(entry: Entry, record: bytes) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Steps and value of the undeclared members of a record of JSON that its entry lists."""
    listed = [(member.path, member.position) for member in entry.members if member.reason == "unknown_field"]
    if not entry.members and entry.path is not None and entry.position is not None and "?" in entry.path:
        listed = [(entry.path, entry.position)]
    decoder = json.JSONDecoder(parse_constant=lambda _: None, parse_int=lambda _: 0)
    for path, position in listed:
        parent = _parent(path)
        text = record[position:].decode("utf-8", "replace")
        try:
            key, end = decoder.raw_decode(text, _KEY.match(text).end())  # type: ignore[union-attr]
            colon = text.index(":", end) + 1
            value, _ = decoder.raw_decode(text, colon + len(text[colon:]) - len(text[colon:].lstrip()))
        except (ValueError, RecursionError):  # of a long record only the beginning is there
            continue
        if parent is not None and isinstance(key, str):
            yield (*parent, key), value


def _parent(path: str) -> tuple[Step, ...] | None:
    """The steps above an undeclared member, ``contacts[*]`` of ``contacts[*].?~phone``."""
    for place, character in enumerate(path):
        if character == "?" and path[place + 1 : place + 2] in ("", "~") and (place == 0 or path[place - 1] == "."):
            try:
                return parse_path(path[: place - 1]) if place else ()
            except PolicyError:
                continue
    return None


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    return "text" if isinstance(value, str) else "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "number"


def _fields(node: _Node, steps: tuple[Step, ...]) -> Iterator[Undeclared]:
    children = node.children
    keys: list[Step] = [step for step in children if isinstance(step, str)]
    if len(keys) > MANY:
        merged = _Node()
        for key in [*keys, *(step for step in children if step is Wild.KEY)]:
            _merge(merged, children[key])
        children = {**{step: child for step, child in children.items() if step is Wild.ELEMENT}, Wild.KEY: merged}
    for step, child in children.items():
        yield from _declared(child, (*steps, step))


def _declared(node: _Node, path: tuple[Step, ...]) -> Iterator[Undeclared]:
    """The fields at a path and below; where it is not always of one form, as ``[*]?``, or as a whole."""
    forms, element = {*_forms(node)}, node.children.get(Wild.ELEMENT, _Node())
    one = next((form for form in ("object", "value") if forms == {form, "array"} and {*_forms(element)} <= {form}), None)
    if len(forms) < 2:
        if not node.children:
            yield Undeclared(format_path(path), node.kinds, node.records)
        yield from _fields(node, path)
    elif one is None:
        yield Undeclared(format_path(path), node.kinds + node.held, node.records)
    else:
        either = _Node(records=node.records, children={step: child for step, child in node.children.items() if step is not Wild.ELEMENT})
        either.kinds += Counter({kind: count for kind, count in node.kinds.items() if kind not in ("array", "object")})
        _merge(either, element)
        if one == "value":
            yield Undeclared(format_path((*path, Wild.MAYBE)), either.kinds, node.records)
        yield from _fields(either, (*path, Wild.MAYBE))


def _forms(node: _Node) -> Iterator[str]:
    """What stands at a node: objects, arrays, values."""
    for kind in node.kinds + node.held:
        if kind != "null":
            yield kind if kind in ("object", "array") else "value"


def _merge(into: _Node, other: _Node) -> None:
    into.kinds += other.kinds
    into.held += other.held
    into.records += other.records
    for step, child in other.children.items():
        _merge(into.children.setdefault(step, _Node()), child)
