"""Reads YAML to plain values with the line and column of every key and value.

The core schema of YAML 1.2: ``true`` and ``false`` are the only booleans, ``1e-9`` is a number, ``NO``, ``1:30`` and ``2024-03-15`` are
text. Keys are text as written. Tags, duplicate keys, cycles and very large or deep documents are refused.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import yaml
from yaml.composer import Composer, ComposerError
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from flink_masking.documents.faults import Fault, Faults, PolicyFaults

MAX_DEPTH = 40
MAX_NODES = 100_000
Path = tuple[str | int, ...]
_PLAIN = "tag:yaml.org,2002:"


class Mark(NamedTuple):
    """A place in the text, both from 1."""

    line: int
    column: int


class _Resolver(BaseResolver):
    """The scalars of YAML 1.2's core schema, without octal and hexadecimal numbers, infinities and NaN."""


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("int", r"[-+]?[0-9]+", [*"-+0123456789"]),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
):
    _Resolver.add_implicit_resolver(_PLAIN + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


class _Loader(Reader, Scanner, Parser, Composer, _Resolver):
    """Composes the node tree; it never builds an object."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Resolver.__init__(self)
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node; counts the depth, because the composer calls itself."""
        if self.depth >= MAX_DEPTH:
            loader: Any = self
            raise ComposerError(None, None, f"more than {MAX_DEPTH} levels", loader.peek_event().start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class Document:
    """A parsed text.

    Attributes:
        name: of the source.
        value: dicts with text keys, lists, str, int, float, bool, None.
    """

    def __init__(self, name: str, text: str, failure: type[Faults] = PolicyFaults) -> None:
        """Parse.

        Args:
            name: of the source, for faults.
            text: the document.
            failure: what is raised, by the kind of document.

        Raises:
            Faults: broken YAML, a tag, a duplicate key, a key that is no scalar, a cycle, too large or too deep.
        """
        self.name = name
        self._keys: dict[Path, Mark] = {}
        self._values: dict[Path, Mark] = {}
        self._faults: list[Fault] = []
        self._nodes = 0
        try:
            node = _Loader(text).get_single_node()
        except yaml.MarkedYAMLError as error:
            raise failure(name, [_syntax_fault(error)]) from None
        except ReaderError as error:
            line, column = _place(text, error.position if isinstance(error.position, int) else 0)
            raise failure(name, [Fault(line, column, "a character that YAML does not allow", "remove it")]) from None
        if node is None:
            raise failure(name, [Fault(1, 1, f"{failure.what} is empty", failure.start)])
        self.value = self._plain(node, (), ())
        if self._faults:
            raise failure(name, self._faults)

    def mark(self, path: Sequence[str | int]) -> Mark:
        """The place of the value at `path`, or of the key that holds it where the value begins on a later line.

        Steps that the document does not have (a key that is missing, tags of a union) are left out.
        """
        found = self.resolve(path)
        value = self._values[found]
        key = self._keys.get(found)
        return key if key is not None and key.line < value.line else value

    def key_mark(self, path: Sequence[str | int]) -> Mark:
        """The place of the key at `path`; of the nearest key or item around it where there is none."""
        found = self.resolve(path)
        while found:
            if found in self._keys:
                return self._keys[found]
            if isinstance(found[-1], int):
                return self._values[found]
            found = found[:-1]
        return self._values[()]

    def resolve(self, path: Sequence[str | int]) -> Path:
        """The steps of `path` that the document has, in order."""
        found: Path = ()
        for step in path:
            if (*found, step) in self._values:
                found = (*found, step)
        return found

    def stand_in(self, path: Path, written: Path) -> None:
        """Give a value that follows from another one the places of that one and of all that is in it; what is written keeps its own."""
        inner = [place for place in self._values if place[: len(written)] == written]
        for length in range(1, len(path)):
            self._values.setdefault(path[:length], self._values[written])
        for marks in (self._keys, self._values):
            for place in inner:
                if place in marks:
                    marks.setdefault((*path, *place[len(written):]), marks[place])

    def _plain(self, node: yaml.Node, path: Path, parents: tuple[int, ...]) -> Any:
        """The node as a plain value; notes the marks of all that is in it."""
        place = self._values[path] = _mark(node.start_mark)
        self._nodes += 1
        if self._nodes > MAX_NODES or id(node) in parents:
            if self._nodes <= MAX_NODES or not any(fault.message.startswith("more than") for fault in self._faults):
                what = "an alias inside the value that it names" if id(node) in parents else f"more than {MAX_NODES} values"
                self._faults.append(Fault(*place, what, "write the values out"))
            return None
        if isinstance(node, yaml.MappingNode) and node.tag == _PLAIN + "map":
            return self._mapping(node, path, (*parents, id(node)))
        if isinstance(node, yaml.SequenceNode) and node.tag == _PLAIN + "seq":
            return [self._plain(item, (*path, number), (*parents, id(node))) for number, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        return self._refuse_tag(place)

    def _mapping(self, node: yaml.MappingNode, path: Path, parents: tuple[int, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            place = _mark(key.start_mark)
            if self._nodes > MAX_NODES:
                break
            if not isinstance(key, yaml.ScalarNode):
                self._faults.append(Fault(*place, "a key is not plain text", "write texts that begin with [, { or * in quotes"))
                continue
            if key.value in result:
                first = self._keys[(*path, key.value)]
                self._faults.append(Fault(*place, f"the key '{cut(key.value)}' is a duplicate", f"the first is in line {first.line}"))
                continue
            self._keys[(*path, key.value)] = place
            result[key.value] = self._plain(value, (*path, key.value), parents)
        return result

    def _scalar(self, node: yaml.ScalarNode, place: Mark) -> Any:
        text: str = node.value
        kind = node.tag.removeprefix(_PLAIN)
        try:
            match kind:
                case "str":
                    return text
                case "null" if text in ("", "~") or text.lower() == "null":
                    return None
                case "bool" if text.lower() in ("true", "false"):
                    return text.lower() == "true"
                case "int":
                    return int(text)
                case "float":
                    return float(text)
        except ValueError:
            self._faults.append(Fault(*place, "a number that cannot be read", "write fewer digits"))
            return None
        return self._refuse_tag(place)

    def _refuse_tag(self, place: Mark) -> None:
        self._faults.append(Fault(*place, "a tag (!…) is not allowed", "write the value without it"))


def cut(word: str) -> str:
    """A word of the policy for a message: printable, at most 60 characters."""
    shown = "".join(character if character.isprintable() else "?" for character in word[:60])
    return shown + "…" if len(word) > 60 else shown


def listed(words: Iterable[str], most: int = 5) -> str:
    """The first words in quotes, and how many more there are."""
    names = [f"'{cut(word)}'" for word in words]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _place(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(before.count("\n") + 1, position - before.rfind("\n"))


def _syntax_fault(error: yaml.MarkedYAMLError) -> Fault:
    if error.context in ("while scanning a simple key", "while scanning a quoted scalar"):
        mark = error.context_mark or error.problem_mark  # where the colon or the quote is missing, not where that was noticed
    else:
        mark = error.problem_mark or error.context_mark
    line, column = _mark(mark) if mark else Mark(1, 1)
    if "expected ':'" in str(error.problem) or "block end" in str(error.problem):
        hint = "check the colons and the indentation of this line and the one before"
    elif "'\\t'" in str(error.problem):
        hint = "indent with spaces"
    elif "alias" in str(error.context) or "anchor" in str(error.context):
        hint = "put a text that begins with * or & in quotes, and a path with [*] that stands in { }: \"*\": keep, \"tags[*]\": keep"
    else:
        hint = "check quotes, brackets and indentation near this line"
    context = f" ({error.context})" if error.context else ""
    return Fault(line, column, f"broken YAML: {error.problem}{context}", hint)
