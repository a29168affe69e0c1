"""Field paths as a policy writes them: ``email``, ``card.number``, ``contacts[*].phone``, ``tags[*]``, ``meta.*``, ``"a.b".c``."""

import json
import re
from enum import Enum

from flink_masking.errors import PolicyError

MAX_KEY = 200
"""Longest key of a path, in bytes of UTF-8."""

_BARE = re.compile(r'[^.\[\]*"\x00-\x1f\x7f]+')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HINT = 'Hint: write it like email, card.number, contacts[*].phone or meta.*; a key with . [ ] * or " goes in double quotes: "a.b".c'


class Wild(Enum):
    """A step that matches more than one member."""

    ELEMENT = "[*]"
    """Every element of an array."""
    KEY = "*"
    """Every member of an object that no other path names."""


Step = str | Wild
"""One step of a path: a key, or a wildcard."""


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path.

    Args:
        text: as written in a policy. Inside double quotes a key has the escapes of a JSON string.

    Returns:
        At least one step; the first is a key or ``Wild.KEY``, because a record is an object.

    Raises:
        PolicyError: not text; empty; a character out of place; an array index; an unfinished or wrong quoted key; a key of more than
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
            steps.append(Wild.ELEMENT)
            p += 3
            continue
        if steps:
            if text[p] != ".":
                raise _wrong(text, p, "'.' or '[*]' is expected here")
            p += 1
        step, p = _member(text, p)
        steps.append(step)
    return tuple(steps)


def _member(text: str, p: int) -> tuple[Step, int]:
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
        bare = _BARE.match(text, p)
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


def _wrong(text: str, p: int, what: str) -> PolicyError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return PolicyError(f"path {shown!r}, position {p}: {what}. {_HINT}")


def format_path(steps: tuple[Step, ...]) -> str:
    """The path in its canonical form: quotes only where they are needed. ``parse_path(format_path(steps)) == steps``.

    >>> format_path(("a.b", Wild.ELEMENT, "c"))
    '"a.b"[*].c'
    """
    out = ""
    for step in steps:
        if step is Wild.ELEMENT:
            out += "[*]"
        else:
            key = "*" if step is Wild.KEY else step
            assert isinstance(key, str)
            plain = step is Wild.KEY or (_BARE.fullmatch(key) and key == key.strip())
            out += ("." if out else "") + (key if plain else json.dumps(key, ensure_ascii=False))
    return out


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
