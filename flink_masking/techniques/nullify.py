"""nullify: the value becomes JSON null."""

import pyarrow as pa

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import (
    Context,
    Domain,
    Mask,
    Masked,
    Params,
    RuleContext,
    Shows,
    Technique,
    Values,
    always,
    never,
    showing,
)


class NullifyParams(Params):
    """nullify has no parameters."""


def nullify(values: Values, context: Context) -> Masked:
    """JSON null for everything, ``""`` and whole objects included; deterministic, row-local, leaks only that the member was there."""
    return Masked(pa.scalar(None, pa.string()))


def make_nullify(params: NullifyParams, site: RuleContext) -> Mask:
    """The mask that puts null in the place of every value."""
    return nullify


def output_domain(params: NullifyParams) -> Domain:
    """No text at all: every replacement is null."""
    return Domain("null", lambda text: False)


TECHNIQUE = Technique(
    name="nullify",
    summary="JSON null.",
    params=NullifyParams,
    make=make_nullify,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=ANYTHING,
    output=output_domain,
    shows=showing(Shows.NOTHING),
    lasting=never,
)
