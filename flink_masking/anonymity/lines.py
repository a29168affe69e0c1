"""Released records as rows of a view."""

from functools import lru_cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.dimensions import Dimension
from flink_masking.anonymity.space import Space
from flink_masking.arrow import parts
from flink_masking.records.codec import Rows


class LineWriter:
    """Writes groups as rows: the quasi-identifiers' labels in the order of the space, then each record's released members."""

    def __init__(self, space: Space, rows: Rows) -> None:
        """Prepare the member texts of each dimension; the latest 65,536 labels of each are kept.

        Args:
            space: the quasi-identifiers.
            rows: how rows are written.
        """
        self._rows, self._members = rows, []
        for number, (name, dimension) in enumerate(zip(space.names, space.dimensions, strict=True)):
            key = rows.between + rows.member(name) if number else rows.front + rows.first(name)
            self._members.append(lru_cache(1 << 16)(partial(_member, rows, key, dimension)))

    def heads(self, low: np.ndarray, high: np.ndarray) -> pa.BinaryArray:
        """For each box the row up to its last label, as JSON ``{"age":"20-30","zip":"941**"``.

        Args:
            low: (groups, dimensions).
            high: (groups, dimensions).
        """
        texts = [map(member, a, b) for member, a, b in zip(self._members, low.T.tolist(), high.T.tolist(), strict=True)]
        return pa.array(["".join(members).encode() for members in zip(*texts, strict=True)], pa.binary())

    def write(self, low: np.ndarray, high: np.ndarray, group: np.ndarray, release: pa.BinaryArray) -> bytes:
        """One row for each record, in the order given.

        Args:
            low: (groups, dimensions): lower corners of the boxes.
            high: (groups, dimensions): upper corners.
            group: for each of n records its group.
            release: n lists of released members, may be empty.

        Returns:
            The rows with the format's separator between them.
        """
        empty, lead = pc.equal(pc.binary_length(release), 0), self._rows.lead.encode()
        leads = pc.if_else(empty, b"", lead) if pc.any(empty).as_py() else pa.scalar(lead)
        end = (self._rows.end + self._rows.separator).encode()
        lines = pc.binary_join_element_wise(self.heads(low, high).take(pa.array(group)), leads, release, end, b"")
        data, offsets, _ = parts(lines)
        return data[offsets[0] : max(offsets[0], offsets[-1] - 1)].tobytes()


def _member(rows: Rows, key: str, dimension: Dimension, low: int, high: int) -> str:
    return key + rows.value(dimension.label(low, high))
