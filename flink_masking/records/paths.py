"""Field paths as a policy writes them: ``email``, ``card.number``, ``contacts[*].phone``, ``tags[*]``, ``meta.*``, ``"a.b".c``.

A selector in the place of ``[*]`` names some elements of an array: ``identifier[type.coding[*].code=SS].value``, ``address[0].city``.
``address[*]?.city`` is the city of an address that is an object in one record and an array of objects in another.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from flink_masking.errors import PolicyError

MAX_KEY = 200
"""Longest key of a path, in bytes of UTF-8."""

_BARE = re.compile(r'[^.\[\]*"\x00-\x1f\x7f]+')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BEFORE_EQUALS = re.compile(r'[^.\[\]*"=\x00-\x1f\x7f]+')
_INDEX = re.compile(r"\[([0-9]{1,6})\]")
_LITERAL = re.compile(r'[^\[\]"\x00-\x1f\x7f]+')
_HINT = 'Hint: write it like email, card.number, contacts[*].phone or meta.*; a key with . [ ] * or " goes in double quotes: "a.b".c'
_SELECTORS = 'Hint: write it like card.number, contacts[0] or contacts[system=phone].value; a value with [ ] or " goes in double quotes'


class Wild(Enum):
    """A step that matches more than one member."""

    ELEMENT = "[*]"
    """Every element of an array."""
    KEY = "*"
    """Every member of an object that no other path names."""
    MAYBE = "[*]?"
    """Every element of an array, or what stands in the place of the array."""


@dataclass(frozen=True)
class Where:
    """The elements of an array that hold a value at a path.

    Attributes:
        path: within an element, of keys and ``[*]``.
        value: the text, or the number or boolean as it is written, that one of the values there must be.
    """

    path: tuple["str | Wild", ...]
    value: str


@dataclass(frozen=True)
class At:
    """The element of an array at a place; the first is 0."""

    index: int


Step = str | Wild | Where | At
"""One step of a path: a key, a wildcard or a selector."""


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path.

    Args:
        text: as written in a policy. Inside double quotes a key has the escapes of a JSON string.

    Returns:
        At least one step; the first is a key or ``Wild.KEY``, because a record is an object.

    Raises:
        PolicyError: not text; empty; a character out of place; an unfinished or wrong quoted key or selector; a key of more than
            `MAX_KEY` bytes.

    >>> parse_path('contacts[*]."e.mail"')
    ('contacts', <Wild.ELEMENT: '[*]'>, 'e.mail')
    """
    if not isinstance(text, str):
        raise PolicyError(f"path: text is needed, not {type(text).__name__}. {_HINT}")
    steps: list[Step] = []
    p = 0
    while not steps or p < len(text):
        if steps and text.startswith("[*]", p):
            maybe = text.startswith("?", p + 3)
            steps.append(Wild.MAYBE if maybe else Wild.ELEMENT)
            p += 4 if maybe else 3
            continue
        if steps and text.startswith("[", p):
            selector, p = _selector(text, p)
            steps.append(selector)
            continue
        if steps:
            if text[p] != ".":
                raise _wrong(text, p, "'.' or '[*]' is expected here")
            p += 1
        step, p = _member(text, p)
        steps.append(step)
    return tuple(steps)


def _selector(text: str, p: int) -> tuple[Where | At, int]:
    """The selector at p, and the position after it."""
    if (index := _INDEX.match(text, p)) is not None:
        return At(int(index[1])), index.end()
    steps: list[str | Wild] = []
    q = p + 1
    while not steps or not text.startswith("=", q):
        if steps and text.startswith("[*]", q):
            steps.append(Wild.ELEMENT)
            q += 3
            continue
        if steps:
            if not text.startswith(".", q):
                raise _wrong(text, q, "'.', '[*]' or '=' is expected in a selector", _SELECTORS)
            q += 1
        step, q = _member(text, q, _BEFORE_EQUALS)
        if not isinstance(step, str):
            raise _wrong(text, q - 1, "'*' is not taken in a selector", _SELECTORS)
        steps.append(step)
    value, q = _literal(text, q + 1)
    if not text.startswith("]", q):
        raise _wrong(text, q, "this selector does not end", _SELECTORS)
    return Where(tuple(steps), value), q + 1


