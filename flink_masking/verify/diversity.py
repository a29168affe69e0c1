"""l-diversity, (alpha, k) and homogeneity of classes, from the definitions of Machanavajjhala et al. (2007) and Wong et al. (2006)."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np


class Occurrences(NamedTuple):
    """How often each sensitive value comes in each class: entries without zeros, by class, the commonest first.

    Attributes:
        owner: int64, the class of an entry.
        value: int64, its value.
        often: int64, how often.
        size: int64, lines a class.
    """

    owner: np.ndarray
    value: np.ndarray
    often: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, classes: np.ndarray, values: np.ndarray) -> "Occurrences":
        """Count.

        Args:
            classes: int64, the class of each line, 0 to classes - 1, all of which occur.
            values: int64, the sensitive value of each line.
        """
        width = int(values.max(initial=0)) + 1
        entries, count = np.unique(classes.astype(np.int64) * width + values, return_counts=True)
        owner, value = entries // width, entries % width
        order = np.lexsort((value, -count, owner))
        return cls(owner[order], value[order], count[order], np.bincount(classes))

    @property
    def rank(self) -> np.ndarray:
        """The place of each entry in its class, from 0, the commonest."""
        return np.arange(len(self.owner)) - np.searchsorted(self.owner, self.owner)

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """The sum of the entries' weights by class."""
        return np.bincount(self.owner, weights, len(self.size))


def distinct(found: Occurrences) -> np.ndarray:
    """Different values a class."""
    return np.bincount(found.owner, minlength=len(found.size))


def entropy(found: Occurrences) -> np.ndarray:
    """exp of the entropy of each class: the number of equally common values that would be as diverse."""
    share = found.often / found.size[found.owner]
    effective: np.ndarray = np.exp(found.sums(-share * np.log(share)))
    return effective


def recursive(found: Occurrences, l: int) -> np.ndarray:  # noqa: E741 - the name in the literature
    """r1 / (r_l + … + r_m) of each class, which must lie below c; infinite where there are fewer than l values."""
    first = found.sums(found.often * (found.rank == 0))
    tail = found.sums(found.often * (found.rank >= l - 1))
    return np.divide(first, tail, out=np.full(len(first), np.inf), where=tail > 0)


def largest_share(found: Occurrences, values: Collection[int] | None = None) -> np.ndarray:
    """The largest share that a value, or one of `values`, has of each class."""
    bounded = np.ones(len(found.value), np.bool_) if values is None else np.isin(found.value, list(values))
    largest = np.zeros(len(found.size))
    np.maximum.at(largest, found.owner[bounded], (found.often / found.size[found.owner])[bounded])
    return largest
