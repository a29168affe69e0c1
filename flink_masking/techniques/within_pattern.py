"""Cuts a regular expression at its only group, so that what matches around the group can be kept."""

from typing import NamedTuple

HINT = r"Hint: one group ( ) that is not repeated, outside of other brackets and of |, such as 'Patient/([^/]+)'; (?: ) is no group"


class Cut(NamedTuple):
    """A regular expression in three parts.

    Attributes:
        head: in front of the group.
        group: what the group holds.
        tail: behind it.
    """

    head: str
    group: str
    tail: str


def cut_at_group(pattern: str) -> Cut:
    r"""The parts of a pattern in front of, in and behind its only group.

    Args:
        pattern: as RE2 reads it.

    Raises:
        ValueError: no group, several, or one whose place in a match is not the same for every match.

    >>> cut_at_group(r"Patient/([^/)]+)(?:/_history/\d+)?")
    Cut(head='Patient/', group='[^/)]+', tail='(?:/_history/\\d+)?')
    """
    depth, inside, first, last, p = 0, -1, -1, -1, 0
    while p < len(pattern):
        c = pattern[p]
        if c == "\\":
            if pattern[p + 1 : p + 2] == "Q":
                raise ValueError(rf"pattern: \Q is not taken. {HINT}")
            p += 2
            continue
        if c == "[":
            p = _behind_class(pattern, p)
            continue
        if c == "(":
            if not pattern.startswith("(?", p):
                if first >= 0 or depth:
                    raise ValueError(f"pattern: more than one group, or one in brackets. {HINT}")
                first, inside = p, 0
            elif pattern.startswith(("(?P<", "(?<"), p):
                raise ValueError(f"pattern: groups with a name are not taken. {HINT}")
            elif pattern[p + 2 : p + 3] != ":" and (p or ")" not in pattern or ":" in pattern[: pattern.index(")")]):
                raise ValueError(f"pattern: flags are taken at the beginning only. {HINT}")
            depth += 1
        elif c == ")":
            depth -= 1
            if depth == inside and last < 0 and first >= 0:
                last = p
        elif c == "|" and depth == 0:
            raise ValueError(f"pattern: | outside of brackets. {HINT}")
        p += 1
    if first < 0 or last < 0:
        raise ValueError(f"pattern: no group says which part is meant. {HINT}")
    if pattern[last + 1 : last + 2] in ("*", "+", "?", "{"):
        raise ValueError(f"pattern: the group is repeated, or may be missing. {HINT}")
    return Cut(pattern[:first], pattern[first + 1 : last], pattern[last + 1 :])


def _behind_class(pattern: str, p: int) -> int:
    """The position behind a class of characters ``[…]`` that begins at p."""
    p += 1
    p += pattern.startswith("^", p)
    p += pattern.startswith("]", p)
    while p < len(pattern) and pattern[p] != "]":
        if pattern.startswith("[:", p) and ":]" in pattern[p:]:
            p = pattern.index(":]", p) + 2
        else:
            p += 2 if pattern[p] == "\\" else 1
    return p + 1
