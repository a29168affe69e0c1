"""A writer schema and the declared paths compiled into a program for the scanner (`scan_kernels`)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from flink_masking.errors import InputError
from flink_masking.records.avro import scan_kernels as ops
from flink_masking.records.avro.schema import MOST_DIGITS, Field, Type, bytes_of_digits, recursive, smallest
from flink_masking.records.kinds import Kind
from flink_masking.records.nodes import Trie
from flink_masking.records.span_kernels import (
    MAY_ARRAY,
    MAY_OBJECT,
    MAY_SCALAR,
    MISMATCH,
    NOT_OBJECT,
    UNDECLARED_NODE,
    UNKNOWN,
)
from flink_masking.records.trie import Paths
from flink_masking.registry.source import SchemaId

LONGEST = 1 << 20
"""Numbers of a program."""
_CODES = {"null": ops.T_NULL, "boolean": ops.T_BOOLEAN, "int": ops.T_INT, "long": ops.T_LONG, "bytes": ops.T_BYTES,
          "string": ops.T_STRING, "fixed": ops.T_FIXED, "enum": ops.T_ENUM}
_KINDS = {"null": Kind.NULL, "boolean": Kind.TRUE, "record": Kind.OBJECT, "map": Kind.OBJECT, "array": Kind.ARRAY}
_BYTES = {"null": 0, "float": 4, "double": 8}


class Site(NamedTuple):
    """A place of a schema whose values have spans.

    Attributes:
        path: its number.
        node: of the trie.
        type: of the values: one branch of `outer`, or `outer` itself.
        outer: the type as it is declared, a union or not.
        place: a field of a record, an element of an array, an entry of a map.
        field: the field; None for the others.
    """

    path: int
    node: int
    type: Type
    outer: Type
    place: str
    field: Field | None


@dataclass(frozen=True)
class Program:
    """A compiled schema.

    Attributes:
        schema: what it was compiled of.
        entry: where it begins in the image's code.
        sites: its own sites, in the image's list.
        identifier: by which records name the schema; None where it does not matter.
    """

    schema: Type
    entry: int
    sites: slice
    identifier: SchemaId | None = None


class Image:
    """The programs of several schemas for the same paths, one behind the other.

    Attributes:
        trie: of the paths.
        code: int32, of all programs.
        sites: of all programs, by the numbers in `code`.
        unknown: pairs of a trie node and the name of an undeclared field; fault node -1 - k is `unknown[k]`.
        mismatches: nodes at which a schema has another kind of value than is declared.
        programs: in the order in which they were added.
    """

    def __init__(self, paths: Paths) -> None:
        """No programs yet."""
        self.trie = Trie(paths)
        self.code = np.zeros(0, np.int32)
        self.sites: list[Site] = []
        self.unknown: list[tuple[int, str]] = []
        self.mismatches: list[int] = []
        self.programs: list[Program] = []
        self._code: list[int] = []
        self._others: set[int] = set()
        self._of_path: dict[int, list[int]] = {}
        self._arrays: dict[int, np.ndarray] = {}

    def is_text(self, path: int) -> bool:
        """Whether all values of a path are text or null."""
        return path not in self._others

    def of_path(self, path: int) -> np.ndarray:
        """int64: the sites of a path."""
        found = self._arrays.get(path)
        if found is None:
            found = self._arrays[path] = np.array(self._of_path.get(path, ()), np.int64)
        return found

    def add(self, schema: Type, identifier: SchemaId | None = None) -> int:
        """Compile a schema, which records name by an identifier; the number of its program.

        Raises:
            InputError: the program would be too long.
        """
        entry, first, unknown = len(self._code), len(self.sites), len(self.unknown)
        try:
            _Compiler(schema, self.trie, self._code, self.sites, self.unknown, self.mismatches).run()
        except (InputError, RecursionError) as error:
            del self._code[entry:], self.sites[first:], self.unknown[unknown:]
            if isinstance(error, InputError):
                raise
            raise InputError("Avro schema: its records lie too deep within each other. Hint: divide it") from None
        self.programs.append(Program(schema, entry, slice(first, len(self.sites)), identifier))
        self._arrays.clear()
        for number, site in enumerate(self.sites[first:], first):
            self._of_path.setdefault(site.path, []).append(number)
            if site.type.kind not in ("string", "null"):
                self._others.add(site.path)
        self.code = np.array(self._code, np.int32)
        return len(self.programs) - 1


def kind_of(part: Type) -> Kind:
    """What the values of a type are to techniques."""
    if (part.kind in ("int", "long", "float", "double") and part.logical != "date") or part.logical == "decimal":
        return Kind.NUMBER
    return _KINDS.get(part.kind, Kind.STRING)


class _Compiler:
    def __init__(self, schema: Type, trie: Trie, code: list[int], sites: list[Site], unknown: list[tuple[int, str]],
                 mismatches: list[int]) -> None:
        self._mismatches = mismatches
        self._schema, self._trie, self._code, self._sites, self._unknown = schema, trie, code, sites, unknown
        self._most = len(code) + LONGEST
        self._recursive = recursive(schema)
        self._entries: dict[tuple[int, int], int] = {}
        self._waiting: list[tuple[int, Type, int]] = []

    def run(self) -> None:
        """Append the program."""
        top = self._schema
        if all(branch.kind == "record" for branch in top.options):
            self._value(top, 0, top, "field", None)
        else:
            self._code += [ops.BLAME, NOT_OBJECT, 0]
            self._value(top, -1, top, "field", None)
        self._code.append(ops.END)
        while self._waiting:
            place, record, node = self._waiting.pop()
            if (id(record), node) not in self._entries:
                self._entries[id(record), node] = len(self._code)
                self._fields(record, node)
                self._code.append(ops.RETURN)
            self._code[place] = self._entries[id(record), node]

    def _value(self, outer: Type, node: int, part: Type, place: str, field: Field | None) -> None:
        """A value of type `part`, which is declared as `outer`, at a node of the trie."""
        if len(self._code) > self._most:
            raise InputError("Avro schema: it is too large for these paths. Hint: divide it, or declare fewer paths with '*'")
        if part.kind == "union":
            start = len(self._code)
            self._code += [ops.UNION, len(part.branches), *([0] * len(part.branches))]
            ends = []
            for number, branch in enumerate(part.branches):
                begin = self._code[start + 2 + number] = len(self._code)
                self._value(outer, node, branch, place, field)
                if self._code[begin] not in (ops.LEAF, ops.SKIP):
                    self._code += [ops.JUMP, 0]
                ends.append(len(self._code) - 1)
            for end in ends:
                self._code[end] = len(self._code)
            return
        kind = kind_of(part)
        flags = self._trie.flags(node)
        may = MAY_OBJECT if kind is Kind.OBJECT else MAY_ARRAY if kind is Kind.ARRAY else MAY_SCALAR
        if node > 0 and not flags & may and kind is not Kind.NULL:
            self._code += [ops.BLAME, MISMATCH, node]
            self._mismatches.append(node)
        path = self._trie.own(node, kind)
        site = -1
        if path >= 0:
            site = len(self._sites)
            self._sites.append(Site(path, node, part, outer, place, field))
        if kind is Kind.OBJECT or kind is Kind.ARRAY:
            self._container(part, self._trie.within(node, kind), path, site)
            return
        size = _BYTES.get(part.kind, part.size if part.kind == "fixed" else len(part.symbols))
        if part.kind == "bytes" and part.logical == "decimal":
            size = bytes_of_digits(MOST_DIGITS)
        code = _CODES.get(part.kind, ops.T_FIXED)
        if path < 0 and code == ops.T_FIXED:
            self._code += [ops.SKIP, size, len(self._code) + 3]
        else:
            self._code += [ops.LEAF, code, size, path, site, kind, len(self._code) + 7]

    def _container(self, part: Type, node: int, path: int, site: int) -> None:
        """A record, array or map whose members go by a node of the trie."""
        if part.kind == "record":
            self._code += [ops.OPEN, path, site] if path >= 0 else [ops.PLAIN]
            if id(part) in self._recursive:
                self._waiting.append((len(self._code) + 1, part, node))
                self._code += [ops.CALL, 0]
            else:
                self._fields(part, node)
            if path >= 0:
                self._code.append(ops.CLOSE)
            return
        assert part.items is not None
        start, items = len(self._code), part.items
        entries = {}
        if part.kind == "map" and node >= 0:
            entries = {child: 0 for key in self._trie.named[node] if (child := self._trie.member(node, key)) >= 0}
        least, keys = 1 if part.kind == "map" else smallest(items), node  # of keys of which none matters none is looked up
        if not entries and self._trie.other(node) != UNDECLARED_NODE:
            keys = -1
        head = [ops.BLOCKS, int(part.kind == "map"), 0, path, site, least, keys, 0, len(entries)]
        self._code += [*head, *(number for child in entries for number in (child, 0)), 0]
        body, sites, waiting = start + 9, len(self._sites), len(self._waiting)
        for number, child in enumerate(entries):
            self._code[body + 2 * number + 1] = len(self._code)
            self._value(items, child, items, "entry", None)
            self._code += [ops.NEXT, start]
        self._code[body + 2 * len(entries)] = len(self._code)
        if part.kind == "map":
            other = self._trie.other(node)
            if other == UNDECLARED_NODE:
                self._code += [ops.BLAME, UNKNOWN, node]  # the scanner notes the key itself, and passes over this
            self._value(items, other, items, "entry", None)
        else:
            self._value(items, self._trie.element(node), items, "element", None)
        self._code += [ops.NEXT, start]
        self._code[start + 2] = len(self._code)
        called = any(node >= 0 for _, _, node in self._waiting[waiting:])  # what is compiled later may have sites, too
        self._code[start + 7] = int(len(self._sites) > sites or called)

    def _fields(self, record: Type, node: int) -> None:
        for field in record.fields:
            child = self._trie.member(node, field.name)
            if child == UNDECLARED_NODE:
                self._code += [ops.BLAME, UNKNOWN, -1 - len(self._unknown)]
                self._unknown.append((node, field.name))
            self._value(field.type, child, field.type, "field", field)



