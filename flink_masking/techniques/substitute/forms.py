"""What substitutes are made of: a form is a row of parts, each drawn from a pool of its own or computed from other parts."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

WORDS = 8
"""32-bit words of randomness that a value has: a form draws at most so many parts."""


class Part(NamedTuple):
    """One part of a form.

    Attributes:
        entries: the texts that it can be, all different; a single one is a constant.
        computed: for check digits: index into `entries` from the indices of all parts (one array each, of other computed parts only
            those further right); None when the part is drawn.
    """

    entries: tuple[str, ...]
    computed: Callable[[Sequence[np.ndarray]], np.ndarray] | None = None


Form = tuple[Part, ...]


def constant(text: str) -> Part:
    """Always this text."""
    return Part((text,))


def one_of(*texts: str) -> Part:
    """One of these texts."""
    return Part(texts)


@cache
def digits(count: int) -> Part:
    """So many digits; the index is their value."""
    return Part(tuple(f"{number:0{count}}" for number in range(10**count)))


@cache
def numbers(first: int, last: int) -> Part:
    """A number without leading zeros."""
    return Part(tuple(str(number) for number in range(first, last + 1)))


def indices(form: Form, words: np.ndarray, turned: np.ndarray | None = None) -> list[np.ndarray]:
    """For each part the index of its entry.

    Args:
        form: m parts.
        words: uint32, shape (n, WORDS), uniform.
        turned: bool, n: where true the first drawn part takes its next entry instead, so that the whole differs.

    Returns:
        m int64 arrays of length n; drawn ones are uniform up to 2^-18.
    """
    made = [np.zeros(len(words), np.int64) for _ in form]
    used = 0
    for place, part in enumerate(form):
        size = len(part.entries)
        if part.computed is None and size > 1:
            made[place] = (words[:, used].astype(np.uint64) * np.uint64(size) >> np.uint64(32)).astype(np.int64)
            if turned is not None and used == 0:
                made[place] = np.where(turned, (made[place] + 1) % size, made[place])
            used += 1
    return _completed(form, made)


def _completed(form: Form, made: list[np.ndarray]) -> list[np.ndarray]:
    """Fill in the computed parts, from the right."""
    for place in range(len(form) - 1, -1, -1):
        computed = form[place].computed
        if computed is not None:
            made[place] = computed(made)
    return made


def contains(form: Form, text: str, found: tuple[int, ...] = ()) -> bool:
    """Whether a text is one that the form can make, check digits included."""
    if len(found) == len(form):
        made = [np.array([index]) for index in found]
        return text == "" and found == tuple(int(index[0]) for index in _completed(form, made))
    entries = form[len(found)].entries
    return any(text.startswith(e) and contains(form, text[len(e) :], (*found, k)) for k, e in enumerate(entries))


def numeric(form: Form) -> Form:
    """The form with nothing but the digits of each part: how a number is put in the place of a number."""
    return tuple(part._replace(entries=tuple("".join(filter(str.isdigit, entry)) for entry in part.entries)) for part in form)
