"""Distinct l-diversity: a group has at least l different sensitive values.

Machanavajjhala, Kifer, Gehrke, Venkitasubramaniam, "l-Diversity: Privacy Beyond k-Anonymity" (2007), section 4. The weakest form: nine
of ten people may still share one value.
"""

from dataclasses import dataclass
from typing import ClassVar

from flink_masking.anonymity.models import model_kernels as kernels
from flink_masking.anonymity.models.base import Model
from flink_masking.errors import PolicyError


@dataclass(frozen=True)
class DistinctL(Model):
    """At least `l` distinct values of a sensitive attribute.

    Attributes:
        l: values, at least 2.
    """

    name: ClassVar[str] = "l_diversity"
    kind: ClassVar[int] = kernels.DISTINCT

    l: int  # noqa: E741 - the model's own name

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            PolicyError: l is below 2.
        """
        if self.l < 2:
            raise PolicyError("l_diversity: less than 2. Hint: l: 2 asks for two different sensitive values a group")

    @property
    def distinct(self) -> int:
        """See `Model`."""
        return self.l
