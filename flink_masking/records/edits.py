"""Edits of a segment to the values of a field."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pyarrow as pa

USE, DROP_VALUE, KEEP_VALUE, USE_LITERAL = 0, 1, 2, 3
"""Codes of `Replace.how`: take the replacement; remove the value with its member; leave the value as it was; take the replacement, which
is a literal and no text."""


class Stance(Enum):
    """An edit that needs no values."""

    KEEP = "keep"
    """Values stay byte for byte as they are; edits inside of them still happen."""
    DROP = "drop"
    """Members (or array elements) are removed."""


KEEP, DROP = Stance.KEEP, Stance.DROP


@dataclass(frozen=True, eq=False)
class Replace:
    """New values for a field.

    Attributes:
        values: one for each of the field's values in the batch, in their order, or one scalar for all. Type string: text, which the
            codec quotes and escapes as its format needs. Type binary: literals, that is numbers, booleans, objects and arrays by their
            text, as a scan hands them out; that they are well-formed is the caller's promise. Null: the format's null.
        how: uint8, one code of USE, DROP_VALUE, KEEP_VALUE, USE_LITERAL for each value, or None to use all.
    """

    values: pa.Array | pa.Scalar
    how: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Keys:
    """New keys for the members at a path whose last step is ``*``; their values have an edit of their own.

    Attributes:
        keys: string array, one for each of the path's values in the batch, in their order, without nulls. That no object gets a key twice
            is the caller's promise.
        how: uint8, USE or DROP_VALUE for each member, or None to use all: a member without a usable key is removed.
    """

    keys: pa.StringArray
    how: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Swept:
    """Texts in the place of values and keys inside of members that stay, undeclared ones among them.

    Attributes:
        rows: int32, k: row of each.
        starts: int64, k, ascending: first byte in the table's data, of a text or key its quote.
        ends: int64, k.
        texts: string array, k, without nulls. That no object gets a key twice is the caller's promise.
    """

    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    texts: pa.StringArray


Edit = Stance | Replace


def joined(swept: Sequence[Swept]) -> Swept | None:
    """What several sweeps replace, none of it twice; None where there are none."""
    if len(swept) < 2:
        return swept[0] if swept else None
    rows, starts, ends = (np.concatenate([getattr(one, column) for one in swept]) for column in ("rows", "starts", "ends"))
    order = np.argsort(starts, kind="stable")
    texts = pa.concat_arrays([one.texts for one in swept]).take(pa.array(order))
    return Swept(rows[order], starts[order], ends[order], texts)
