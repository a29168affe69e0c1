"""How many digits of a card number results tell: the rule is tried on numbers of all lengths, in all spellings, and within texts.

Limits are those of the PCI SSC's FAQ 1091 about truncation: of 16 digits the first eight and the last four, of any other length the first
six and the last four. A number of 15 digits (American Express) with eight and four would hide three only.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from itertools import groupby, pairwise, takewhile

from flink_masking.compliance.probe import results
from flink_masking.compliance.subject import Showing

_ISSUERS = {13: ("4", "5018", "6304"), 14: ("30", "36", "38"), 15: ("34", "37"),
            16: ("4", "51", "2221", "6011", "35", "62"), 17: ("5018", "6304", "6759"), 18: ("5018", "6304", "62"), 19: ("4", "62", "6304")}
"""By length of a card number what it can begin with."""
_EACH = 8
"""Numbers that are tried for each issuer: so many have a digit in common by chance once in 10**8 times."""
_SPELLED = ("", " ", "-")
"""What groups of digits are set apart by."""
_GROUPS = {14: (4, 10), 15: (4, 10)}
"""By length, where groups end that are not of four digits each."""
_AROUND = ("{}", "paid with {} today", "card: {}, please charge it")


def limits(length: int) -> tuple[int, int]:
    """How many digits of a card number may be shown: at the start and at the end."""
    return (8 if length == 16 else 6), 4


@cache
def numbers(length: int, issuer: str) -> tuple[str, ...]:
    """Card numbers that begin with `issuer`, drawn once and for all, with valid check digits."""
    found = []
    for at in range(_EACH):
        drawn = str(int(sha256(f"{issuer} {length} {at}".encode()).hexdigest(), 16))
        body = (issuer + drawn)[: length - 1]
        doubled = (sum(divmod(2 * int(c), 10)) if place % 2 == 0 else int(c) for place, c in enumerate(reversed(body)))
        found.append(body + str(-sum(doubled) % 10))
    return tuple(found)


def card_digits(one: Showing, length: int = 16) -> tuple[int, int, int] | None:
    """Most digits of a card number that stay where they were: at the start, at the end, and between.

    Args:
        one: what is shown.
        length: digits of the number, 13 to 19.

    Returns:
        Three counts; None where the rule could not be tried, or takes no number of this length. A digit counts where it stays for all
        numbers of an issuer in a spelling.
    """
    tried = [(card, apart, issuer) for issuer in _ISSUERS[length] for apart in _SPELLED for card in numbers(length, issuer)]
    made = results(one, [_grouped(card, apart) for card, apart, _ in tried])
    if made is None:
        return None
    first = last = inside = 0
    for _, group in groupby(zip(tried, made, strict=True), key=lambda pair: pair[0][1:]):
        pairs = [(card, result) for (card, _, _), result in group if result is not None]
        found = _stays(pairs, length) if pairs else (0, 0, 0)
        first, last, inside = max(first, found[0]), max(last, found[1]), max(inside, found[2])
    return first, last, inside


def too_many(one: Showing) -> tuple[str | None, str]:
    """Whether more digits of a card number stay than may be shown.

    Returns:
        What is shown beyond that, None where nothing is; and what was found.
    """
    found = {length: digits for length in _ISSUERS if (digits := card_digits(one, length)) is not None}
    if not found:
        return "the rule could not be tried on card numbers", ""
    for length, (first, last, inside) in found.items():
        most, end = limits(length)
        if first > most or last > end or inside or first + last >= length:
            between = f", {inside} between" if inside else ""
            return f"of {length} digits the first {min(first, length)} and last {last} stay{between}; {most} and {end} may", ""
    spread = sorted({(first, last) for first, last, _ in found.values()})[-1]
    lengths = f"{min(found)} to {max(found)}" if len(found) > 1 else f"{min(found)}"
    return None, f"tried on card numbers of {lengths} digits: the first {spread[0]} and last {spread[1]} stay at most"


def in_text(one: Showing) -> str | None:
    """What stays of card numbers within texts, beyond what may be shown; None where nothing does."""
    tried = [(card, apart, form, issuer) for length, issuers in _ISSUERS.items() for issuer in issuers
             for apart in (_SPELLED if length in (15, 16) else _SPELLED[:1]) for form in _AROUND for card in numbers(length, issuer)]
    made = results(one, [form.format(_grouped(card, apart)) for card, apart, form, _ in tried])
    if made is None:
        return "the rule takes none of them, so nothing shows what becomes of a number beside what it looks for"
    for _, group in groupby(zip(tried, made, strict=True), key=lambda pair: (len(pair[0][0]), *pair[0][1:])):
        pairs = [(card, _digits(result)) for (card, *_), result in group if result is not None]
        most, end = limits(len(pairs[0][0]) if pairs else 0)
        whole = any(card in digits for card, digits in pairs)
        if whole or (pairs and (all(card[: most + 1] in digits for card, digits in pairs) or
                                all(card[-end - 1 :] in digits for card, digits in pairs))):
            told = "" if whole else f", more than the first {most} and last {end} of it"
            return f"a card number of {len(pairs[0][0])} digits leaves in such a text{told}"
    return None


def _digits(text: str) -> str:
    """The digits of a text, and a point for all else but what sets groups apart."""
    return "".join(c if c.isdigit() else "." for c in text if c not in _SPELLED)


def _grouped(card: str, apart: str) -> str:
    ends = [0, *_GROUPS.get(len(card), range(4, len(card), 4)), len(card)]
    return apart.join(card[start:end] for start, end in pairwise(ends))


def _stays(pairs: Sequence[tuple[str, str]], length: int) -> tuple[int, int, int]:
    """Digits that stay in all results: at the start, at the end, and, where results are as long as the numbers, between."""
    plain = [(card, "".join(c for c in result if c.isalnum() or c in "*x#●")) for card, result in pairs]
    if any(len(result) != length for _, result in plain):
        first = min(_common(card, result) for card, result in plain)
        return first, min(min(_common(card[::-1], result[::-1]) for card, result in plain), length - first), 0
    stays = [all(card[at] == result[at] for card, result in plain) for at in range(length)]
    first = _count(iter(stays))
    last = min(_count(reversed(stays)), length - first)
    return first, last, sum(stays[first : length - last])


def _count(stays: Iterator[bool]) -> int:
    return sum(1 for _ in takewhile(bool, stays))


def _common(one: str, other: str) -> int:
    return _count(a == b for a, b in zip(one, other, strict=False))
