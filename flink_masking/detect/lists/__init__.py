"""Lists of names, places and words, as one hash table that kernels probe."""

import functools
import gzip
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from flink_masking.detect.lists import words
from flink_masking.detect.tokens_kernels import (
    BEGINS,
    CITY,
    COMMON,
    COMPANY,
    COUNTRY,
    CUE,
    FIRST,
    LAST,
    NATIONALITY,
    PARTICLE,
    STATE,
    STREET,
    TITLE,
    UNIT,
    WHERE,
)
from flink_masking.detect.words_kernels import hash_words

_FILES = {"first": FIRST, "last": LAST, "cities": CITY, "countries": COUNTRY, "common": COMMON}


def hashes(texts: list[str]) -> np.ndarray:
    """The hash of each text, uint64."""
    raw = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, raw)]).astype(np.int64)
    out = np.empty(len(raw), np.uint64)
    hash_words(np.frombuffer(b"".join(raw) or b"\0", np.uint8).copy(), offsets, out)
    return out


def table(values: dict[str, int]) -> np.ndarray:
    """A hash table of words, for `cells_kernels.found`.

    Args:
        values: for each word, in small letters, its value, 1 to 65,535.

    Returns:
        uint32, big-endian.
    """
    listed: defaultdict[str, int] = defaultdict(int)
    for word, of in values.items():
        # Kernels know small letters of ASCII and Latin-1; words with others are listed in each form.
        for form in {word} if all(ord(c) < 256 for c in word) else {word, word.title(), word.upper()}:
            listed[form] |= of
    return hashed(hashes(list(listed)), np.array(list(listed.values()), np.uint64))


def hashed(keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A hash table, for `cells_kernels.found`.

    Args:
        keys: uint64 hashes; the values of equal ones are joined bit by bit.
        values: uint64, 1 to 65,535.

    Returns:
        uint32, big-endian.
    """
    unique, which = np.unique(keys, return_inverse=True)
    joined = np.zeros(len(unique), np.uint64)
    np.bitwise_or.at(joined, which, values)
    places = 1 << max(4, (2 * len(unique)).bit_length())
    entries = ((unique >> np.uint64(48)) << np.uint64(16)) | joined
    out = np.zeros(places, np.uint64)
    pending, at = np.arange(len(unique)), (unique & np.uint64(places - 1)).astype(np.int64)
    while len(pending):  # linear probing, all keys one step at a time
        free = out[at[pending]] == 0
        out[at[pending[free]]] = entries[pending[free]]
        pending = pending[out[at[pending]] != entries[pending]]
        at[pending] = (at[pending] + 1) & (places - 1)
    return np.concatenate([[places - 1, 0], out.astype(np.uint32)]).astype(">u4").view(np.uint32)


def read(name: str) -> list[str]:
    """The lines of a list beside this module."""
    return gzip.decompress((Path(__file__).parent / f"{name}.txt.gz").read_bytes()).decode().split("\n")[:-1]


@functools.cache
def names() -> tuple[np.ndarray, np.ndarray]:
    """The table of all lists, and the table of the words of `words` alone; names of several words have them joined by single spaces."""
    bits: defaultdict[str, int] = defaultdict(int)

    def put(listed: Iterable[str], bit: int) -> None:
        for word in listed:
            bits[word] |= bit

    for listed, bit in ((words.TITLES, TITLE), (words.STREETS, STREET), (words.COMPANIES, COMPANY), (words.PARTICLES, PARTICLE),
                        (words.NATIONALITIES, NATIONALITY), (words.CUES, CUE), (words.UNITS, UNIT), (words.STATES, STATE),
                        (words.WHERE, WHERE), (words.COMMON, COMMON), (words.COUNTRIES, COUNTRY)):
        put(listed, bit)
    put((f"-{ending}" for ending in words.STREET_ENDINGS), STREET)
    put((f"-{ending[-2:]}" for ending in words.STREET_ENDINGS if ending[-2:].isascii()), STREET)  # `street_word` looks at these first
    few = table({word: of for word, of in bits.items() if of & ~(COMMON | COUNTRY | NATIONALITY | STATE)})
    for name, bit in _FILES.items():
        put(read(name), bit)
    for name in [name for name in bits if " " in name]:
        bits[name.partition(" ")[0]] |= BEGINS
    return table(dict(bits)), few
