"""Entropy l-diversity: the entropy of a group's sensitive values is at least log l.

Machanavajjhala et al. (2007), definition 4.1: -sum p log p >= log l. As strong as l values equally often. Decided in binary logarithms
with 24 fractional bits; a group may fall short by 2^-20 bits for rounding.
"""

from dataclasses import dataclass
from typing import ClassVar

from flink_masking.anonymity.models import model_kernels as kernels
from flink_masking.anonymity.models.distinct_l import DistinctL


@dataclass(frozen=True)
class EntropyL(DistinctL):
    """Entropy of at least log `l`; it follows that there are at least l distinct values."""

    kind: ClassVar[int] = kernels.ENTROPY
