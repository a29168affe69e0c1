"""Which bytes of a column of texts are replaced: findings, denied texts and unknown names, joined where they overlap."""

import re
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import parts
from flink_masking.detect.lists import hashes, read, words
from flink_masking.techniques.redact_text.kernels import BLANK, CAPITAL, FULL, JOINS, LETTER, PLANES, STOP, unknown_runs

DENIED, NAME, STAYS = -1, -2, -3
"""Kinds besides the numbers of types: a denied text, an unknown name, and what stays."""


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
        value, place, read = text[row].as_py(), int(offsets[row]), 0  # bytes and characters that are counted already
        for match in pattern.finditer(value):
            start = place + len(value[read : match.start()].encode())
            place, read = start + len(match[0].encode()), match.end()
            found.append((DENIED, start, place))
    return Spans(*np.array(found, np.int64).reshape(-1, 3).T)


def joined(own: Spans, more: Spans) -> Spans:
    """Two sets of spans as one; what overlaps becomes one span, which is denied where one of them is, and stays where all do."""
    if not len(more.starts):
        return own
    both = Spans(*(np.concatenate(pair) for pair in zip(own, more, strict=True)))
    both = both.take(np.lexsort((both.ends, both.starts)))
    reach = np.maximum.accumulate(both.ends)
    first = np.flatnonzero(np.concatenate([[True], both.starts[1:] >= reach[:-1]]))
    kinds = np.where(np.logical_or.reduceat(both.kinds == DENIED, first), DENIED, np.maximum.reduceat(both.kinds, first))
    return Spans(kinds, both.starts[first], np.maximum.reduceat(both.ends, first))


@cache
def _classes() -> np.ndarray:
    """uint8, what each code point is, see `kernels.LETTER`; of the last one, which stands for all beyond, 0."""
    classes = np.zeros(PLANES, np.uint8)
    for point in range(PLANES - 1):
        character = chr(point)
        if character.isalpha() or 0x300 <= point < 0x370:
            classes[point] = LETTER | (CAPITAL if character.isupper() or character.istitle() else 0)
    classes[[ord(character) for character in "-'’‑"]] = JOINS
    classes[[ord(character) for character in " \u00a0"]] = BLANK
    classes[ord(".")] = STOP
    return classes


@cache
def _common() -> np.ndarray:
    """Hashes of words that are no names by themselves, uint64: a table for `kernels.listed`."""
    listed = {form for word in (*read("common"), *words.COMMON) if " " not in word for form in (word, word.title(), word.upper())}
    table = np.zeros(1 << (4 * len(listed)).bit_length(), np.uint64)
    for h in hashes(sorted(listed)).tolist():
        k = h & (len(table) - 1)
        while table[k] not in (0, h):
            k = (k + 1) & (len(table) - 1)
        table[k] = h
    return table


def unknown_names(text: pa.StringArray, taken: Spans) -> Spans:
    """Runs of capitalised words outside of `taken`, of which one at least is no common word.

    Words are letters; those of a run are joined by a blank, a hyphen, an apostrophe, or a full stop and a blank after an initial.
    """
    data, offsets, _ = parts(text)
    room = 1024 + int(offsets[-1] - offsets[0]) // 16
    while True:
        starts, ends = np.empty(room, np.int64), np.empty(room, np.int64)
        count = unknown_runs(data, offsets, taken.starts, taken.ends, _classes(), _common(), starts, ends)
        if count != FULL:
            return Spans(np.full(count, NAME), starts[:count].copy(), ends[:count].copy())
        room *= 2


def merged(one: Spans, other: Spans) -> Spans:
    """Two sets of spans that do not overlap, in order."""
    both = Spans(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))
    return both.take(np.argsort(both.starts, kind="stable"))
