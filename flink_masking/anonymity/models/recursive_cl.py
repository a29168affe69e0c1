"""Recursive (c, l)-diversity: the commonest sensitive value is not too common, and the rarer ones are not too rare.

Machanavajjhala et al. (2007), definition 4.2: with counts r1 >= r2 >= ... >= rm of a group's values, r1 < c (r_l + ... + r_m).
"""

from dataclasses import dataclass
from typing import ClassVar

from flink_masking.anonymity.models import model_kernels as kernels
from flink_masking.anonymity.models.base import millionths
from flink_masking.anonymity.models.distinct_l import DistinctL
from flink_masking.errors import PolicyError


@dataclass(frozen=True)
class RecursiveCL(DistinctL):
    """r1 < c (r_l + ... + r_m).

    Attributes:
        c: more than 0, at most six decimals.
    """

    kind: ClassVar[int] = kernels.RECURSIVE

    c: float

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            PolicyError: l is below 2, c is not between 0 and 1,000 or has more than six decimals.
        """
        super().__post_init__()
        if not 0 < self.c <= 1000:
            raise PolicyError("c: not between 0 and 1,000. Hint: c: 3 lets one value be at most three times as common as the rare ones")
        millionths(self.c, "c")

    @property
    def factor(self) -> int:
        """c in millionths."""
        return millionths(self.c, "c")
