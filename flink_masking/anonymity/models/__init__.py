"""Privacy models that a group must satisfy besides k: one module each, named as in the papers."""

from flink_masking.anonymity.models.alpha_k import AlphaK
from flink_masking.anonymity.models.base import Model
from flink_masking.anonymity.models.distinct_l import DistinctL
from flink_masking.anonymity.models.entropy_l import EntropyL
from flink_masking.anonymity.models.layout import Models
from flink_masking.anonymity.models.recursive_cl import RecursiveCL
from flink_masking.anonymity.models.t_closeness import Distance, TCloseness

__all__ = ["AlphaK", "Distance", "DistinctL", "EntropyL", "Model", "Models", "RecursiveCL", "TCloseness"]
