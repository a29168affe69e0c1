"""Alphabets as arrays of code points, and columns of text in the normal form that alphabets are in."""

import unicodedata
from functools import cache

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.crypto.alphabet import Alphabet, separates

OUTSIDE = -1
"""Stands for a character without a number."""

UNICODE = 0x110000


def points(alphabet: Alphabet) -> np.ndarray:
    """The code point of each number: int32."""
    return np.array([ord(character) for character in alphabet.characters], np.int32)


def table(alphabet: Alphabet) -> np.ndarray:
    """The number of each code point, `OUTSIDE` where it has none: int32, up to the largest of the alphabet, at least 128."""
    own = points(alphabet)
    found = np.full(max(128, int(own.max()) + 1), OUTSIDE, np.int32)
    found[own] = np.arange(len(own), dtype=np.int32)
    return found


def normalised(text: pa.StringArray) -> tuple[pa.StringArray, bool]:
    """The texts in Unicode's normal form NFC, in which alphabets are, and whether any has a character beyond ASCII."""
    data, offsets, _ = parts(text)
    used = data[offsets[0] : offsets[-1]]
    if not len(used) or used.max() < 128:
        return text, False
    # Whole first: a part of a normalised text is normalised. pyarrow.compute.utf8_normalize is no help, its NFC decomposes.
    if unicodedata.is_normalized("NFC", used.tobytes().decode("utf-8", "replace")):
        return text, True
    values = [value if value is None or value.isascii() else unicodedata.normalize("NFC", value) for value in text.to_pylist()]
    return pa.array(values, pa.string()), True


@cache
def foreign() -> np.ndarray:
    """For each code point whether it is no separator (see `separates`): uint8."""
    return np.array([not separates(chr(point)) for point in range(UNICODE)], np.uint8)
