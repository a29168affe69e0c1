"""Codes of sensitive values without a declared domain, numbered in the order of first occurrence."""

import numpy as np


class Dictionary:
    """Codes 0, 1, … of values, for at most `most` of them; all later values share a code that lies beyond.

    Attributes:
        most: values that get a code of their own.
        beyond: the code of all others.
    """

    def __init__(self, most: int) -> None:
        """An empty dictionary."""
        self.most, self.beyond = most, most + 1  # most itself is the code of no value where the domain is declared
        self._known: dict[int, int] = {}

    def encode(self, values: np.ndarray) -> np.ndarray:
        """The codes (uint64, n) of values (uint64, n); new ones are numbered in the order of the rows."""
        distinct, first, which = np.unique(values, return_index=True, return_inverse=True)
        codes = np.empty(len(distinct), np.uint64)
        for i in np.argsort(first).tolist():
            value = int(distinct[i])
            if value not in self._known and len(self._known) < self.most:
                self._known[value] = len(self._known)
            codes[i] = self._known.get(value, self.beyond)
        return codes[which]

    def values(self) -> np.ndarray:
        """The values that have codes, by code (uint64)."""
        return np.array(list(self._known), np.uint64)

    def load(self, values: np.ndarray) -> None:
        """Take over what `values` gave."""
        self._known = {value: code for code, value in enumerate(values.tolist())}
