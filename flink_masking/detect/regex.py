"""Reads the safe subset of regular expressions that detection runs in linear time.

Accepted: literals, ASCII classes, groups, alternatives, bounded repeats, ``(?i)``; ``\\b`` as the first and as the last element; one open
repeat of a class as the last element. Refused, with the reason: lookaround, backreferences, lazy and possessive repeats, anchors, open
repeats elsewhere, ``.``. Classes mean ASCII characters, as in ``re`` with bytes patterns.
"""

import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from typing import Any, NamedTuple

from flink_masking.errors import PolicyError

WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
ALL = frozenset(range(256))
LONGEST = 256
"""Most bytes that a pattern may look at from where it begins, an open repeat at its end not counted."""

_CLASSES = {
    codes.CATEGORY_DIGIT: frozenset(b"0123456789"),
    codes.CATEGORY_NOT_DIGIT: ALL - frozenset(b"0123456789"),
    codes.CATEGORY_WORD: WORD,
    codes.CATEGORY_NOT_WORD: ALL - WORD,
    codes.CATEGORY_SPACE: frozenset(b" \t\n\r\f\v"),
    codes.CATEGORY_NOT_SPACE: ALL - frozenset(b" \t\n\r\f\v"),
}
_REFUSED = {
    codes.ASSERT: "a lookaround", codes.ASSERT_NOT: "a lookaround", codes.GROUPREF: "a backreference",
    codes.GROUPREF_EXISTS: "a conditional group", codes.MIN_REPEAT: "a lazy repeat", codes.POSSESSIVE_REPEAT: "a possessive repeat",
    codes.ATOMIC_GROUP: "an atomic group", codes.ANY: "'.'",
}  # fmt: skip
_HINTS = {codes.ANY: "write the class of characters that is meant", codes.MIN_REPEAT: "a class that excludes the character after it"}


class Regex(NamedTuple):
    """A pattern as an automaton with empty moves.

    Attributes:
        moves: for each state (bytes, next state) or None; states have at most one.
        empty: for each state the states that are reached without a byte.
        start: the first state.
        end: the accepting state.
        before: whether the match begins where a word begins (``\\b``); without it the first byte is no word character.
        after: whether a word begins or ends where the match ends (``\\b``).
        tail: the bytes that go on a match as far as they come: the open repeat at the end; empty without one.
    """

    moves: list[tuple[frozenset[int], int] | None]
    empty: list[list[int]]
    start: int
    end: int
    before: bool
    after: bool
    tail: frozenset[int]


def read(pattern: str) -> Regex:
    """Compile one pattern.

    Args:
        pattern: a regular expression of the subset.

    Raises:
        PolicyError: it is no regular expression, or not of the subset; the message quotes nothing but the construct.
    """
    try:
        tree = parser.parse(pattern)
    except re.error as error:
        raise PolicyError(f"pattern: not a regular expression ({error.msg} at position {error.pos})") from None
    items = list(tree)
    flags = tree.state.flags
    if flags & ~(re.IGNORECASE | re.UNICODE | re.ASCII):
        raise _refusal("a flag other than (?i)", "remove it")
    before = bool(items) and items[0] == (codes.AT, codes.AT_BOUNDARY)
    after = len(items) > 1 and items[-1] == (codes.AT, codes.AT_BOUNDARY)
    items = items[before : len(items) - after]
    if not items:
        raise _refusal("an empty pattern", "write what to find")
    tail: frozenset[int] = frozenset()
    last, arguments = items[-1]
    if last is codes.MAX_REPEAT and arguments[1] is codes.MAXREPEAT and not after:
        tail = _one_class(arguments[2], flags)
        items[-1:] = list(arguments[2]) * arguments[0]
    builder = _Builder()
    start = builder.state()
    end = builder.sequence(items, start, flags)
    found = Regex(builder.moves, builder.empty, start, end, before, after, tail)
    _check_ends(found)
    return found


def _refusal(what: str, hint: str) -> PolicyError:
    return PolicyError(f"pattern: {what} cannot be searched for in linear time. Hint: {hint}")


def _one_class(items: Any, flags: int) -> frozenset[int]:
    """The bytes of an open repeat, which must be one class."""
    listed = list(items)
    if len(listed) == 1 and listed[0][0] in (codes.IN, codes.LITERAL, codes.NOT_LITERAL):
        code, value = listed[0]
        return _bytes(code, value, flags)
    raise _refusal("an open repeat of more than one character", "give the repeat an upper bound")


