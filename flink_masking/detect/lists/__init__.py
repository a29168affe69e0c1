"""Lists of names, places and words, as one hash table that kernels probe."""

import functools
import gzip
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from flink_masking.detect.lists import words
from flink_masking.detect.tokens_kernels import (
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
)
from flink_masking.detect.words_kernels import fill, hash_words

_FILES = {"first": FIRST, "last": LAST, "cities": CITY, "countries": COUNTRY, "common": COMMON}


def hashes(texts: list[str]) -> np.ndarray:
    """The hash of each text, uint64."""
    raw = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, raw)]).astype(np.int64)
    out = np.empty(len(raw), np.uint64)
    hash_words(np.frombuffer(b"".join(raw) or b"\0", np.uint8).copy(), offsets, out)
    return out


def table(bits: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """A hash table of words.

    Args:
        bits: for each word, in small letters, its bits, below 2^16.

    Returns:
        uint64 hashes, a power of two of them, half or more of them 0; uint16 bits.
    """
    listed: defaultdict[str, int] = defaultdict(int)
    for word, of in bits.items():
        # Kernels know small letters of ASCII and Latin-1; words with others are listed in each form.
        for form in {word} if all(ord(c) < 256 for c in word) else {word, word.title(), word.upper()}:
            listed[form] |= of
    size = 1 << max(4, (2 * len(listed)).bit_length())
    keys, values = np.zeros(size, np.uint64), np.zeros(size, np.uint16)
    fill(hashes(list(listed)), np.array(list(listed.values()), np.uint16), keys, values)
    return keys, values


def read(name: str) -> list[str]:
    """The lines of a list beside this module."""
    return gzip.decompress((Path(__file__).parent / f"{name}.txt.gz").read_bytes()).decode().split("\n")[:-1]


@functools.cache
def names() -> tuple[np.ndarray, np.ndarray]:
    """The table of all lists; names of several words have their words joined by single spaces."""
    bits: defaultdict[str, int] = defaultdict(int)

    def put(listed: Iterable[str], bit: int) -> None:
        for word in listed:
            bits[word] |= bit

    for name, bit in _FILES.items():
        put(read(name), bit)
    for listed, bit in ((words.TITLES, TITLE), (words.STREETS, STREET), (words.COMPANIES, COMPANY), (words.PARTICLES, PARTICLE),
                        (words.NATIONALITIES, NATIONALITY), (words.CUES, CUE), (words.UNITS, UNIT), (words.STATES, STATE),
                        (words.COMMON, COMMON), (words.COUNTRIES, COUNTRY)):
        put(listed, bit)
    put((f"-{ending}" for ending in words.STREET_ENDINGS), STREET)
    return table(dict(bits))
