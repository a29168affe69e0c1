"""Computes the gauges of an anonymizing step: sizes and loss of released groups, and the records held."""

from functools import lru_cache
from operator import mul

import numpy as np

from flink_masking.anonymity.slide_grow import Groups, Records
from flink_masking.anonymity.space import Space

MILLION = 1_000_000


class Figures:
    """Computes the gauges of one shard; the losses of the latest 65,536 labels of each dimension are kept."""

    def __init__(self, space: Space) -> None:
        """Get ready for a space."""
        self._losses = [lru_cache(1 << 16)(dimension.loss) for dimension in space.dimensions]

    def __call__(self, groups: Groups, held: Records) -> dict[str, int]:
        """Figures by the metrics' names (`flink_masking.logic.Effects.figures`).

        Args:
            groups: that left in this call.
            held: what is left.
        """
        figures = {"records_open": len(held.seq), "oldest_arrival_milliseconds": int(held.arrival.min()) if len(held.seq) else 0}
        if len(groups.end):
            sizes = np.diff(groups.end, prepend=0)
            figures["group_size_min"], figures["group_size_max"] = int(sizes.min()), int(sizes.max())
            weighed = 0.0
            for loss, low, high in zip(self._losses, groups.low.T.tolist(), groups.high.T.tolist(), strict=True):
                weighed += sum(map(mul, map(loss, low, high), sizes.tolist()))
            figures["information_loss_millionths_sum"] = round(MILLION * weighed / len(self._losses))
        return figures
