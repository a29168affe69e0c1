"""t-closeness: the sensitive values of a group are distributed much as those of everybody.

Li, Li, Venkatasubramanian, "t-Closeness: Privacy Beyond k-Anonymity and l-Diversity" (2007). The distance is the earth mover's. All
three ground distances of the paper move mass along a tree, so one form serves: a list of ranges of codes, what it costs to carry mass
out of each, and the sum that counts as distance 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar, NamedTuple

from flink_masking.anonymity.models import model_kernels as kernels
from flink_masking.anonymity.models.base import Model, millionths
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy

MOST = 4096
"""Values of an attribute at most; with more of them a group of a few people is never close to anything."""


class Distance(NamedTuple):
    """How far sensitive values lie apart; codes are 0 to `size` - 1, and `size` stands for no value.

    No value lies at distance 1 from every value.

    Attributes:
        size: number of values.
        ranges: (first code, last code, cost) of carrying mass out of the range.
        divisor: the sum of costs that counts as distance 1.
    """

    size: int
    ranges: tuple[tuple[int, int, int], ...]
    divisor: int

    @classmethod
    def equal(cls, size: int) -> "Distance":
        """All values lie at distance 1 from each other: half the sum of the differences of shares (section 5.1, variational distance)."""
        return cls(_checked(size), tuple((v, v, 1) for v in range(size + 1)), 2)

    @classmethod
    def ordered(cls, size: int) -> "Distance":
        """Values i and j lie at distance |i - j| / (size - 1) (section 5.1, ordered distance)."""
        steps = max(1, _checked(size) - 1)
        return cls(size, (*((0, v, 1) for v in range(size - 1)), (size, size, steps)), steps)

    @classmethod
    def hierarchical(cls, hierarchy: Hierarchy) -> "Distance":
        """Leaves lie at the distance (level of their lowest common node) / height (section 5.2); codes are leaf numbers."""
        size, ranges = _checked(len(hierarchy.leaves)), []
        for level in range(hierarchy.height):
            labels = hierarchy.labels(level)
            edges = [0, *(v for v in range(1, size) if labels[v] != labels[v - 1]), size]
            ranges += [(first, last - 1, 1) for first, last in pairwise(edges)]
        return cls(size, (*ranges, (size, size, hierarchy.height)), 2 * hierarchy.height)


def _checked(size: int) -> int:
    if not 1 <= size <= MOST:
        raise PolicyError(f"t_closeness: {size} values. Hint: 1 to {MOST}; group them in a hierarchy or in fewer bins")
    return size


@dataclass(frozen=True)
class TCloseness(Model):
    """A distance of at most `t` to a public distribution, or to that of all records so far.

    The running distribution counts the records that have arrived, up to the moment in which the group is formed, and nothing later. A
    value that has no code (beyond `Distance.size`) counts as one that nobody else has: the distance is never taken too small.

    Attributes:
        t: more than 0, at most 1, at most six decimals.
        distance: between values.
        shares: the public share of each value, `distance.size` of them, at most 1 in all (what is missing is the share of records
            without a value); None: the running distribution.
    """

    name: ClassVar[str] = "t_closeness"
    kind: ClassVar[int] = kernels.CLOSENESS

    t: float
    distance: Distance
    shares: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            PolicyError: t or the shares are out of range.
        """
        if not 0 < self.t <= 1:
            raise PolicyError("t: not between 0 and 1. Hint: t: 0.2")
        millionths(self.t, "t")
        if self.shares is not None and (
            len(self.shares) != self.distance.size or min(self.shares) < 0 or sum(map(_exact, self.shares)) > 1
        ):
            raise PolicyError("reference: shares below 0, or more than 1 in all. Hint: {flu: 0.7, cancer: 0.3}")

    @property
    def factor(self) -> int:
        """T in 2^-30, rounded down."""
        return (millionths(self.t, "t") << kernels.SHARE) // 1_000_000

    @property
    def counts(self) -> Sequence[int]:
        """The public shares in 2^-30, that of no value last."""
        if self.shares is None:
            return [0] * (self.distance.size + 1)
        whole = 1 << kernels.SHARE
        parts = [int(_exact(share) * whole) for share in self.shares]
        return [*parts, whole - sum(parts) if sum(map(_exact, self.shares)) < 1 else 0]


def _exact(share: float) -> Decimal:
    return Decimal(str(share))
