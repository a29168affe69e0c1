"""Compiles descriptors and the paths of a policy into the arrays that the scanner follows."""

from typing import Any, NamedTuple

import numpy as np

from flink_masking.errors import InputError
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import format_path, parse_path, unselected
from flink_masking.records.protobuf import layout_kernels as layout
from flink_masking.records.span_kernels import (
    DENY,
    DESCEND_OBJECT,
    EITHER,
    MAY_ARRAY,
    MAY_OBJECT,
    MAY_SCALAR,
    N_COLUMNS,
    N_ELEMENT,
    N_FLAGS,
    N_PATH,
    N_WILD,
)
from flink_masking.records.trie import Paths

(DOUBLE, FLOAT, INT64, UINT64, INT32, FIXED64, FIXED32, BOOL, STRING, GROUP, MESSAGE, BYTES, UINT32, ENUM, SFIXED32, SFIXED64, SINT32,
 SINT64) = range(1, 19)  # fmt: skip
"""Types of fields, as ``FieldDescriptorProto.Type`` numbers them."""
FLOATS = frozenset({DOUBLE, FLOAT})
WIRE = {DOUBLE: layout.FIXED64, FIXED64: layout.FIXED64, SFIXED64: layout.FIXED64, FLOAT: layout.FIXED32, FIXED32: layout.FIXED32,
        SFIXED32: layout.FIXED32, STRING: layout.LENGTH, BYTES: layout.LENGTH, MESSAGE: layout.LENGTH, GROUP: layout.GROUP}  # fmt: skip
_KINDS = {STRING: Kind.STRING, BYTES: Kind.ENCODED, ENUM: Kind.ENCODED, MESSAGE: Kind.OBJECT, GROUP: Kind.OBJECT}
_DENSE = 256
"""Field numbers below are found by one look."""
_LABEL_REQUIRED, REPEATED = 2, 3


class Field(NamedTuple):
    """What reading and writing values needs of an entry.

    Attributes:
        type: of the field.
        names: of an enumeration: its names by number.
        name: of the field.
        key: of an element of a map: the type of its key; 0: it is none.
        required: no message of proto2 may lack it.
    """

    type: int
    names: dict[int, str]
    name: str = ""
    key: int = 0
    required: bool = False


