"""generalize at work: one mask for each way of making a value coarser."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation

from flink_masking.records.kinds import NUMERIC, TEXT, Kind
from flink_masking.techniques.base import PARTIAL, Domain, RuleContext
from flink_masking.techniques.generalize import GeneralizeParams
from flink_masking.techniques.generalize.checks import tree_of
from flink_masking.techniques.generalize.dates import LEVELS, ages, cut_dates, cut_epochs
from flink_masking.techniques.generalize.ends import with_ends
from flink_masking.techniques.generalize.labels import cut_text, look_up
from flink_masking.techniques.generalize.numbers import number_ranges, round_numbers
from flink_masking.techniques.generalize.places import GEOHASH_ALPHABET, geohash_cells
from flink_masking.techniques.generalize.subnets import subnets
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import refusals


def make(params: GeneralizeParams, rule_context: RuleContext) -> Mask:
    """A mask that makes values coarser.

    Null stays null and ``""`` stays ``""``. Deterministic, row-local, not reversible; leaks what the coarser value says. Refused, besides
    values outside the field's domain: what is not a number (`width`, `round_to`), not text (`prefix`), not an ISO 8601 date
    (`date`; for ``hour`` one without a time), not in the hierarchy, not an object with one latitude and one longitude (`geohash`).
    """
    if params.age_on is not None:
        return _of_age(params, rule_context)
    if params.coded:
        inner = replace_ends(params)
        made = None if inner is None else make(inner, rule_context)
        return with_ends(made, params.min, params.low_label, params.max, params.label)
    if params.subnet is not None:
        return subnets(params.subnet, params.subnet_v6)
    if params.width is not None:
        return number_ranges(params.width, params.origin, rule_context.facts.domain, rule_context.facts.path)
    if params.prefix is not None:
        return cut_text(params.prefix)
    if params.date is not None and rule_context.facts.unit is not None:
        return cut_epochs(params.date, rule_context.facts.unit)
    if params.date is not None:
        return cut_dates(params.date, rule_context.facts.kind == PARTIAL)
    if params.geohash is not None:
        return geohash_cells(params.geohash)
    if params.round_to is not None:
        return round_numbers(params.round_to)
    assert params.level is not None
    return look_up(tree_of(params.hierarchy, params.level, rule_context), params.level)


def _of_age(params: GeneralizeParams, rule_context: RuleContext) -> Mask:
    """A mask of dates of birth: the age, or what the other parameters make of it; the field's domain is one of dates and none of ages."""
    day, rest = date.fromisoformat(params.age_on or ""), params.model_copy(update={"age_on": None})
    partial, unit = rule_context.facts.kind == PARTIAL, rule_context.facts.unit
    site = replace(rule_context, facts=replace(rule_context.facts, domain=None, unit=None))
    inner = make(rest, site) if rest.coded or rest.width is not None or rest.round_to is not None else None

    def mask(values: Values, context: Context) -> Masked:
        aged, unread = ages(values, day, partial, unit)
        made = Masked(aged.text, None, aged.kinds == Kind.NUMBER) if inner is None else inner(aged, context)
        refused = refusals(values, TEXT if unit is None else TEXT | NUMERIC, unread)
        if made.refused is not None:
            refused = made.refused if refused is None else refused | made.refused
        return made._replace(refused=refused)

    return mask


def replace_ends(params: GeneralizeParams) -> GeneralizeParams | None:
    """The same without labels for the ends of the range; None where nothing is left."""
    if params.width is None and params.round_to is None:
        return None
    return params.model_copy(update={"max": None, "min": None, "label": None, "low_label": None})


_SUBNET = re.compile(r"[0-9a-f.:]+/[0-9]+")
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_RANGE = re.compile(rf"({_NUMBER})|([0-9]+)-([0-9]+)|\[({_NUMBER}), ({_NUMBER})[)\]]")


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_range(text: str, width: Decimal) -> bool:
    found = _RANGE.fullmatch(text)
    ends = [Decimal(end) for end in found.groups() if end is not None] if found else []
    return bool(ends) and 0 <= ends[-1] - ends[0] <= width


def output_domain(params: GeneralizeParams) -> Domain:
    """The set of coarser values, and the empty text."""
    if params.age_on is not None:
        rest = params.model_copy(update={"age_on": None})
        if not rest.coded and rest.width is None and rest.round_to is None:
            return Domain("ages", lambda text: not text or text.isdigit())
        return output_domain(rest)
    if params.coded:
        inner = replace_ends(params)
        within = None if inner is None else output_domain(inner).contains
        labels = {params.label or f">{params.max}", params.low_label or f"<{params.min}", ""}

        def coded(text: str) -> bool:
            return text in labels or (within(text) if within is not None else _is_number(text))

        return Domain("labels of the ends, and what is between them", coded)
    if params.subnet is not None:
        return Domain("networks", lambda text: not text or _SUBNET.fullmatch(text) is not None)
    if (width := params.width) is not None:
        return Domain(f"ranges of width {width}, at the ends of the domain narrower", lambda text: not text or _is_range(text, width))
    if params.prefix is not None:
        return Domain("a prefix followed by at least one *", lambda text: not text or text.endswith("*"))
    if params.date is not None:
        level = LEVELS[params.date]
        form = re.compile(rf"{level.form}|{level.partial}|-?[0-9]+")
        return Domain(f"ISO 8601 dates cut to the {params.date}", lambda text: not text or form.fullmatch(text) is not None)
    if (length := params.geohash) is not None:
        return Domain(f"geohash cells of {length} characters", lambda text: len(text) == length and set(text) <= set(GEOHASH_ALPHABET))
    if (step := params.round_to) is not None:
        return Domain(f"multiples of {step}", lambda text: not text or Decimal(text) % step == 0)
    return Domain(f"labels of level {params.level} of the hierarchy", lambda text: True)
