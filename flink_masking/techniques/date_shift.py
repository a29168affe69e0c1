"""date_shift: dates of a person moved by that person's own number of days, so that intervals stay and dates do not."""

import re
from datetime import date, time
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, StringConstraints

from flink_masking.arrow import assemble, output, parts
from flink_masking.crypto.prf import Prf
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import TEXT
from flink_masking.techniques import date_shift_kernels as kernels
from flink_masking.techniques.base import (
    Context,
    Domain,
    FieldFacts,
    Mask,
    Masked,
    Params,
    RuleContext,
    Shows,
    Technique,
    Values,
    always,
    showing,
    span,
)

FORM = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})([T ](?P<clock>[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


class DateShiftParams(Params):
    """Parameters of date_shift.

    Attributes:
        max_days: no date moves further, in either direction; none stays.
        per: whose shift it is; a person's.
        keep_time: the time of day stays byte for byte; else its digits become zeros.
        domain: dates of the same domain move alike, in every stream.
    """

    max_days: int = Field(ge=1, le=36_500, strict=True)
    per: Literal["subject"] = "subject"
    keep_time: bool = True
    domain: Annotated[str, StringConstraints(min_length=1)] = "date"


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


def _of_rows(subjects: pa.StringArray, rows: np.ndarray) -> pa.StringArray:
    """The subject of each row, without a copy where every row has one value."""
    if len(rows) == len(subjects) and (rows == np.arange(len(rows))).all():
        return subjects
    return subjects.take(pa.array(rows))


def make_date_shift(params: DateShiftParams, site: RuleContext) -> Mask:
    """A mask that moves dates by a keyed number of days of the record's subject.

    Taken are ``YYYY-MM-DD`` and ``YYYY-MM-DDTHH:MM[:SS[.f…]][Z|±HH:MM]``, a space instead of the T allowed; the result has the same
    form, its offset included. Other texts, results outside the years 0001 to 9999, and values whose record has no subject are refused.
    Null stays null, ``""`` stays ``""``. Deterministic for a subject, row-local, not reversible. Leaks the intervals between a person's
    dates, and each date up to max_days.

    Raises:
        PolicyError: the policy names no subject.
    """
    if not site.has_subject:
        raise PolicyError("date_shift moves the dates of a person, and the policy names no subject. Hint: add 'subject: FIELD'")
    prf = Prf(site.keys.derive("date_shift", params.domain))

    def shift(values: Values, context: Context) -> Masked:
        data, offsets, valid = parts(values.text)
        n = len(values.text)
        if context.subjects is None:
            days = np.zeros(n, np.int64)
        else:
            subjects = _of_rows(context.subjects, values.rows)
            days = shifts(prf.words(subjects), params.max_days)
            days[~subjects.is_valid().to_numpy(zero_copy_only=False)] = 0  # the kernel refuses a shift of no days
        buffer, out = output(int(offsets[-1] - offsets[0]))
        ends, refused = np.zeros(n + 1, np.int32), np.zeros(n, np.uint8)
        kernels.shift_dates(data, offsets, valid, days, params.keep_time, out, ends, refused)
        return Masked(assemble(pa.string(), buffer, ends, valid), refused.view(np.bool_) if refused.any() else None)

    return shift


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


def _resolution(params: DateShiftParams, facts: FieldFacts) -> float:
    return span(facts) / (2 * params.max_days + 1) + 1


TECHNIQUE = Technique(
    name="date_shift",
    summary="Dates moved by a keyed number of days, the same for all dates of a person.",
    params=DateShiftParams,
    make=make_date_shift,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=TEXT,
    output=output_domain,
    keyed=True,
    examples=({"max_days": 30}, {"max_days": 3650, "keep_time": False, "domain": "hospital"}),
    shows=showing(Shows.NOISE),
    resolution=_resolution,
)