class Program:
    """Scopes and fields for one set of paths; grows with the messages that records name.

    Attributes:
        paths: of the policy.
        fields: for each entry what it is.
        most_defaults: of a scope.
        unknown: trie node of a message, and name of a field of it that no path leads to.
        mismatched: trie nodes of fields that are of another kind than declared.
        reached: trie nodes that a field stands for.
    """

    def __init__(self, paths: Paths, required: frozenset[str] = frozenset()) -> None:
        """Start empty.

        Args:
            paths: what to look for.
            required: canonical paths of fields whose default counts as their value where they are not on the wire and have no presence.
        """
        self.paths, self._required = paths, required
        self._nodes = paths.nodes.reshape(-1, N_COLUMNS)
        self._places = {label: node for node, label in enumerate(paths.labels) if node != 1}
        self._once = bool(paths.selections)
        self.fields: list[Field] = []
        self._entries: list[list[int]] = []
        self._scopes: list[list[int]] = [[0, 0, 0, 0, 0, 0, 0, 0]]
        self._index: list[int] = []
        self._known: dict[tuple[Any, ...], int] = {}
        self.most_defaults = 0
        self.unknown: dict[tuple[int, str], None] = {}
        self.mismatched: dict[int, None] = {}
        self.reached: dict[int, list[int]] = {}
        self._made = -1
        self._of_path: dict[int, list[int]] = {}
        self._roots: dict[Any, int] = {}

    def root(self, message: Any) -> int:
        """The scope of a record's message, compiled when first asked for.

        Raises:
            InputError: messages lie too deep within each other.
        """
        if message not in self._roots:
            before, entries = len(self._scopes), len(self._entries)
            try:
                self._roots[message] = self._scope(message, 0)
            except RecursionError:  # a scope that was begun has no fields and denies nothing: none of them may stay
                self._known = {key: scope for key, scope in self._known.items() if scope < before}
                del self._scopes[before:], self._entries[entries:], self.fields[entries:]
                self._made = -1
                raise InputError("Protobuf: the messages of the schema lie too deep within each other. Hint: divide it") from None
        return self._roots[message]

    def missing(self) -> list[str]:
        """The emitted paths that no field stands for."""
        found = []
        for name in self.paths.names:
            steps = unselected(parse_path(name))
            node = self._places.get(format_path(steps))
            if node is not None and node not in self.reached:
                found.append(name)
        return found

    def types_at(self, name: str) -> list[int]:
        """Types of the fields that stand for a path."""
        node = self._places.get(format_path(unselected(parse_path(name))))
        return [] if node is None else self.reached.get(node, [])

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scopes, entries and index for the scanner."""
        if self._made != len(self._scopes):
            self._made = len(self._scopes)
            self._arrays = tuple(np.array(rows, np.int32).ravel() for rows in (self._scopes, self._entries or [[0] * layout.ENTRY],
                                                                               self._index or [0]))
            self._of_path = {}
            for entry, row in enumerate(self._entries):
                for path in {row[layout.E_PATH], row[layout.E_WHOLE]}:
                    self._of_path.setdefault(path, []).append(entry)
        scopes, entries, index = self._arrays
        return scopes, entries, index

    def entries_of(self, number: int) -> list[int]:
        """The entries that values of a path number can be of."""
        self.arrays()
        return self._of_path.get(number, [])

    def _child(self, node: int, name: str) -> int:
        """The trie node of a member, or -1."""
        label = self.paths.labels[node]
        found = self._places.get(format_path((*parse_path(label), name) if label else (name,)))
        return int(self._nodes[node, N_WILD]) if found is None else found

    def _scope(self, message: Any, node: int) -> int:
        """The scope of a message at a trie node; -1: the policy takes it as a whole."""
        key = message, node
        if key in self._known:
            return self._known[key]
        number = self._known[key] = len(self._scopes)
        self._scopes.append([0] * layout.SCOPE)
        numbers: dict[int, int] = {}
        defaults: list[int] = []
        for field in message.fields:
            child = -1 if node < 0 else self._child(node, field.name)
            if child < 0 <= node:
                self.unknown[node, field.name] = None
            else:
                entry = numbers[field.number] = self._entry(field, child)
                own = self._entries[entry]
                if (child >= 0 and not field.has_presence and field.label != REPEATED and own[layout.E_PATH] >= 0
                        and own[layout.E_KIND] != Kind.OBJECT and self.paths.labels[child] in self._required):
                    defaults.append(entry)
                    own[layout.E_BITS] &= ~layout.PLAIN
        self._scopes[number] = self._indexed(numbers, node, defaults)
        return number

    def _indexed(self, numbers: dict[int, int], node: int, defaults: list[int]) -> list[int]:
        """A scope's row, with its fields in the index."""
        dense = [number for number in numbers if number < _DENSE]
        count = max(dense) + 1 if dense else 0
        start = len(self._index)
        self._index += [numbers.get(number, -1) for number in range(count)]
        sparse = len(self._index)
        more = sorted(number for number in numbers if number >= _DENSE)
        for field_number in more:
            self._index += [field_number, numbers[field_number]]
        first = len(self._index)
        self._index += defaults
        self.most_defaults = max(self.most_defaults, len(defaults))
        deny = node >= 0 and bool(self._nodes[node, N_FLAGS] & DENY)
        return [start, count, sparse, len(more), max(node, 0), deny, first, len(defaults)]

    def _entry(self, field: Any, node: int, bits: int = 0) -> int:
        """A field; node -1: it is taken with the message around it."""
        number = len(self._entries)
        row = [0] * layout.ENTRY
        self._entries.append(row)
        kind = layout.BOOLEAN if field.type == BOOL else int(_KINDS.get(field.type, Kind.NUMBER))
        names = {value.number: value.name for value in reversed(field.enum_type.values)} if field.type == ENUM else {}
        key = int(field.containing_type.fields_by_number[1].type) if bits & layout.OF_MAP else 0
        self.fields.append(Field(field.type, names, field.name, key, field.label == _LABEL_REQUIRED))
        wire = WIRE.get(field.type, layout.VARINT)
        repeated = field.label == REPEATED
        path, whole, value = -1, -1, node
        if is_map(field):
            bits |= layout.MAP
            whole = -1 if node < 0 else int(self._nodes[node, N_PATH])
        elif repeated:
            bits |= layout.PACKABLE if wire not in (layout.LENGTH, layout.GROUP) else 0
            if node >= 0:
                flags, value = int(self._nodes[node, N_FLAGS]), int(self._nodes[node, N_ELEMENT])
                whole = -1 if flags & EITHER else int(self._nodes[node, N_PATH])
                bits |= layout.MISMATCHED if value < 0 and not flags & MAY_ARRAY else 0
        elif self._once and node >= 0:
            bits |= layout.ONCE
        bits |= layout.UTF8 if field.type == STRING else 0
        bits |= layout.REQUIRED if field.label == _LABEL_REQUIRED else 0
        scope = -1
        if not bits & layout.MISMATCHED:
            if value >= 0 and not bits & layout.MAP:
                path = int(self._nodes[value, N_PATH])
            if kind == Kind.OBJECT:
                scope = self._map(field, value) if bits & layout.MAP else self._below(field.message_type, value)
                bits |= layout.MISMATCHED if scope < 0 else 0
            elif value >= 0 and not self._nodes[value, N_FLAGS] & MAY_SCALAR:
                bits |= layout.MISMATCHED
        if field.type == ENUM and field.enum_type.is_closed:
            bits |= layout.CLOSED
            scope = len(self._index)
            self._index += [len(names), *names]
        for place in {node, value} - {-1}:
            self.reached.setdefault(place, []).append(field.type)
        if bits & layout.MISMATCHED:
            self.mismatched[max(node, 0)] = None
        if kind != Kind.OBJECT and not repeated and not bits & (layout.MISMATCHED | layout.ONCE | layout.FIRST):
            bits |= layout.PLAIN
        row[:] = [field.type, wire, kind, bits, path, whole, scope, max(node, 0), _signed(field.number << 3 | wire)]
        return number

    def _below(self, message: Any, node: int) -> int:
        """The scope of a message as a value at a trie node; -1: the policy declares no message there."""
        if node < 0:
            return self._scope(message, -1)
        flags = int(self._nodes[node, N_FLAGS])
        if flags & DESCEND_OBJECT:
            return self._scope(message, node)
        return self._scope(message, -1) if flags & MAY_OBJECT else -1

    def _map(self, field: Any, node: int) -> int:
        """Where the list of a map's entries begins in the index; -1: the policy declares no map there."""
        flags = int(self._nodes[node, N_FLAGS]) if node >= 0 else MAY_OBJECT
        if not flags & (DESCEND_OBJECT | MAY_OBJECT):
            return -1
        textual, pairs, other = _key_is_text(field.message_type), list[int](), -1
        wild = int(self._nodes[node, N_WILD]) if node >= 0 else -1
        if flags & DESCEND_OBJECT:
            children = [self._child(node, name) for name in self.paths.named[node]] if textual else []
            for child in dict.fromkeys([*children, wild]):
                if child >= 0:
                    pairs += [child, self._pair(field.message_type, child)]
            if not flags & DENY:
                other = layout.EMPTY
        else:
            other = self._pair(field.message_type, -1)
        start = len(self._index)
        textual = textual and (wild < 0 or bool(self.paths.named[node]))  # of keys of which none matters none is looked up
        self._index += [node, textual, other, len(pairs) // 2, *pairs]
        return start

    def _pair(self, message: Any, node: int) -> int:
        """The scope of a map's entry whose value is at a trie node: one key, and then one value."""
        key = "map", message, node
        if key not in self._known:
            number = self._known[key] = len(self._scopes)
            self._scopes.append([0] * layout.SCOPE)
            first = self._entry(message.fields_by_number[1], -1, layout.ONCE | layout.FIRST)
            second = self._entry(message.fields_by_number[2], node, layout.ONCE | layout.OF_MAP)
            absent = [second] if self._entries[second][layout.E_PATH] >= 0 else []  # an entry without a value is one all the same
            self._scopes[number] = self._indexed({1: first, 2: second}, -1, absent)
            self._scopes[number][layout.S_DENY] = layout.NOTHING_ELSE
        return self._known[key]


def _signed(tag: int) -> int:
    """32 bits as an int32."""
    return tag - (1 << 32) if tag >= 1 << 31 else tag


def is_map(field: Any) -> bool:
    """Whether a field is a map."""
    return field.label == REPEATED and field.type == MESSAGE and bool(field.message_type.GetOptions().map_entry)


def _key_is_text(message: Any) -> bool:
    return bool(message.fields_by_number[1].type == STRING)
