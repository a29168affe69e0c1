"""nullify at work: null in the place of every value."""

import pyarrow as pa

from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.nullify import NullifyParams


def nullify(values: Values, context: Context) -> Masked:
    """JSON null for everything, ``""`` and whole objects included; deterministic, row-local, leaks only that the member was there."""
    return Masked(pa.scalar(None, pa.string()))


def make(params: NullifyParams, rule_context: RuleContext) -> Mask:
    """The mask that puts null in the place of every value."""
    return nullify


def output_domain(params: NullifyParams) -> Domain:
    """No text at all: every replacement is null."""
    return Domain("null", lambda text: False)
