"""date_shift at work: days derived from the subject, added to the dates of a record."""

import re
from datetime import date, time

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.crypto.prf import Prf
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import PARTIAL, Domain, RuleContext
from flink_masking.techniques.date_shift import DateShiftParams, kernels
from flink_masking.techniques.generalize.dates import numbers_like
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.values import epochs
from flink_masking.values.units import A_SECOND, Unit

FORM = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})([T ](?P<clock>[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def shifts(words: np.ndarray, max_days: int) -> np.ndarray:
    """Days from random words: each of -max_days … max_days but 0 is equally likely, up to 2^-15.

    Args:
        words: uint64, n.
        max_days: 1 to 36,500.

    Returns:
        int64, n.
    """
    drawn = ((words >> np.uint64(32)) * np.uint64(2 * max_days) >> np.uint64(32)).astype(np.int64)
    return drawn - max_days + (drawn >= max_days)


def make(params: DateShiftParams, rule_context: RuleContext) -> Mask:
    """A mask that moves dates by a keyed number of days of the record's subject.

    Taken are ``YYYY-MM-DD`` and ``YYYY-MM-DDTHH:MM[:SS[.f…]][Z|±HH:MM]``, a space instead of the T allowed; the result has the same
    form, its offset included. Of a field of type partial_date ``YYYY-MM`` and ``YYYY`` are taken, too: their middle is moved and cut
    again; of a field with a unit, numbers since 1970 in this unit and texts of digits. Other values, results outside the years 0001 to
    9999, and values whose record has no subject are refused. Null stays null, ``""`` stays ``""``. Deterministic for a subject, row-local,
    not reversible. Leaks the intervals between a person's dates, and each date up to max_days.
    """
    prf, partial = Prf(rule_context.keys.derive("date_shift", params.domain)), rule_context.facts.kind == PARTIAL

    unit = rule_context.facts.unit

    def shift(values: Values, context: Context) -> Masked:
        n = len(values.text)
        if context.subjects is None:
            days = np.zeros(n, np.int64)
        else:
            subjects = context.subjects_of(values.rows)
            days = shifts(prf.words(subjects), params.max_days)
            days[~subjects.is_valid().to_numpy(zero_copy_only=False)] = 0  # the kernel refuses a shift of no days
        if unit is not None:
            return _numbers(values, unit, days, params.keep_time)
        data, offsets, valid = parts(values.text)
        buffer, out = output(int(offsets[-1] - offsets[0]))
        ends, refused = np.zeros(n + 1, np.int32), np.zeros(n, np.uint8)
        kernels.shift_dates(data, offsets, valid, days, params.keep_time, partial, out, ends, refused)
        refused |= (values.kinds == Kind.NUMBER).view(np.uint8)  # no date, unless the field declares a unit
        return Masked(assemble(pa.string(), buffer, ends, valid), refused.view(np.bool_) if refused.any() else None)

    return shift


def _numbers(values: Values, unit: Unit, days: np.ndarray, keep_time: bool) -> Masked:
    """Times as numbers since 1970, moved by days; whole ones, so that a fraction of the unit is cut off."""
    times, read = epochs.ticks(values.text, unit)
    if not keep_time:
        times = epochs.beginnings(times, unit, "day")
    later = np.floor_divide(epochs.moved(times, unit, days), A_SECOND[unit])
    read &= (days != 0) & (later >= epochs.FIRST) & (later <= epochs.LAST)
    return numbers_like(values, epochs.moved(times, unit, days), read)


def output_domain(params: DateShiftParams) -> Domain:
    """Dates and date-times of the years 0001 to 9999."""

    def contains(text: str) -> bool:
        found = FORM.fullmatch(text)
        if text == "" or found is None:
            return text == ""
        try:
            date.fromisoformat(found["date"])
            time.fromisoformat(found["clock"][:8] if found["clock"] else "00:00")
        except ValueError:
            return False
        return params.keep_time or not (found["clock"] or "").strip("0:.")

    return Domain("a date or date-time of the years 0001 to 9999, or nothing where there was nothing", contains)
