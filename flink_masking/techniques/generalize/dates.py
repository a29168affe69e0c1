"""Dates cut to a level of ISO 8601."""

import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled
from flink_masking.records.kinds import NUMERIC, TEXT, Kind
from flink_masking.techniques.generalize import CYCLES
from flink_masking.techniques.generalize import date_kernels as kernels
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty, refusals, rewrite
from flink_masking.values import epochs, instants
from flink_masking.values.days import days as days_of
from flink_masking.values.decimals import format_fixed
from flink_masking.values.units import A_SECOND, Unit


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
    "hour_of_day": Level(kernels.HOUR, r"[01]\d|2[0-3]", ""),
    "weekday": Level(kernels.DAY, r"[1-7]", ""),
}


def cut_dates(level: str, partial: bool = False) -> Mask:
    """ISO 8601 dates and times, ``YYYY-MM-DD[THH:MM[:SS[.f…]][Z|±HH:MM]]``, cut to a level; text that is none is refused.

    A space may stand for the T; what is put out has a T.
    ``hour`` keeps the zone (``2024-03-15T10+02:00``), so that it is still known which hour it was; the others are local to the zone of
    the value. Weeks are those of ISO 8601: 2024-12-30 is in ``2025-W01``. Where `partial`, ``YYYY-MM`` and ``YYYY`` are dates, too, and
    stay where they are no finer than the level; none has an hour.
    """
    code, cyclic = LEVELS[level].code, level in CYCLES

    def cut(values: Values, context: Context) -> Masked:
        refused = np.zeros(len(values.text), np.uint8)
        made = rewrite(kernels.date_rows, values.text, code, partial and not cyclic, refused)
        return Masked(_round(made, level) if cyclic else made, refusals(values, TEXT, refused))

    return cut


def _round(cut: pa.StringArray, level: str) -> pa.StringArray:
    """What comes round again of dates that are cut to the hour (``2024-03-15T10Z`` → ``10``) or the day (``2024-03-15`` → ``5``)."""
    if level == "hour_of_day":
        return pc.utf8_slice_codeunits(cut, 11, 13)
    times, dated = instants.parse(cut)
    days = pc.cast(pa.array(np.floor_divide(times, 86_400_000) + 3).to_numpy() % 7 + 1, pa.string())
    return pc.if_else(pa.array(dated), days, cut)


def cut_epochs(level: str, unit: Unit) -> Mask:
    """Times as numbers since 1970, or texts of digits, become the beginning of their hour, day, week … in UTC, in the same unit."""

    def cut(values: Values, context: Context) -> Masked:
        times, read = epochs.ticks(values.text, unit)
        if level in CYCLES:
            return _cyclic(values, np.floor_divide(times, A_SECOND[unit]), read, level)
        return numbers_like(values, epochs.beginnings(times, unit, level), read)

    return cut


def _cyclic(values: Values, seconds: np.ndarray, read: np.ndarray, level: str) -> Masked:
    """What comes round again of times in seconds since 1970, in UTC, as text."""
    numbers = seconds // 3_600 % 24 if level == "hour_of_day" else (np.floor_divide(seconds, 86_400) + 3) % 7 + 1
    text = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), 2 if level == "hour_of_day" else 1, "0")
    empty = is_empty(values.text)
    text = nulled(pc.if_else(pa.array(empty), "", text), values.text.is_null().to_numpy(zero_copy_only=False))
    return Masked(text, refusals(values, TEXT | NUMERIC, ~read))


def ages(values: Values, day: datetime.date, partial: bool = False, unit: Unit | None = None) -> tuple[Values, np.ndarray]:
    """Whole years from each date of birth to a day, as numbers; and which are none (bool, n): no date, or one after the day.

    A date may have a time of day, which does not count; where `partial`, a month or a year counts as its middle, so that the age can be a
    year too high or too low; with a unit, values are numbers since 1970. Null and ``""`` stay, and are none.
    """
    born, dated = days_of(values.text, partial, unit)
    days = born.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = day.year - (days.astype("datetime64[Y]").astype(np.int64) + 1970)
    month, of_month = months.astype(np.int64) % 12 + 1, (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    years -= (month > day.month) | ((month == day.month) & (of_month > day.day))
    read = dated & (years >= 0) & np.isin(values.kinds, list(TEXT if unit is None else TEXT | NUMERIC))
    kinds = np.where(read, Kind.NUMBER, values.kinds).astype(np.int32)
    return values._replace(text=pc.if_else(pa.array(read), pc.cast(pa.array(years), pa.string()), values.text), kinds=kinds), ~read


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
