"""Alphabets of format-preserving encryption: which characters there are, and which number each one has."""

import string
import unicodedata
from difflib import get_close_matches
from typing import NamedTuple

from flink_masking.errors import PolicyError

NAMED = {
    "digits": string.digits,
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "letters": string.ascii_uppercase + string.ascii_lowercase,
    "alphanumeric": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "hex": string.digits + "abcdef",
}
"""The alphabets that have a name, all of them ASCII, in ASCII order."""


class Alphabet(NamedTuple):
    """The characters that are encrypted; the number of a character is its place.

    Attributes:
        characters: each one code point, in NFC, none twice.
    """

    characters: str

    @property
    def radix(self) -> int:
        """How many characters there are."""
        return len(self.characters)


def alphabet(text: str) -> Alphabet:
    """The alphabet of a name, or one of the text's own characters.

    Args:
        text: a name of `NAMED`, or 2 to 65536 different characters, which are brought into Unicode's normal form NFC first.

    Raises:
        PolicyError: fewer or more characters; a character that comes twice; a combining mark, conjoining Hangul letter, control or
            unassigned character, which would not stay the same beside others; a text that looks like a name.

    >>> alphabet("hex").characters
    '0123456789abcdef'
    >>> alphabet("hexx")
    Traceback (most recent call last):
    flink_masking.errors.PolicyError: unknown alphabet. Hint: did you mean 'hex'?
    """
    if text in NAMED:
        return Alphabet(NAMED[text])
    if near := get_close_matches(text.lower(), NAMED, 1, 0.8):
        raise PolicyError(f"unknown alphabet. Hint: did you mean {near[0]!r}?")
    characters = unicodedata.normalize("NFC", text)
    if not 2 <= len(characters) <= 1 << 16:
        raise PolicyError(f"an alphabet of {len(characters)} characters. Hint: 2 to 65536 characters, or one of {', '.join(NAMED)}")
    if len(set(characters)) < len(characters):
        raise PolicyError(f"an alphabet in which a character comes twice. Hint: each once, or one of {', '.join(NAMED)}")
    if any(unicodedata.category(character)[0] in "MC" or _joins(character) for character in characters):
        raise PolicyError("an alphabet with a combining, control or unassigned character. Hint: letters, digits and signs that stand alone")
    return Alphabet(characters)


def separates(character: str) -> bool:
    """Whether a character outside an alphabet may stay in clear between encrypted ones: punctuation, a space, or a symbol.

    Anything else says something itself, or could combine with its neighbour: the letters of ``Smith 1234567`` and the digits ``١٢`` are
    no separators of the alphabet ``digits``. Neither are pictographs, among which there are circled letters, flags, Braille and radicals;
    symbols are those of mathematics and currencies, and modifiers.

    >>> [separates(character) for character in "- €aé½Ⓢ"]
    [True, True, True, False, False, False, False]
    """
    category = unicodedata.category(character)
    return category[0] in "PZ" or category in ("Sc", "Sk", "Sm")


def _joins(character: str) -> bool:
    """Whether it is a Hangul vowel or final consonant that combines with the letter before it."""
    return 0x1160 <= ord(character) <= 0x11FF
