"""The day of a date, however it is written: ISO 8601 dates and times, months and years, numbers since 1970."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.values import epochs, instants
from flink_masking.values.units import A_SECOND, Unit

DAY = 86_400_000
"""Milliseconds."""


def days(text: pa.StringArray, partial: bool = False, unit: Unit | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The day of each value.

    Args:
        text: n values; of a date-time the date counts as it is written, in its own time zone.
        partial: ``YYYY-MM`` and ``YYYY`` are dates, too, and count as their middle: the 15th, 2 July.
        unit: values are times since 1970 as numbers or texts of digits, whose day is that of UTC; None: they are texts.

    Returns:
        Days since 1970-01-01 (int64, n; 0 where there is none) and whether each has one (bool, n; False for null).

    >>> days(pa.array(["1970-01-03T23:00:00-05:00", "1970-01", "x"]), partial=True)[0].tolist()
    [2, 14, 0]
    """
    if unit is not None:
        times, read = epochs.ticks(text, unit)
        found = np.floor_divide(times, 86_400 * A_SECOND[unit])
    else:
        if partial:
            text = pc.replace_substring_regex(text, r"\A([0-9]{4}-[0-9]{2})\z", r"\1-15")
            text = pc.replace_substring_regex(text, r"\A([0-9]{4})\z", r"\1-07-02")
        whole = instants.parse(text)[1]
        midnights, dated = instants.parse(pc.utf8_slice_codeunits(text, 0, 10))
        read = whole & dated
        found = np.floor_divide(midnights, DAY)
    return np.where(read, found, 0), read
