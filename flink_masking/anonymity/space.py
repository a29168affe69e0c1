"""The space that groups live in: all quasi-identifiers of a segment, laid out for the slide-grow kernel."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from flink_masking.anonymity.dimensions import Dimension, Grid, HierarchyDimension, PrefixDimension
from flink_masking.anonymity.layout_kernels import ONE, Shape
from flink_masking.errors import PolicyError

__all__ = ["MOST", "ONE", "Shape", "Space"]

MOST = 64
"""Dimensions at most; the sum of all losses must stay far below 2^29. Beyond ten, hardly anything is left to release anyway."""


class Space:
    """The quasi-identifiers of a segment, in the order in which they are released.

    Attributes:
        names: member names.
        dimensions: one for each name.
        cells: numbers of the dimensions with uint16 codes (grids and hierarchies).
        words: numbers of the dimensions with uint64 codes (prefixes).
        shape: for the kernel.
        fingerprint: 32 hexadecimal digits; equal for spaces whose codes mean the same.
    """

    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        """Lay out the dimensions.

        Args:
            dimensions: by the member name under which they are released, in that order.

        Raises:
            PolicyError: no dimension, or more than 64.
        """
        if not 1 <= len(dimensions) <= MOST:
            raise PolicyError(f"quasi_identifiers: {len(dimensions)} given. Hint: name 1 to {MOST} fields, better not more than ten")
        self.names, self.dimensions = tuple(dimensions), tuple(dimensions.values())
        self.words = tuple(i for i, dimension in enumerate(self.dimensions) if isinstance(dimension, PrefixDimension))
        self.cells = tuple(i for i in range(len(self.dimensions)) if i not in self.words)
        self.shape = _shape([self.dimensions[i] for i in self.cells], [self.dimensions[i] for i in self.words])
        text = "\n".join(f"{name!r} {dimension.signature}" for name, dimension in dimensions.items())
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()[:32]

    def loss(self, low: Sequence[int], high: Sequence[int]) -> float:
        """The mean loss over all dimensions of releasing the box from low to high, 0 to 1."""
        losses = (dimension.loss(int(a), int(b)) for dimension, a, b in zip(self.dimensions, low, high, strict=True))
        return sum(losses) / len(self.dimensions)


def _shape(cells: Sequence[Dimension], words: Sequence[Dimension]) -> Shape:
    height, first, span, scale = [], [], [], []
    low: list[np.ndarray] = []
    high: list[np.ndarray] = []
    rise: list[np.ndarray] = []
    for dimension in cells:
        first.append(sum(map(len, low)))
        if isinstance(dimension, Grid):
            height.append(0)
            span.append(dimension.span)
            scale.append(-(-(ONE << 10) // max(1, dimension.span)))
        elif isinstance(dimension, HierarchyDimension):
            height.append(len(dimension.nodes))
            span.append(0)
            scale.append(0)
            losses = [_units(dimension.node_losses(level)) for level in range(len(dimension.nodes))]
            losses.append(np.full(dimension.top + 1, ONE if dimension.top else 0, np.int32))
            for level, (first_leaf, last_leaf) in enumerate(dimension.nodes):
                low.append(first_leaf)
                high.append(last_leaf)
                rise.append(losses[level + 1] - losses[level])
        else:
            raise TypeError(f"no layout for a {type(dimension).__name__}")
    word_rise = np.zeros((len(words), 8), np.int32)
    for number, dimension in enumerate(words):
        assert isinstance(dimension, PrefixDimension)
        symbols, length = dimension.symbols, dimension.length
        steps = [round(ONE * (symbols**cut - 1) / (symbols**length - 1)) for cut in range(length + 1)]
        word_rise[number, : dimension.length] = np.diff(steps)
    return Shape(np.array([dimension.top + 1 for dimension in cells], np.int64), np.array(height, np.int64), np.array(first, np.int64),
                 np.array(span, np.int64), np.array(scale, np.int32), _joined(low, np.uint16), _joined(high, np.uint16),
                 _joined(rise, np.int32),
                 np.array([dimension.length for dimension in words if isinstance(dimension, PrefixDimension)], np.int64), word_rise)


def _units(losses: np.ndarray) -> np.ndarray:
    """Losses of 0 to 1 in loss units."""
    return np.rint(ONE * losses).astype(np.int32)


def _joined(pieces: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *pieces]).astype(dtype)
