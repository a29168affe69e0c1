"""date_shift: dates of a person moved by that person's own number of days, so that intervals stay and dates do not."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC, TEXT
from flink_masking.techniques.base import FieldFacts, Params, RuleContext, Technique, span
from flink_masking.techniques.promises import Bounds, Promises, Shows


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


def promises(params: DateShiftParams) -> Promises:
    """Each date up to `max_days`, and the intervals between a person's dates."""
    return Promises(
        shows=Shows.NOISE,
        deterministic=True,
        lasting=True,
        row_local=True,
        passes=False,
        bounds=Bounds("dates", params.max_days),
        needs_subject=True,
        purposes=("date_shift",),
        result="same",
        domain=params.domain,
    )


def check(params: DateShiftParams, rule_context: RuleContext) -> None:
    """Refuse a policy without a subject.

    Raises:
        PolicyError: it names none.
    """
    if not rule_context.has_subject:
        raise PolicyError("date_shift moves the dates of a person, and the policy names no subject. Hint: add 'subject: FIELD'")


def _resolution(params: DateShiftParams, facts: FieldFacts) -> float:
    return span(facts) / (2 * params.max_days + 1) + 1


TECHNIQUE = Technique(
    name="date_shift",
    summary="Dates moved by a keyed number of days, the same for all dates of a person.",
    params=DateShiftParams,
    promises=promises,
    inputs=TEXT | NUMERIC,
    implementation="flink_masking.techniques.date_shift.mask",
    check=check,
    examples=({"max_days": 30}, {"max_days": 3650, "keep_time": False, "domain": "hospital"}),
    resolution=_resolution,
)
