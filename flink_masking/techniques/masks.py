"""What a mask is: a function of a batch of values, which sees data only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.records.spans import Values

__all__ = ["Context", "Mask", "Masked", "Values"]


class Masked(NamedTuple):
    """What a mask made of n values.

    Attributes:
        values: n replacements (or one scalar for all). Type string: texts. Type binary: literals, that is numbers, booleans, objects and
            arrays by their text, as `Values` hands them out. Where the input is null, it must be null; where `refused`, it is ignored.
        refused: bool, n, True where the technique cannot take the value; None when it took all. The engine applies `on_error`.
        literal: bool, n, for values of type string: which of them are literals; None: none.
    """

    values: pa.Array | pa.Scalar
    refused: np.ndarray | None = None
    literal: np.ndarray | None = None


def _no_rows(path: str) -> np.ndarray:
    return np.zeros(0, np.int32)


@dataclass(frozen=True)
class Context:
    """Inputs of a mask besides its own values, the same for every field of a batch.

    Attributes:
        seed: 32 bytes, drawn anew for each batch and segment; random masks derive their generator from it and the field's path.
        subjects: for each row of the batch the subject's value (null where missing), or None when the policy names no subject.
        rows_of: batch rows in which the field at a path has a value (for values that move together).
    """

    seed: bytes
    subjects: pa.StringArray | None = None
    rows_of: Callable[[str], np.ndarray] = _no_rows

    def subjects_of(self, rows: np.ndarray) -> pa.StringArray:
        """The subject of each of n rows, without a copy where every row of the batch is asked for; nulls when there is no subject."""
        if self.subjects is None:
            return pa.nulls(len(rows), pa.string())
        if len(rows) == len(self.subjects) and (rows == np.arange(len(rows))).all():
            return self.subjects
        return self.subjects.take(pa.array(rows))

    def generator(self, label: str) -> np.random.Generator:
        """A random generator of this batch and `label`; the same label gives the same stream of numbers within the batch."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([*self.seed, *label.encode()])))


Mask = Callable[[Values, Context], Masked]
