"""(alpha, k)-anonymity: no sensitive value has more than the share alpha of a group.

Wong, Li, Fu, Wang, "(alpha, k)-anonymity: an enhanced k-anonymity model for privacy preserving data publishing" (2006). The values that
are bounded can be named; without names all are (the paper's general model).
"""

from dataclasses import dataclass
from typing import ClassVar

from flink_masking.anonymity.models import model_kernels as kernels
from flink_masking.anonymity.models.base import MILLION, Model, millionths
from flink_masking.errors import PolicyError


@dataclass(frozen=True)
class AlphaK(Model):
    """Every bounded value has at most the share `alpha` of a group.

    Attributes:
        alpha: more than 0, less than 1, at most six decimals.
        values: codes of the bounded values; none: all values.
    """

    name: ClassVar[str] = "alpha_k"
    kind: ClassVar[int] = kernels.ALPHA

    alpha: float
    values: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            PolicyError: alpha is not between 0 and 1 or has more than six decimals.
        """
        if not 0 < self.alpha < 1:
            raise PolicyError("alpha: not between 0 and 1. Hint: alpha: 0.5 lets a value have half of a group")
        millionths(self.alpha, "alpha")

    @property
    def factor(self) -> int:
        """Alpha in millionths."""
        return millionths(self.alpha, "alpha")

    @property
    def distinct(self) -> int:
        """With every value bounded, 1 / alpha of them are needed, rounded up."""
        return 1 if self.values else -(-MILLION // self.factor)
