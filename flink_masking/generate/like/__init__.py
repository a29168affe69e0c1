"""Records that have the types and shapes of a sample, and no value of it; see ``flink_masking/docs/generate.md``."""

from flink_masking.generate.like.outline import Outline
from flink_masking.generate.like.records import Likeness, write_like

__all__ = ["Likeness", "Outline", "write_like"]
