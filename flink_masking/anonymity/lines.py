"""Released records as JSON lines."""

import json
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.dimensions import Dimension
from flink_masking.anonymity.space import Space
from flink_masking.arrow import parts


class LineWriter:
    """Writes groups as JSON lines: the quasi-identifiers' labels in the order of the space, then each record's released members."""

    def __init__(self, space: Space) -> None:
        """Prepare the member texts of each dimension; the latest 65,536 labels of each are kept."""
        self._members = []
        for name, dimension in zip(space.names, space.dimensions, strict=True):
            self._members.append(lru_cache(1 << 16)(partial(_member, json.dumps(name, ensure_ascii=False) + ":", dimension)))

    def heads(self, low: np.ndarray, high: np.ndarray) -> pa.BinaryArray:
        """For each box the line up to its last label, ``{"age":"20-30","zip":"941**"``.

        Args:
            low: (groups, dimensions).
            high: (groups, dimensions).
        """
        texts = [map(member, a, b) for member, a, b in zip(self._members, low.T.tolist(), high.T.tolist(), strict=True)]
        return pa.array([("{" + ",".join(members)).encode() for members in zip(*texts, strict=True)], pa.binary())

    def write(self, low: np.ndarray, high: np.ndarray, group: np.ndarray, release: pa.BinaryArray) -> bytes:
        """One line for each record, in the order given.

        Args:
            low: (groups, dimensions): lower corners of the boxes.
            high: (groups, dimensions): upper corners.
            group: for each of n records its group.
            release: n, released members without braces, may be empty.

        Returns:
            The lines joined by newlines.
        """
        empty = pc.equal(pc.binary_length(release), 0)
        comma = pc.if_else(empty, b"", b",") if pc.any(empty).as_py() else pa.scalar(b",")
        lines = pc.binary_join_element_wise(self.heads(low, high).take(pa.array(group)), comma, release, b"}\n", b"")
        data, offsets, _ = parts(lines)
        return data[offsets[0] : max(offsets[0], offsets[-1] - 1)].tobytes()


def _member(key: str, dimension: Dimension, low: int, high: int) -> str:
    return key + json.dumps(dimension.label(low, high), ensure_ascii=False)
