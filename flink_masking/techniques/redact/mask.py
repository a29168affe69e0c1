"""redact at work: values hidden whole."""

from flink_masking.records.kinds import SCALAR
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.redact import RedactParams, kernels
from flink_masking.techniques.rewriting import padded, refusals, rewrite


def make(params: RedactParams, rule_context: RuleContext) -> Mask:
    """A mask that hides values whole.

    Null stays null and ``""`` stays ``""``. Deterministic, row-local, not reversible. A constant leaks nothing but that there was a
    value; `fill` leaks its length in code points, for numbers and booleans that of their text.
    """
    if params.fill is None:
        constant = padded(params.constant)

        def replace(values: Values, context: Context) -> Masked:
            return Masked(rewrite(kernels.constant_rows, values.text, constant, grow=0, add=len(constant)))

        return replace
    character = padded(params.fill)
    width = len(params.fill.encode())

    def fill(values: Values, context: Context) -> Masked:
        return Masked(rewrite(kernels.fill_rows, values.text, character, grow=width), refusals(values, SCALAR))

    return fill


def output_domain(params: RedactParams) -> Domain:
    """The constant, or repetitions of the fill character; and the empty text."""
    if params.fill is None:
        return Domain("the constant, or nothing where there was nothing", lambda text: text in ("", params.constant))
    return Domain("the fill character, as often as the value had characters", lambda text: set(text) <= {params.fill})
