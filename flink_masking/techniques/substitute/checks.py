"""Check digits of substitutes: IBAN (ISO 13616), French and Spanish bank accounts, payment cards (ISO/IEC 7812-1)."""

from collections.abc import Sequence

import numpy as np

from flink_masking.techniques.substitute.forms import Form, Part, constant, digits

_SPANISH = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)


def _value(part: Part, index: np.ndarray) -> tuple[np.ndarray, int]:
    """A part as a number (letters count 10 to 35) and how many digits that has; drawn parts have their value as index."""
    if len(part.entries) > 1:
        return index, len(part.entries[0])
    expanded = "".join(str(int(letter, 36)) for letter in part.entries[0])
    return np.full(len(index), int(expanded), np.int64), len(expanded)


def _modulo_97(parts: Form, made: Sequence[np.ndarray]) -> np.ndarray:
    """The number that the parts spell, modulo 97."""
    rest = np.zeros(len(made[0]), np.int64)
    for part, index in zip(parts, made, strict=True):
        value, count = _value(part, index)
        rest = (rest * pow(10, count, 97) + value) % 97
    return rest


def _digits(parts: Form, made: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The single digits that the parts spell, from the left."""
    pairs = [_value(part, index) for part, index in zip(parts, made, strict=True)]
    return [value // 10**place % 10 for value, count in pairs for place in range(count - 1, -1, -1)]


def iban_check(country: str, account: Form) -> Form:
    """An IBAN: country, two check digits such that account, country and check digits leave 1 modulo 97, account."""
    moved = (*account, constant(country + "00"))

    def computed(made: Sequence[np.ndarray]) -> np.ndarray:
        return 98 - _modulo_97(moved, [*made[2:], made[0]])

    return constant(country), Part(digits(2).entries, computed), *account


def rib_key(account: Form) -> Part:
    """The key behind a French account number, so that account and key are a multiple of 97."""
    shifted = (*account, constant("00"))

    def computed(made: Sequence[np.ndarray]) -> np.ndarray:
        return 97 - _modulo_97(shifted, [*made[2:-1], made[0]])

    return Part(digits(2).entries, computed)


def spanish_check(branch: Form, account: Form) -> Part:
    """The two digits between a Spanish bank with its branch, and the account: one for each side, modulo 11."""

    def one(values: list[np.ndarray]) -> np.ndarray:
        weighted = sum(weight * value for weight, value in zip(_SPANISH[10 - len(values) :], values, strict=True))
        check = 11 - np.asarray(weighted) % 11
        return np.where(check == 11, 0, np.where(check == 10, 1, check))

    def computed(made: Sequence[np.ndarray]) -> np.ndarray:
        sides = _digits(branch, made[2 : 2 + len(branch)]), _digits(account, made[3 + len(branch) :])
        return one(sides[0]) * 10 + one(sides[1])

    return Part(digits(2).entries, computed)


def luhn_check(body: Form) -> Part:
    """The last digit of a card number (Luhn's): every other digit, from the right, counts double."""

    def computed(made: Sequence[np.ndarray]) -> np.ndarray:
        total = np.zeros(len(made[0]), np.int64)
        for place, digit in enumerate(reversed(_digits(body, made[:-1]))):
            doubled = digit * 2
            total += digit if place % 2 else doubled - 9 * (doubled > 9)
        return (10 - total % 10) % 10

    return Part(digits(1).entries, computed)
