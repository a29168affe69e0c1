"""perturb at work: noise drawn, or derived from the value, in exact integers."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.crypto.prf import Prf
from flink_masking.errors import InputError
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.perturb import MAX_SCALE, PerturbParams, kernels, number
from flink_masking.techniques.rewriting import LARGEST


def make(params: PerturbParams, rule_context: RuleContext) -> Mask:
    """A mask that replaces each number by one drawn uniformly from those of its scale within the bound, and within the field's domain.

    The bound holds exactly, since all is computed in integers. Where no number of so few decimals lies within it, the nearest one is
    taken. A value that is the only one of its scale within the bound stays as it is: 0 with a relative bound, 3 with five per cent and no
    decimals. Refused are values other than numbers, more than 18 decimals, more than 18 digits, and values farther outside the domain than
    the bound reaches. Null stays null. Keyed: deterministic, from the HMAC-SHA-256 of the value's text. Row-local, not reversible. Leaks
    the value up to the bound, and more to who sees several random results of one value.
    """
    relative = int(Decimal(repr(params.relative or 0)).scaleb(9))
    absolute, absolute_scale = _units(params.absolute or 0)
    lows, highs = _limits(rule_context.facts.domain)
    prf = Prf(rule_context.keys.derive("perturb", params.domain)) if params.mode == "keyed" else None
    label, scale = f"perturb:{rule_context.facts.path}", -1 if params.scale is None else params.scale

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
    scale = min(max(-int(exact.as_tuple().exponent), 0), MAX_SCALE)
    return int(exact.scaleb(scale)), scale


def _limits(domain: tuple[Any, Any] | None) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest result in units of each scale, int64, MAX_SCALE + 1 each."""
    made = []
    for given, limit, rounding in zip(domain or (None, None), (-kernels.LIMIT, kernels.LIMIT), (ROUND_CEILING, ROUND_FLOOR), strict=True):
        exact = number(given)
        scaled = [limit if exact is None else int(exact.scaleb(k).to_integral_value(rounding)) for k in range(MAX_SCALE + 1)]
        made.append(np.array([min(max(x, -2 * kernels.LIMIT), 2 * kernels.LIMIT) for x in scaled]))
    return made[0], made[1]


def output_domain(params: PerturbParams) -> Domain:
    """JSON numbers, of `scale` decimals where it is given."""
    decimals = rf"(\.[0-9]{{1,{MAX_SCALE}}})?" if params.scale is None else rf"\.[0-9]{{{params.scale}}}" if params.scale else ""
    form = re.compile(rf"-?(0|[1-9][0-9]*){decimals}")
    return Domain("a JSON number without exponent", lambda text: form.fullmatch(text) is not None)
