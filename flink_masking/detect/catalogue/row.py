"""One row of the table of types: patterns with their checks and scores, key names, words around a value."""

from typing import NamedTuple


class Pattern(NamedTuple):
    """A form that values of a type have.

    Attributes:
        regex: of the subset that `flink_masking.detect.regex` reads.
        check: the name of a check of `checks_kernels`, or "" for none: every match is WEAK.
        weak: confidence, 0 to 100, where the check says WEAK.
        strong: confidence where it says STRONG.
        context: confidence where key name or a word before the value says the same type.
        alone: most confidence, without context, where the value holds nothing else.
        part: which part of the match is the value: "" all of it, "digits" its digits, "second" what comes after its first space,
            "pem" up to the last line of a private key, "groups" the IBAN that begins with it.
        case: whether the pattern tells capitals from small letters.
    """

    regex: str
    check: str = ""
    weak: int = 0
    strong: int = 0
    context: int = 90
    alone: int = 100
    part: str = ""


class Row(NamedTuple):
    """A type of personal or secret data.

    Attributes:
        name: in capitals, as it stands in the place of a value: ``<EMAIL>``.
        category: one of `CATEGORIES`.
        country: ISO 3166 code, or "" where the type is of no country.
        summary: one line for the documentation.
        patterns: forms of values.
        keys: names of members, as phrases of small letters: "phone number" is ``phoneNumber``, ``phone_number`` and ``PHONE-NUMBER``.
        words: words before a value, in small letters, in several languages; keys count as well.
        keyed: what a value must look like when only its key says the type: a rule of `keyed_kernels`, "" for never.
        keyed_score: confidence then.
    """

    name: str
    category: str
    summary: str
    patterns: tuple[Pattern, ...] = ()
    keys: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    country: str = ""
    keyed: str = ""
    keyed_score: int = 80


CATEGORIES = ("person", "contact", "place", "device", "finance", "identity", "health", "secret")
