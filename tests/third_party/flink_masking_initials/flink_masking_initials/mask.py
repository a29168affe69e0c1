"""initials at work: one regular expression over the column."""

import re

import pyarrow.compute as pc

from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking_initials import InitialsParams


def make(params: InitialsParams, site: RuleContext) -> Mask:
    """A mask that keeps the first letter of each word."""
    replacement = rf"\1{params.mark}"

    def initials(values: Values, context: Context) -> Masked:
        return Masked(pc.replace_substring_regex(values.text, r"\s*(\S)\S*\s*", replacement))

    return initials


def output_domain(params: InitialsParams) -> Domain:
    """Letters with the mark behind each."""
    form = re.compile(rf"(\S{re.escape(params.mark)})*")
    return Domain(f"single letters, each with {params.mark!r} behind it", lambda text: form.fullmatch(text) is not None)
