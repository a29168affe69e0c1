"""perturb: bounded noise on numbers."""

import math
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC
from flink_masking.techniques.base import FieldFacts, Params, RuleContext, Technique, span
from flink_masking.techniques.promises import Bounds, Promises, Shows

MAX_SCALE = 18
"""Decimals of a result at most."""


class PerturbParams(Params):
    """Parameters of perturb; exactly one of `relative` and `absolute`.

    Attributes:
        relative: the result lies within this part of the value, 0.05 for five per cent.
        absolute: the result lies within this distance of the value.
        scale: decimals of the result; as many as the value's text has when left away.
        mode: random, anew each time; or keyed, the same noise for the same value.
        domain: in keyed mode, fields and streams of the same domain agree.
    """

    relative: float | None = Field(None, ge=1e-9, lt=1, allow_inf_nan=False)
    absolute: float | None = Field(None, ge=1e-9, le=1e15, allow_inf_nan=False)
    scale: int | None = Field(None, ge=0, le=MAX_SCALE, strict=True)
    mode: Literal["random", "keyed"] = "random"
    domain: Annotated[str, StringConstraints(min_length=1)] = "perturb"

    @model_validator(mode="after")
    def _fit_together(self) -> "PerturbParams":
        if (self.relative is None) == (self.absolute is None):
            raise ValueError("exactly one of relative and absolute is wanted. Hint: relative: 0.05, or absolute: 10")
        if self.mode == "random" and "domain" in self.model_fields_set:
            raise ValueError("random noise has no domain. Hint: omit domain, or use mode: keyed")
        return self


def warnings(params: PerturbParams) -> list[str]:
    """What a policy check says of parameters that are allowed and seldom meant."""
    bound, unit = Decimal(repr(params.absolute or params.relative)), Decimal(1).scaleb(-(params.scale or 0))
    if params.scale is None or (unit <= bound if params.absolute else unit <= bound * 10):
        return []
    below = "all numbers" if params.absolute else f"numbers below {(unit / bound).quantize(unit, ROUND_CEILING)}"
    return [f"with {params.scale} decimals {below} are rounded and get no noise. Hint: keep more decimals, or widen the bound"]


def promises(params: PerturbParams) -> Promises:
    """The value up to the bound; keyed noise is the same each time."""
    keyed = params.mode == "keyed"
    rounded: int | Literal["written"] = "written" if params.scale is None else params.scale
    return Promises(
        shows=Shows.NOISE,
        deterministic=keyed,
        lasting=keyed,
        row_local=True,
        passes=False,
        bounds=Bounds("numbers", params.absolute or 0.0, params.relative or 0.0, rounded),
        purposes=("perturb",) if keyed else (),
        result="kind",
        domain=params.domain if keyed else None,
    )


def number(given: Any) -> Decimal | None:
    """A finite number of a policy, exactly; None for anything else."""
    try:
        exact = Decimal(str(given))
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None


def check(params: PerturbParams, rule_context: RuleContext) -> None:
    """Refuse a field whose domain is not of numbers.

    Raises:
        PolicyError: it is not.
    """
    if any(number(end) is None for end in rule_context.facts.domain or ()):
        raise PolicyError("perturb is for numbers, and the field's domain is of something else. Hint: use date_shift for dates")


def _resolution(params: PerturbParams, facts: FieldFacts) -> float:
    """Intervals of the size of the noise that fit into the declared range; relative noise is reckoned from one to its far end."""
    if params.absolute is not None:
        return span(facts) / (2 * params.absolute) + 1
    assert params.relative is not None
    return max(1.0, math.log(max(math.e, span(facts))) / (2 * params.relative)) + 1


TECHNIQUE = Technique(
    name="perturb",
    summary="Numbers with bounded noise.",
    params=PerturbParams,
    promises=promises,
    inputs=NUMERIC,
    implementation="flink_masking.techniques.perturb.mask",
    check=check,
    warnings=warnings,
    examples=({"relative": 0.05, "scale": 2}, {"absolute": 10}, {"relative": 0.1, "mode": "keyed", "domain": "amount"}),
    resolution=_resolution,
)