def _bytes(code: Any, value: Any, flags: int) -> frozenset[int]:
    """The bytes of one literal or class."""
    out: set[int] = set()
    negated = code is codes.NOT_LITERAL
    for kind, of in [(codes.LITERAL, value)] if code in (codes.LITERAL, codes.NOT_LITERAL) else value:
        if kind is codes.NEGATE:
            negated = True
        elif kind is codes.LITERAL:
            out.add(of)
        elif kind is codes.RANGE:
            out.update(range(of[0], of[1] + 1))
        else:
            out |= _CLASSES[of]
    if any(c > 127 for c in out) and not all(kind is codes.CATEGORY for kind, _ in (value if code is codes.IN else [])):
        raise _refusal("a character beyond ASCII inside a class", "write the characters as alternatives: (?:ä|ö)")
    if flags & re.IGNORECASE:
        out |= {ord(chr(c).swapcase()) for c in out if c < 128}
    return ALL - out if negated else frozenset(out)


class _Builder:
    """Thompson's construction."""

    def __init__(self) -> None:
        self.moves: list[tuple[frozenset[int], int] | None] = []
        self.empty: list[list[int]] = []

    def state(self) -> int:
        if len(self.moves) > 20_000:
            raise _refusal("a pattern of this size", "use smaller bounds of repeats")
        self.moves.append(None)
        self.empty.append([])
        return len(self.moves) - 1

    def move(self, at: int, bytes_: frozenset[int]) -> int:
        if self.moves[at] is not None or self.empty[at]:
            between = self.state()
            self.empty[at].append(between)
            at = between
        end = self.state()
        self.moves[at] = (bytes_, end)
        return end

    def sequence(self, items: Any, at: int, flags: int) -> int:
        """Add items from a state on; the result is the state after them."""
        for code, value in items:
            at = self.item(code, value, at, flags)
        return at

    def item(self, code: Any, value: Any, at: int, flags: int) -> int:
        if code is codes.LITERAL and value > 127:
            for byte in chr(value).encode():
                at = self.move(at, frozenset([byte]))
            return at
        if code in (codes.LITERAL, codes.NOT_LITERAL, codes.IN):
            return self.move(at, _bytes(code, value, flags))
        if code is codes.SUBPATTERN:
            _, add, remove, inner = value
            return self.sequence(inner, at, (flags | add) & ~remove)
        if code is codes.BRANCH:
            end = self.state()
            for alternative in value[1]:
                first = self.state()
                self.empty[at].append(first)
                self.empty[self.sequence(alternative, first, flags)].append(end)
            return end
        if code is codes.MAX_REPEAT:
            low, high, inner = value
            return self.repeat(low, high, inner, at, flags)
        if code is codes.AT:
            raise _refusal("a boundary or anchor inside", "use \\b as the first or last element only, outside of groups")
        raise _refusal(_REFUSED.get(code, "this construct"), _HINTS.get(code, "write the pattern without it"))

    def repeat(self, low: int, high: Any, items: Any, at: int, flags: int) -> int:
        if high is codes.MAXREPEAT or high > LONGEST:
            raise _refusal("an open repeat before the end", f"give it an upper bound, at most {LONGEST}")
        for _ in range(low):
            at = self.sequence(items, at, flags)
        if high == low:
            return at
        end = self.state()
        for _ in range(high - low):
            first, between = self.state(), self.state()
            self.empty[at] += [first, end]
            self.empty[self.sequence(items, first, flags)].append(between)
            at = between
        self.empty[at].append(end)
        return end


def closure(found: Regex, states: list[int]) -> set[int]:
    """States that are reached from some without a byte, themselves included."""
    reached, todo = set(states), list(states)
    while todo:
        for state in found.empty[todo.pop()]:
            if state not in reached:
                reached.add(state)
                todo.append(state)
    return reached


def _check_ends(found: Regex) -> None:
    """Refuse what matches nothing, looks too far, or begins in the middle of a word."""
    first = closure(found, [found.start])
    if found.end in first:
        raise _refusal("a pattern that matches the empty text", "ask for one character at least")
    for state in first:
        move = found.moves[state]
        if move is not None and not (move[0] <= WORD if found.before else move[0].isdisjoint(WORD)):
            raise _refusal("a pattern that begins inside a word",
                           "begin it with \\b and a letter, digit or _, or without \\b and with another character")
    reached, steps = first, 0
    while any(found.moves[state] for state in reached):
        steps += 1
        if steps > LONGEST:
            raise _refusal(f"a pattern longer than {LONGEST} characters", "use smaller bounds of repeats")
        reached = closure(found, [move[1] for state in reached if (move := found.moves[state])])
