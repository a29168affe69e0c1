"""perturb: bounded noise on numbers."""

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, StringConstraints, model_validator

from flink_masking.arrow import assemble, output, parts
from flink_masking.crypto.prf import Prf
from flink_masking.errors import InputError, PolicyError
from flink_masking.records.kinds import NUMERIC
from flink_masking.techniques import perturb_kernels as kernels
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
    showing,
    span,
)
from flink_masking.techniques.rewriting import LARGEST


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
    scale: int | None = Field(None, ge=0, le=kernels.MAX_SCALE, strict=True)
    mode: Literal["random", "keyed"] = "random"
    domain: Annotated[str, StringConstraints(min_length=1)] = "perturb"

    @model_validator(mode="after")
    def _fit_together(self) -> "PerturbParams":
        if (self.relative is None) == (self.absolute is None):
            raise ValueError("exactly one of relative and absolute is wanted. Hint: relative: 0.05, or absolute: 10")
        if self.mode == "random" and "domain" in self.model_fields_set:
            raise ValueError("random noise has no domain. Hint: leave domain away, or use mode: keyed")
        return self


def warnings(params: PerturbParams) -> list[str]:
    """What a policy check says of parameters that are allowed and seldom meant."""
    bound, unit = Decimal(repr(params.absolute or params.relative)), Decimal(1).scaleb(-(params.scale or 0))
    if params.scale is None or (unit <= bound if params.absolute else unit <= bound * 10):
        return []
    below = "all numbers" if params.absolute else f"numbers below {(unit / bound).quantize(unit, ROUND_CEILING)}"
    return [f"with {params.scale} decimals {below} are rounded and get no noise. Hint: keep more decimals, or widen the bound"]


def make_perturb(params: PerturbParams, site: RuleContext) -> Mask:
    """A mask that replaces each number by one drawn uniformly from those of its scale within the bound, and within the field's domain.

    The bound holds exactly, since all is computed in integers. Where no number of so few decimals lies within it, the nearest one is
    taken. A value that is the only one of its scale within the bound stays as it is: 0 with a relative bound, 3 with five per cent and no
    decimals. Refused are values other than numbers, more than 18 decimals, more than 18 digits, and values farther outside the domain than
    the bound reaches. Null stays null. Keyed: deterministic, from the HMAC-SHA-256 of the value's text. Row-local, not reversible. Leaks
    the value up to the bound, and more to who sees several random results of one value.

    Raises:
        PolicyError: the field's domain is not of numbers.
    """
    relative = int(Decimal(repr(params.relative or 0)).scaleb(9))
    absolute, absolute_scale = _units(params.absolute or 0)
    lows, highs = _limits(site.facts.domain)
    prf = Prf(site.keys.derive("perturb", params.domain)) if params.mode == "keyed" else None
    label, scale = f"perturb:{site.facts.path}", -1 if params.scale is None else params.scale

    def perturb(values: Values, context: Context) -> Masked:
        n = len(values.text)
        if n * kernels.WIDEST > LARGEST:
            raise InputError("perturb: a batch could grow beyond 2 GiB. Hint: use smaller batches")
        words = prf.words(values.text) if prf else context.generator(label).integers(0, 1 << 64, n, np.uint64)
        data, offsets, valid = parts(values.text)
        buffer, out = output(n * kernels.WIDEST)
        ends, refused = np.zeros(n + 1, np.int32), np.zeros(n, np.uint8)
        bound = (relative, absolute, absolute_scale)
        kernels.perturb_numbers(data, offsets, valid, values.kinds, words, *bound, scale, lows, highs, out, ends, refused)
        return Masked(assemble(pa.binary(), buffer, ends, valid), refused.view(np.bool_) if refused.any() else None)

    return perturb


def _units(bound: float) -> tuple[int, int]:
    """A bound as an integer and its decimals, rounded down after eighteen digits."""
    exact = Decimal(repr(bound)).normalize()
    scale = min(max(-int(exact.as_tuple().exponent), 0), kernels.MAX_SCALE)
    return int(exact.scaleb(scale)), scale


def _limits(domain: tuple[Any, Any] | None) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest result in units of each scale, int64, MAX_SCALE + 1 each."""
    made = []
    for given, limit, rounding in zip(domain or (None, None), (-kernels.LIMIT, kernels.LIMIT), (ROUND_CEILING, ROUND_FLOOR), strict=True):
        exact = _number(given)
        if domain is not None and exact is None:
            raise PolicyError("perturb is for numbers, and the field's domain is of something else. Hint: use date_shift for dates")
        scaled = [limit if exact is None else int(exact.scaleb(k).to_integral_value(rounding)) for k in range(kernels.MAX_SCALE + 1)]
        made.append(np.array([min(max(x, -2 * kernels.LIMIT), 2 * kernels.LIMIT) for x in scaled]))
    return made[0], made[1]


def _number(given: Any) -> Decimal | None:
    try:
        exact = Decimal(str(given))
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None


def output_domain(params: PerturbParams) -> Domain:
    """JSON numbers, of `scale` decimals where it is given."""
    decimals = rf"(\.[0-9]{{1,{kernels.MAX_SCALE}}})?" if params.scale is None else rf"\.[0-9]{{{params.scale}}}" if params.scale else ""
    form = re.compile(rf"-?(0|[1-9][0-9]*){decimals}")
    return Domain("a JSON number without exponent", lambda text: form.fullmatch(text) is not None)


def is_keyed(params: PerturbParams) -> bool:
    """Whether the same value always gets the same noise."""
    return params.mode == "keyed"


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
    make=make_perturb,
    deterministic=is_keyed,
    reversible=False,
    row_local=True,
    inputs=NUMERIC,
    output=output_domain,
    keyed=True,
    examples=({"relative": 0.05, "scale": 2}, {"absolute": 10}, {"relative": 0.1, "mode": "keyed", "domain": "amount"}),
    shows=showing(Shows.NOISE),
    lasting=is_keyed,
    resolution=_resolution,
)
