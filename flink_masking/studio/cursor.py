"""Where in a policy the cursor stands, also in a text that is not finished and is no YAML yet."""

import re
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
_KEY = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^\s#{}\[\],"\'&!|>%@`][^#]*?)\s*:(?=\s|$)')
_FLOW_KEY = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^\s{}\[\],"\':#][^{}\[\],:]*?(?:\[\*\][^{}\[\],:]*?)*)'
                       r'\s*:(?=\s|$|[{\["\'])')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?|\'(?:[^\']|\'\')*\'?')
MOST_LINES = 20_000


@dataclass
class Cursor:
    """A place in the text.

    Attributes:
        path: of the mapping that the cursor stands in; of the value, where it stands behind a key; of the list, where it is at an item.
        value: whether a value or an item is being written; otherwise a key.
        prefix: what is written of it so far, quotes included.
        flow: whether it stands within braces or brackets.
        keys: by path of each mapping of the text its keys, with the text of the values that are scalars.
    """

    path: Path = ()
    value: bool = False
    prefix: str = ""
    flow: bool = False
    keys: dict[Path, dict[str, str]] = field(default_factory=dict)


class _Scan:
    """Reads the text line by line, and notes where the cursor is when it comes by."""

    def __init__(self) -> None:
        self.found: Cursor | None = None
        self.keys: dict[Path, dict[str, str]] = {}
        self._blocks: list[tuple[int, str | int]] = []  # indentation, and the key or number there
        self._flows: list[list[Any]] = []  # "{" or "[", then the key or number that is at hand
        self._items: dict[Path, int] = {}

    def line(self, text: str, cursor: int | None) -> None:
        """Read a line; `cursor` is the place in it, None where it is in another one."""
        if self._flows:
            self._flow(text, 0, cursor)
            return
        body = text.lstrip(" ")
        indent = len(text) - len(body)
        if not body or body.startswith("#"):
            if cursor is not None and "#" not in text[:cursor]:
                self._leave(cursor)
                self._here(self._path(), False, "", False)
            return
        self._leave(indent, body.startswith("- ") or body == "-")
        at = indent
        while text.startswith("- ", at) or text[at:] == "-":
            above = self._path()
            number = self._items[above] = self._items.get(above, -1) + 1
            self._blocks.append((at, number))
            at += 1
            at += len(text[at:]) - len(text[at:].lstrip(" "))
        if cursor is not None and cursor < at:
            self._here(self._path()[:-1] if at > indent else self._path(), False, "", False)
        self._entry(text, at, cursor)

    def _entry(self, text: str, at: int, cursor: int | None) -> None:
        """A key with what follows it on the line, or an item of a list."""
        match = _KEY.match(text, at)
        if match is None or (cursor is not None and at <= cursor <= match.end(1)):
            if cursor is not None and cursor >= at and not text.startswith(("{", "["), at):
                item = bool(self._blocks) and isinstance(self._blocks[-1][1], int)
                self._here(self._path()[: -1 if item else None], item, text[at:cursor], False)
            if match is None:
                if text.startswith(("{", "["), at):
                    self._flow(text, at, cursor)
                return
        key = _plain(match[1])
        above = self._path()
        rest = text[match.end():]
        start = match.end() + len(rest) - len(rest.lstrip(" "))
        self._blocks.append((at, key))
        if text.startswith(("{", "["), start) and (cursor is None or cursor > start or self.found is not None):
            self.keys.setdefault(above, {})[key] = ""
            self._flow(text, start, cursor)
            return
        scalar = _scalar(text[start:])
        self.keys.setdefault(above, {})[key] = scalar
        if cursor is not None and cursor >= match.end() and self.found is None:
            typed = text[start:cursor] if cursor > start else ""
            if " #" not in f" {typed}":
                self._here((*above, key), True, typed, False)
        if text.startswith(("{", "["), start):
            self._flow(text, start, None)

    def _flow(self, text: str, at: int, cursor: int | None) -> None:
        """Braces and brackets from here to the end of the line."""
        token = at
        while at < len(text):
            if cursor is not None and cursor == at and self._flows and self.found is None:
                self._in_flow(text[token:cursor])
            sign = text[at]
            if sign in "{[":
                self._flows.append([sign, None if sign == "{" else 0])
                token = at + 1
                if sign == "{" and (match := _FLOW_KEY.match(text, token)):
                    at = token = self._flow_key(match, cursor)
                    continue
            elif sign in "}]" and self._flows:
                self._note(text[token:at])
                self._flows.pop()
                token = at + 1
                if not self._flows:
                    return
            elif sign == "," and self._flows:
                self._note(text[token:at])
                top = self._flows[-1]
                top[1] = top[1] + 1 if top[0] == "[" else None
                token = at + 1
                if top[0] == "{" and (match := _FLOW_KEY.match(text, token)):
                    at = token = self._flow_key(match, cursor)
                    continue
            elif sign == "#" and (at == 0 or text[at - 1] == " "):
                return
            elif sign in "\"'" and (match := _QUOTED.match(text, at)):
                if cursor is not None and at < cursor <= match.end() and self.found is None:
                    self._in_flow(text[token:cursor])
                at = match.end()
                continue
            elif self._flows and self._flows[-1] == ["{", None] and text[token:at].strip() == "" and (
                    match := _FLOW_KEY.match(text, at)):  # the key stands on a later line than its brace
                at = token = self._flow_key(match, cursor)
                continue
            at += 1
        if cursor is not None and cursor >= len(text) and self._flows and self.found is None:
            self._in_flow(text[token:cursor])
        self._note(text[token:])

    def _flow_key(self, match: "re.Match[str]", cursor: int | None) -> int:
        """Note a key within braces; the place behind its colon."""
        if cursor is not None and match.start(1) <= cursor <= match.end(1) and self.found is None:
            self._in_flow(match.string[match.start(1):cursor])
        key = _plain(match[1])
        self.keys.setdefault(self._path(), {}).setdefault(key, "")
        self._flows[-1][1] = key
        return match.end()

    def _note(self, text: str) -> None:
        """Note the scalar of the key at hand."""
        if self._flows and self._flows[-1][0] == "{" and isinstance(self._flows[-1][1], str) and text.strip():
            path = self._path()
            self.keys.setdefault(path[:-1], {})[str(path[-1])] = _scalar(text.strip())

    def _in_flow(self, typed: str) -> None:
        sign, at_hand = self._flows[-1]
        path = self._path()
        self._here(path[:-1] if sign == "[" else path, sign == "[" or at_hand is not None, typed.lstrip(" "), True)

    def _leave(self, indent: int, dash: bool = False) -> None:
        """Close the blocks that end before a line of this indentation."""
        while self._blocks and (self._blocks[-1][0] > indent or (
                self._blocks[-1][0] == indent and (not dash or isinstance(self._blocks[-1][1], int)))):
            self._blocks.pop()

    def _path(self) -> Path:
        inner = [at_hand for _, at_hand in self._flows if at_hand is not None]
        return (*(step for _, step in self._blocks), *inner)

    def _here(self, path: Path, value: bool, prefix: str, flow: bool) -> None:
        if self.found is None:
            self.found = Cursor(path, value, prefix, flow)


def cursor_at(text: str, line: int, column: int) -> Cursor | None:
    """The place of the cursor.

    Args:
        text: the policy, as far as it is written.
        line: from 1.
        column: characters in front of the cursor.

    Returns:
        None within a comment, and beyond `MOST_LINES`.
    """
    scan = _Scan()
    for number, one in enumerate(text.split("\n")[:MOST_LINES], 1):
        scan.line(one.rstrip("\r"), min(column, len(one)) if number == line else None)
    if scan.found is not None:
        scan.found.keys = scan.keys
    return scan.found


def _plain(word: str) -> str:
    return word[1:-1] if word[:1] in "\"'" and word[-1:] == word[:1] and len(word) > 1 else word


def _scalar(text: str) -> str:
    text = text.strip()
    if text[:1] in "\"'" and (match := _QUOTED.match(text)):
        return _plain(match[0])
    return "" if text[:1] in "{[" else re.split(r"(?:^|\s)#", text)[0].strip()
