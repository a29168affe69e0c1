"""Which bytes of a column of texts are replaced: findings, denied texts and unknown names, joined where they overlap."""

import re
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import parts, strings
from flink_masking.detect.lists import read, words

DENIED, NAME, STAYS = -1, -2, -3
"""Kinds besides the numbers of types: a denied text, an unknown name, and what stays."""
_LETTER, _CAPITAL, _JOINS, _STOP, _BLANK = 1, 2, 4, 8, 16
_PLANES = 0x20000


class Spans(NamedTuple):
    """Spans of a column, ordered and without overlap.

    Attributes:
        kinds: int64, k: numbers of types of data, or DENIED, NAME, STAYS.
        starts: int64, k: bytes of the column's data.
        ends: int64, k.
    """

    kinds: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def take(self, chosen: np.ndarray) -> "Spans":
        """Some of the spans, by a mask or by indices."""
        return Spans(*(column[chosen] for column in self))


NONE = Spans(*(np.zeros(0, np.int64) for _ in range(3)))


def between(text: pa.StringArray, starts: np.ndarray, ends: np.ndarray) -> pa.StringArray:
    """The texts of k spans of a column; `starts` and `ends` ascend without overlap."""
    edges = np.empty(2 * len(starts) + 1, np.int32)
    edges[:-1:2], edges[1::2] = starts, ends
    edges[-1] = ends[-1] if len(ends) else 0
    pieces = pa.StringArray.from_buffers(2 * len(starts), pa.py_buffer(edges), _data(text))
    return pieces.take(pa.array(np.arange(0, 2 * len(starts), 2)))


def _data(text: pa.StringArray) -> pa.Buffer:
    return text.buffers()[2] or pa.py_buffer(b"")


def denial(texts: tuple[str, ...]) -> Callable[[pa.StringArray], Spans]:
    """What finds these texts, without regard to case; longer ones go first."""
    pattern = "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))
    return partial(_denied, texts, re.compile(pattern, re.IGNORECASE))


def _denied(texts: tuple[str, ...], pattern: re.Pattern[str], text: pa.StringArray) -> Spans:
    holds = np.zeros(len(text), bool)
    for one in texts:
        holds |= pc.match_substring(text, one, ignore_case=True).fill_null(False).to_numpy(zero_copy_only=False)
    offsets, found = parts(text).offsets, []
    for row in np.flatnonzero(holds).tolist():  # only values that hold one
        value, base = text[row].as_py(), int(offsets[row])
        for match in pattern.finditer(value):
            start = base + len(value[: match.start()].encode())
            found.append((DENIED, start, start + len(match[0].encode())))
    return Spans(*np.array(found, np.int64).reshape(-1, 3).T)


def joined(own: Spans, denied: Spans) -> Spans:
    """Findings and denied texts; where they overlap, all that they cover is denied."""
    if not len(denied.starts):
        return own
    both = Spans(*(np.concatenate(pair) for pair in zip(own, denied, strict=True)))
    both = both.take(np.lexsort((both.ends, both.starts)))
    reach = np.maximum.accumulate(both.ends)
    first = np.flatnonzero(np.concatenate([[True], both.starts[1:] >= reach[:-1]]))
    kinds = np.where(np.logical_or.reduceat(both.kinds == DENIED, first), DENIED, both.kinds[first])
    return Spans(kinds, both.starts[first], np.maximum.reduceat(both.ends, first))


@cache
def _classes() -> np.ndarray:
    """uint8, what each code point is: part of a word, a capital, between the words of a name; beyond two planes: 0."""
    classes = np.zeros(_PLANES, np.uint8)
    for point in range(_PLANES):
        character = chr(point)
        if character.isalpha() or 0x300 <= point < 0x370:
            classes[point] = _LETTER | (_CAPITAL if character.isupper() or character.istitle() else 0)
    classes[[ord(character) for character in "-'’‑"]] = _JOINS
    classes[[ord(character) for character in " \u00a0"]] = _BLANK
    classes[ord(".")] = _STOP
    return classes


@cache
def _common() -> pa.StringArray:
    """Words that are no names by themselves, in small letters."""
    return strings(sorted({word for word in (*read("common"), *words.COMMON) if " " not in word}))


def unknown_names(text: pa.StringArray, taken: Spans) -> Spans:
    """Runs of capitalised words outside of `taken`, of which one at least is no common word.

    Words are letters; those of a run are joined by a blank, a hyphen, an apostrophe, or a full stop and a blank after an initial.
    """
    data, offsets, _ = parts(text)
    base, end = int(offsets[0]), int(offsets[-1])
    points = np.frombuffer(data[base:end].tobytes().decode("utf-8", "surrogateescape").encode("utf-32-le", "surrogatepass"), np.uint32)
    if not len(points):
        return NONE
    width = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    width[(points >= 0xDC80) & (points < 0xDD00)] = 1  # a byte that is no UTF-8
    places = np.concatenate([[0], np.cumsum(width)]) + base
    classes = _classes()[np.minimum(points, _PLANES - 1)]
    index = partial(np.searchsorted, places)
    covered = np.zeros(len(points) + 1, np.int64)
    np.add.at(covered, index(taken.starts), 1)
    np.add.at(covered, index(taken.ends), -1)
    classes[np.cumsum(covered[:-1]) > 0] = 0
    letter = classes & _LETTER != 0
    breaks = np.zeros(len(points) + 1, bool)
    breaks[index(offsets)] = True
    before = np.concatenate([[False], letter[:-1]]) & ~breaks[:-1]
    after = np.concatenate([letter[1:], [False]]) & ~breaks[1:]
    first, last = np.flatnonzero(letter & ~before), np.flatnonzero(letter & ~after) + 1
    capital = classes[first] & _CAPITAL != 0
    first, last = first[capital], last[capital]
    if not len(first):
        return NONE
    cut = np.cumsum(breaks)
    gap, single = first[1:] - last[:-1], last[:-1] - first[:-1] == 1
    one = classes[last[:-1]] & (_JOINS | _BLANK) != 0
    two = single & (classes[last[:-1]] & _STOP != 0) & (classes[np.minimum(last[:-1] + 1, len(points) - 1)] & _BLANK != 0)
    goes_on = (((gap == 1) & one) | ((gap == 2) & two)) & (cut[first[1:]] == cut[first[:-1]])
    runs = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    starts, ends = places[first], places[last]
    common = pc.is_in(pc.utf8_lower(between(text, starts, ends)), _common()).to_numpy(zero_copy_only=False)
    stops = np.concatenate([runs[1:], [len(first)]]) - 1
    unknown = ~np.logical_and.reduceat(common, runs)
    starts, ends = starts[runs][unknown], ends[stops][unknown]
    return Spans(np.full(len(starts), NAME), starts, ends)


def merged(one: Spans, other: Spans) -> Spans:
    """Two sets of spans that do not overlap, in order."""
    both = Spans(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))
    return both.take(np.argsort(both.starts, kind="stable"))
