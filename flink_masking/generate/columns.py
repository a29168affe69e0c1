"""Columns of text put together without a loop over their rows."""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.codec import Rows

Text: TypeAlias = pa.StringArray | str


def joined(*pieces: Text) -> pa.StringArray:
    """The pieces of each row one after the other; a plain string goes into every row. At least one piece is an array."""
    return pc.binary_join_element_wise(*pieces, "")


def written(rows: Rows, text: Text) -> Text:
    """Texts as a format writes them, which hold nothing that a format escapes or encloses in quotes for its own sake."""
    before, after = rows.value("x").split("x")
    return joined(before, text, after)


def padded(numbers: np.ndarray, width: int) -> pa.StringArray:
    """Whole numbers in decimal, with zeros in front up to `width` digits."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


def picked(pool: list[str] | pa.StringArray, indexes: np.ndarray) -> pa.StringArray:
    """One member of the pool a row, by index."""
    return (pool if isinstance(pool, pa.Array) else pa.array(pool, pa.string())).take(pa.array(indexes))


def where(condition: np.ndarray, chosen: Text, otherwise: Text) -> pa.StringArray:
    """For each row the piece on one side or the other."""
    return pc.if_else(pa.array(condition), chosen, otherwise)


def skewed(size: int, exponent: float) -> np.ndarray:
    """Shares of `size` members that fall off as a power of their rank; they sum to 1."""
    shares = 1.0 / np.arange(1, size + 1) ** exponent
    return shares / shares.sum()
