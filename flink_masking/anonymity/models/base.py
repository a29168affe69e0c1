"""What the privacy models have in common."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from flink_masking.errors import PolicyError

MILLION = 1_000_000


@dataclass(frozen=True)
class Model:
    """A condition on the sensitive values of a group.

    It is tested twice: on one record a person (the one that brought the person into the group), and on all records that are released.

    Attributes:
        name: of the condition, as suppressed records are counted by.
        kind: number of its kernel in `kernels`.
        column: which of the segment's sensitive attributes it is about.
    """

    name: ClassVar[str]
    kind: ClassVar[int]

    column: int

    @property
    def distinct(self) -> int:
        """Distinct values that a group which passes has at least."""
        return 1

    @property
    def factor(self) -> int:
        """The model's real parameter as a whole number; 0 when it has none."""
        return 0


def millionths(value: float | str | Decimal, name: str) -> int:
    """A parameter in millionths.

    Raises:
        PolicyError: it is not a number, or has more than six decimals.
    """
    try:
        scaled = Decimal(str(value)) * MILLION
        whole = int(scaled)
    except (InvalidOperation, ValueError, OverflowError):
        raise PolicyError(f"{name}: not a number. Hint: {name}: 0.5") from None
    if whole != scaled:
        raise PolicyError(f"{name}: more than six decimals. Hint: {name}: 0.5")
    return whole
