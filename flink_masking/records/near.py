"""Suggests the declared name that an undeclared key resembles; the key itself is data and never shown."""

from collections.abc import Iterable, Iterator

LONGEST = 64
"""Characters of a key that is compared; no longer one is a slip of the pen."""
SHORTEST = 4
"""Characters of a name, from which on one wrong, missing, spare or swapped character still is a resemblance."""


class NearNames:
    """Declared names, found by keys that differ from them by case, ``_`` and ``-``, or by one character.

    Names and keys are compared by what is left of them without one character each, as in symmetric deletion: no key is compared with
    every name, so that a flood of keys costs the same whatever the number of fields.

    >>> near = NearNames(["email", "customerId", "zip"])
    >>> [near.of(key) for key in ("emial", "E-Mail", "customer_id", "zap", "john.doe@example.com")]
    ['email', 'email', 'customerId', None, None]
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Index names; the first of two that could be meant goes before the other."""
        self._exact: dict[str, str] = {}
        self._near: dict[str, str] = {}
        self._lengths: set[int] = set()
        for name in names:
            plain = _plain(name)
            self._lengths |= {len(plain) - 1, len(plain), len(plain) + 1}
            self._exact.setdefault(plain, name)
            if len(plain) >= SHORTEST:
                for piece in (plain, *_without_one(plain)):
                    self._near.setdefault(piece, name)

    def of(self, key: str) -> str | None:
        """The declared name that a key resembles, or None."""
        if len(key) > LONGEST:
            return None
        plain = _plain(key)
        if len(plain) not in self._lengths:
            return None
        found = self._exact.get(plain)
        if found is not None or len(plain) < SHORTEST - 1:
            return found
        for piece in (plain, *_without_one(plain)):
            if (name := self._near.get(piece)) is not None:
                return name
        return None


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _without_one(text: str) -> Iterator[str]:
    return (text[:place] + text[place + 1 :] for place in range(len(text)))
