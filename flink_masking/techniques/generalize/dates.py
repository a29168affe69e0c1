"""Dates cut to a level of ISO 8601."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.kinds import NUMERIC, TEXT, Kind
from flink_masking.techniques.generalize import date_kernels as kernels
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty, refusals, rewrite
from flink_masking.values import epochs
from flink_masking.values.decimals import format_fixed
from flink_masking.values.units import Unit


class Level(NamedTuple):
    """A level of dates.

    Attributes:
        code: of the kernel.
        form: regular expression of the results.
        partial: of what is left of a month or a year that is no finer.
    """

    code: int
    form: str
    partial: str


LEVELS = {
    "hour": Level(kernels.HOUR, r"\d{4}-\d\d-\d\dT\d\d(Z|[+-]\d\d:\d\d)?", ""),
    "day": Level(kernels.DAY, r"\d{4}-\d\d-\d\d", r"\d{4}(-\d\d)?"),
    "week": Level(kernels.WEEK, r"\d{4}-W\d\d", r"\d{4}(-\d\d)?"),
    "month": Level(kernels.MONTH, r"\d{4}-\d\d", r"\d{4}"),
    "quarter": Level(kernels.QUARTER, r"\d{4}-Q[1-4]", r"\d{4}"),
    "year": Level(kernels.YEAR, r"\d{4}", r"\d{4}"),
}


def cut_dates(level: str, partial: bool = False) -> Mask:
    """ISO 8601 dates and times, ``YYYY-MM-DD[THH:MM[:SS[.f…]][Z|±HH:MM]]``, cut to a level; text that is none is refused.

    A space may stand for the T; what is put out has a T.
    ``hour`` keeps the zone (``2024-03-15T10+02:00``), so that it is still known which hour it was; the others are local to the zone of
    the value. Weeks are those of ISO 8601: 2024-12-30 is in ``2025-W01``. Where `partial`, ``YYYY-MM`` and ``YYYY`` are dates, too, and
    stay where they are no finer than the level; none has an hour.
    """
    code = LEVELS[level].code

    def cut(values: Values, context: Context) -> Masked:
        refused = np.zeros(len(values.text), np.uint8)
        return Masked(rewrite(kernels.date_rows, values.text, code, partial, refused), refusals(values, TEXT, refused))

    return cut


def cut_epochs(level: str, unit: Unit) -> Mask:
    """Times as numbers since 1970, or texts of digits, become the beginning of their hour, day, week … in UTC, in the same unit."""

    def cut(values: Values, context: Context) -> Masked:
        times, read = epochs.ticks(values.text, unit)
        return numbers_like(values, epochs.beginnings(times, unit, level), read)

    return cut


def numbers_like(values: Values, made: np.ndarray, read: np.ndarray) -> Masked:
    """Whole numbers in the place of numbers and of texts of digits, each of its own kind.

    Args:
        values: n.
        made: int64, n.
        read: bool, n: False where there is none.
    """
    text = format_fixed(made, 0, values.text.is_valid().to_numpy(zero_copy_only=False))
    refused, empty = refusals(values, TEXT | NUMERIC, ~read), is_empty(values.text)
    if empty.any():
        text = pc.if_else(pa.array(empty), "", text)
    return Masked(text, refused, values.kinds == Kind.NUMBER)