def _literal(text: str, p: int) -> tuple[str, int]:
    """The value of a selector at p, and the position after it."""
    quoted = _QUOTED.match(text, p)
    if quoted is not None:
        try:
            value = str(json.loads(quoted[0]))
            value.encode()
        except ValueError:
            raise _wrong(text, p, "this quoted value is not a JSON string", _SELECTORS) from None
        return value, quoted.end()
    bare = _LITERAL.match(text, p)
    if bare is None or bare[0] != bare[0].strip():
        raise _wrong(text, p, "a value is expected here", _SELECTORS)
    if bare[0].startswith("=") or (len(bare[0]) > 1 and bare[0][0] == bare[0][-1] == "'"):
        raise _wrong(text, p, "a second '=', or ' in the place of quotes, would be a part of the value", _SELECTORS)
    try:
        bare[0].encode()
    except UnicodeEncodeError:
        raise _wrong(text, p, "this value holds half a surrogate pair", _SELECTORS) from None
    return bare[0], bare.end()


def _member(text: str, p: int, bare_key: re.Pattern[str] = _BARE) -> tuple[str | Wild, int]:
    """The key or ``*`` at p, and the position after it."""
    if text.startswith("*", p):
        return Wild.KEY, p + 1
    if text.startswith('"', p):
        quoted = _QUOTED.match(text, p)
        if quoted is None:
            raise _wrong(text, p, "this quoted key does not end")
        try:
            key, end = json.loads(quoted[0]), quoted.end()
        except ValueError:
            raise _wrong(text, p, "this quoted key is not a JSON string") from None
    else:
        bare = bare_key.match(text, p)
        if bare is None or bare[0] != bare[0].strip():
            raise _wrong(text, p, "a key is expected here")
        key, end = bare[0], bare.end()
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise _wrong(text, p, "this key holds half a surrogate pair") from None
    if size > MAX_KEY:
        raise _wrong(text, p, f"this key has {size} bytes, {MAX_KEY} are allowed")
    return key, end


def _wrong(text: str, p: int, what: str, hint: str = _HINT) -> PolicyError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return PolicyError(f"path {shown!r}, position {p}: {what}. {hint}")


def format_path(steps: tuple[Step, ...]) -> str:
    """The path in its canonical form: quotes only where they are needed. ``parse_path(format_path(steps)) == steps``.

    >>> format_path(("a.b", Wild.ELEMENT, "c"))
    '"a.b"[*].c'
    """
    out = ""
    for step in steps:
        if isinstance(step, At):
            out += f"[{step.index}]"
        elif isinstance(step, Where):
            plain = _LITERAL.fullmatch(step.value) and step.value == step.value.strip() and step.value[:1] not in ("=", "'")
            value = step.value if plain else json.dumps(step.value, ensure_ascii=False)
            out += f"[{_written(step.path, _BEFORE_EQUALS)}={value}]"
        elif isinstance(step, Wild) and step is not Wild.KEY:
            out += step.value
        else:
            out += ("." if out else "") + _written((step,), _BARE)
    return out


def _written(steps: Sequence[str | Wild], bare: re.Pattern[str]) -> str:
    """Keys and wildcards; keys in quotes that `bare` does not take as they are."""
    out = ""
    for step in steps:
        if step is Wild.ELEMENT:
            out += "[*]"
            continue
        key = step.value if isinstance(step, Wild) else step
        plain = isinstance(step, Wild) or (bare.fullmatch(key) and key == key.strip())
        out += ("." if out else "") + (key if plain else json.dumps(key, ensure_ascii=False))
    return out


def selects(steps: Sequence[Step]) -> bool:
    """Whether a path has a selector."""
    return any(isinstance(step, Where | At) for step in steps)


def unselected(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The path with ``[*]`` in the place of every selector.

    >>> format_path(unselected(parse_path("contacts[system=phone].value")))
    'contacts[*].value'
    """
    return tuple(Wild.ELEMENT if isinstance(step, Where | At) else step for step in steps)


def parents(path: str) -> tuple[str, ...]:
    """The paths above `path`, outermost first, in canonical form.

    Raises:
        PolicyError: as `parse_path`.

    >>> parents("contacts[*].phone")
    ('contacts', 'contacts[*]')
    """
    steps = parse_path(path)
    return tuple(format_path(steps[:k]) for k in range(1, len(steps)))


def labels(column: str) -> tuple[str, ...]:
    """The paths, in canonical form, that a column's name can stand for: that of one key, and the path that it spells.

    >>> labels("address.city")
    ('"address.city"', 'address.city')
    """
    single = format_path((column,))
    try:
        spelled = format_path(parse_path(column))
    except PolicyError:
        return (single,)
    return (single,) if spelled == single else (single, spelled)
