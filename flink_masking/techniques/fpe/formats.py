"""The formats of fpe: which characters are encrypted, how many there must be, and what a rule may keep of them."""

import re
import string
from collections.abc import Callable
from typing import NamedTuple

from flink_masking.crypto.alphabet import Alphabet, separates
from flink_masking.crypto.ff1_domain import MINIMUM_DOMAIN, shortest
from flink_masking.errors import PolicyError

DIGITS = Alphabet(string.digits)
LONGEST, USUAL_LENGTH = 1024, 64
"""Most characters of an alphabet in one value, and most where the rule does not say: what longer ones take grows with the square of their
length."""


class Format(NamedTuple):
    """A kind of value.

    Attributes:
        title: for people.
        alphabet: of the characters that are encrypted.
        fewest, most: characters of the alphabet in a value.
        usual: how many of them a rule is counted with when the policy is compiled.
        separators: other characters that may stand among them; None: punctuation, spaces and symbols.
    """

    title: str
    alphabet: Alphabet
    fewest: int
    most: int
    usual: int
    separators: str | None = " " + string.punctuation

    def check_reach(self, kept: int, spare: int) -> None:
        """Refuse a rule under which no value has enough characters left.

        Args:
            kept: characters kept in clear.
            spare: check digits that follow from the others.

        Raises:
            PolicyError: fewer than `MINIMUM_DOMAIN` values are left to encrypt into.
        """
        radix, left = self.alphabet.radix, max(self.usual - kept - spare, 0)
        if left < shortest(radix):
            check = " and one is the check digit" if spare else ""
            raise PolicyError(
                f"fpe: of the {self.usual} characters of {self.title} {kept} are kept{check}: {left} are left, {radix}^{left} = "
                f"{radix**left:,} values, and fewer than {MINIMUM_DOMAIN:,} can be searched. "
                "Hint: keep fewer characters; or use a token (tokenize), a keyed date shift (date_shift) or generalize"
            )


FORMATS = {
    "card": Format("a card number", DIGITS, 12, 19, 16),
    "ssn": Format("a social security number", DIGITS, 9, 9, 9),
    "phone": Format("a telephone number", DIGITS, 0, 15, 15, " " + string.punctuation.replace("+", "")),
    "email": Format("the local part of an e-mail address", Alphabet(string.digits + string.ascii_lowercase), 0, 64, 64, "._-+"),
    "iban": Format("an account in an IBAN", DIGITS, 0, 34, 30),
}
"""The formats by name; SP 800-38G asks for a domain that no one can search, cards are counted with 16 digits (ISO/IEC 7812-1)."""

IBAN = Alphabet(string.digits + string.ascii_uppercase)
"""Characters of an IBAN, by their value in the check digits."""

HOST = string.ascii_letters + string.digits + ".-"
"""Characters of a host name."""


_TWO_DIGITS = (
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98"
)

COUNTRY_CODES = tuple(
    0 if code < 10 else 1 if code // 10 in (1, 7) else 2 if str(code) in _TWO_DIGITS.split() else 3 for code in range(100)
)
"""Digits of the country code by the first two digits of an international number; 0 where there is none (ITU-T E.164, assigned codes)."""


def of_alphabet(alphabet: Alphabet, most: int = LONGEST) -> Format:
    """The format of any text in an alphabet, of at most so many of its characters."""
    return Format("a text in its alphabet", alphabet, 0, most, most, None)


class Shape(NamedTuple):
    """What a rule says of a value.

    Attributes:
        name: of the format; None for an alphabet.
        form: the format.
        first, last: characters of the alphabet kept in clear at both ends.
        separators: whether other characters may stand among them.
        luhn: whether values pass Luhn's check, before and after.
    """

    name: str | None
    form: Format
    first: int
    last: int
    separators: bool
    luhn: bool


def passes_luhn(digits: str) -> bool:
    """Whether decimal digits pass Luhn's check (ISO/IEC 7812-1, annex B)."""
    return sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits))) % 10 == 0


def contains(name: str | None, form: Format, first: int, last: int, separators: bool, luhn: bool) -> Callable[[str], bool]:
    """Whether a text has the form that a rule takes, and puts out; for the arguments see `Shape`."""

    def in_alphabet(text: str, skip: int = 0) -> bool:
        inside = [character for character in text if character in form.alphabet.characters]
        fits = max(form.fewest, skip + first + last + luhn + shortest(form.alphabet.radix)) <= len(inside) <= form.most
        return fits and stays(text, form.alphabet) and (not luhn or passes_luhn("".join(inside)))

    def stays(text: str, alphabet: Alphabet) -> bool:
        others = [character for character in text if character not in alphabet.characters]
        allowed = form.separators
        return not others or (separators and all(c in allowed if allowed is not None else separates(c) for c in others))

    def phone(text: str) -> bool:
        digits = "".join(character for character in text if character in DIGITS.characters)
        skip = COUNTRY_CODES[int(digits[:2] or "0")] if text.startswith("+") else 0
        return in_alphabet(text.removeprefix("+"), skip) and (skip > 0 or not text.startswith("+"))

    def email(text: str) -> bool:
        local, _, host = text.partition("@")
        return len(local) <= 64 and in_alphabet(local) and re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", host) is not None

    def iban(text: str) -> bool:
        inside = "".join(character for character in text if character in IBAN.characters)
        left = inside[4 + first : len(inside) - last]
        known = re.fullmatch(r"[A-Z]{2}(?!00|01|99)[0-9]{2}[A-Z0-9]{1,30}", inside) is not None
        enough = sum(character in DIGITS.characters for character in left) >= shortest(10)
        return known and enough and stays(text, IBAN) and int("".join(str(int(c, 36)) for c in inside[4:] + inside[:4])) % 97 == 1

    return {"phone": phone, "email": email, "iban": iban}.get(name or "", in_alphabet)
