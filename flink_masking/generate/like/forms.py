"""Forms of texts: which characters are digits and letters, and texts of the same form."""

import datetime
import random
import re

_KEPT = frozenset("-_./:+ #@,()[]{}=&?%*|~$!;<>\\'\"")
LONGEST = 120
"""Characters of a form; what is longer is generated as a text of words."""
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_DATE = re.compile(r"(\d{4})-?(\d\d)?")
_ZONE = re.compile(r"[+-]99:?99$")


def form_of(text: str, times: bool = False) -> str:
    """The form of a text: ``9`` for a digit, ``A`` and ``a`` for letters, punctuation as it is; of a time T and Z stay.

    >>> form_of("SKU-12 é"), form_of("2024-03-15T10:00:00Z", times=True)
    ('AAA-99 a', '9999-99-99T99:99:99Z')
    """
    return "".join(
        "9" if c in "0123456789" else c if (times and c in "TZtz") or c in _KEPT else "A" if c.isupper() else "a" if c.isalpha() else "-"
        for c in text[:LONGEST])


def filled(form: str, draw: random.Random) -> str:
    """A text of a form: letters make syllables, a number does not begin with 0."""
    out, turn = [], 0
    for k, c in enumerate(form):
        if c == "9":
            first = k == 0 or form[k - 1] != "9"
            out.append(draw.choice("123456789" if first else "0123456789"))
        elif c in "Aa":
            letter = draw.choice(_VOWELS if turn else _CONSONANTS)
            turn = 1 - turn
            out.append(letter.upper() if c == "A" else letter)
        else:
            out.append(c)
    return "".join(out)


def words(size: int, draw: random.Random) -> str:
    """A text of invented words of about so many characters."""
    out: list[str] = []
    length = 0
    while length < size:
        word = filled("a" * draw.randrange(2, 9), draw)
        out.append(word)
        length += len(word) + 1
    return " ".join(out)


def moment(form: str, months: tuple[int, int], draw: random.Random) -> str:
    """A date, a time or both, in the form that ISO 8601 gives it: every group of digits gets its part; zones are UTC.

    Args:
        form: of the text.
        months: the first and the last month, counted from the year 0.
        draw: random numbers.
    """
    month = draw.randrange(months[0], months[1] + 1)
    time = f"{draw.randrange(24):02}{draw.randrange(60):02}{draw.randrange(60):02}"
    digits = f"{month // 12:04}{month % 12 + 1:02}{draw.randrange(1, 29):02}{time}"
    if form.startswith("99:"):
        digits = digits[8:]
    body, zone = form, ""
    if found := _ZONE.search(form[10:]):
        body, zone = form[: 10 + found.start()], found[0].replace("9", "0")
    out, at = [], 0
    for c in body:
        if c == "9":
            out.append(digits[at] if at < len(digits) else str(draw.randrange(10)))
            at += 1
        else:
            out.append(c)
    return "".join(out) + zone


def month_of(text: str, unit: int | None) -> int | None:
    """The month of a date, or of a time in so many units a second since 1970, counted from the year 0; None where there is none."""
    if unit is not None:
        day = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(text) // unit)
        return 12 * day.year + day.month - 1
    found = _DATE.match(text)
    return 12 * int(found[1]) + min(12, max(1, int(found[2] or 1))) - 1 if found else None
