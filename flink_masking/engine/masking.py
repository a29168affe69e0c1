"""Masked segments: applies a rule to one field of a batch and handles the values that it refuses."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled, replaced
from flink_masking.contract.check_kernels import outside
from flink_masking.records.edits import DROP_VALUE, KEEP, KEEP_VALUE, USE, USE_LITERAL, Edit, Replace
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Values
from flink_masking.techniques.base import OnError
from flink_masking.techniques.masks import Context, Mask, Masked

REDACTED = "***"
"""What stands in for a value that a technique could not take, under ``on_error: redact``."""


@dataclass(frozen=True)
class FieldRule:
    """A compiled rule of a masked segment.

    Attributes:
        path: the field.
        technique: its technique's name, for the audit.
        mask: the compiled mask.
        takes: bool by kind code: True where the technique takes values of that kind.
        on_error: what becomes of values that it does not take.
        row_local: whether the result of a row depends on that row alone.
        shows: whether anything of a value is left in the result, so that a value that breaks its field's contract is not taken.
        hides: texts of at most so many characters are hidden whole by the mask, and taken even if they break the contract.
        placeholders: texts that stand for no value, and stay as they are.
    """

    path: str
    technique: str
    mask: Mask
    takes: np.ndarray
    on_error: OnError
    row_local: bool = True
    shows: bool = True
    hides: float = 0
    placeholders: pa.StringArray | None = None


def accepted_kinds(inputs: frozenset[Kind]) -> np.ndarray:
    """The look-up table of `FieldRule.takes`; null is always let through, to stay null."""
    takes = np.zeros(len(Kind), bool)
    takes[[*inputs, Kind.NULL]] = True
    return takes


@dataclass(frozen=True)
class KeptField:
    """A field that a masked segment keeps, so far as its values keep the field's contract.

    Attributes:
        path: the field.
        on_error: what becomes of the other values.
        technique: for the audit: keep, or what sweeps the values that stay.
    """

    path: str
    on_error: OnError
    technique: str = "keep"


def keep(unfit: np.ndarray | None, on_error: OnError) -> Edit:
    """The splice of a kept field: bool, n: the values that break its contract; None when all keep it."""
    if unfit is None:
        return KEEP
    if on_error == "drop":
        return Replace(pa.scalar(REDACTED), np.where(unfit, DROP_VALUE, KEEP_VALUE).astype(np.uint8))
    instead = pa.scalar(None if on_error == "nullify" else REDACTED, pa.string())
    return Replace(instead, np.where(unfit, USE, KEEP_VALUE).astype(np.uint8))


def as_it_came(values: Values, context: Context) -> Masked:
    """The mask of what is kept, where values have a contract to keep."""
    return Masked(values.text)


def edit(masked: Masked, refused: np.ndarray | None, on_error: OnError) -> Edit:
    """The splice of a masked field, with `on_error` carried out.

    ``quarantine`` has been carried out by rejecting the rows; should such a value still be met, it is redacted.
    """
    values, literal = masked.values, masked.literal
    if refused is None:
        return Replace(values, None if literal is None else np.where(literal, USE_LITERAL, USE).astype(np.uint8))
    if isinstance(values, pa.Scalar):
        values = pa.array(np.repeat(np.asarray([values.as_py()], dtype=object), len(refused)), type=values.type)
    if on_error == "drop":
        use = USE if literal is None else np.where(literal, USE_LITERAL, USE)
        return Replace(values, np.where(refused, DROP_VALUE, use).astype(np.uint8))
    if pa.types.is_binary(values.type):
        if on_error == "nullify":
            return Replace(nulled(values, refused))
        values, literal = values.cast(pa.string()), np.ones(len(refused), bool)
    how = None if literal is None else np.where(literal & ~refused, USE_LITERAL, USE).astype(np.uint8)
    return Replace(replaced(values, refused, None if on_error == "nullify" else REDACTED), how)


def apply(rule: FieldRule, values: Values, context: Context, live: np.ndarray | None = None,
          unfit: np.ndarray | None = None) -> tuple[Masked, np.ndarray | None]:
    """Run a rule's mask.

    Args:
        rule: the rule.
        values: n values of its field.
        context: of the batch.
        live: bool, n: the values that the mask may see; None: all of them.
        unfit: bool, n: the values that break their field's contract; they are refused and the mask does not see them. None: there are none.

    Returns:
        The masked values, null where not live; and bool, n: True where the value's contract, kind or form makes it one that cannot be
        taken (None when all were).
    """
    if rule.placeholders is not None:
        absent = absences(values.text, values.kinds, rule.placeholders)
        if absent is not None:
            return _beside(rule, values, context, live, unfit, absent)
    if unfit is not None and rule.hides:
        unfit = unfit & pc.greater(pc.utf8_length(values.text), rule.hides).fill_null(False).to_numpy(zero_copy_only=False)
    if unfit is not None:
        masked, refused = apply(rule, values, context, ~unfit if live is None else live & ~unfit)
        return masked, unfit if refused is None else refused | unfit
    if live is not None and not live.all():
        seen = Values(values.text.filter(pa.array(live)), values.kinds[live], values.rows[live])
        masked, refused = apply(rule, seen, context)
        if isinstance(masked.values, pa.Array):
            index = pa.array(np.cumsum(live) - 1, mask=~live)
            masked = masked._replace(values=masked.values.take(index) if len(masked.values) else pa.nulls(len(live), masked.values.type))
        if masked.literal is not None:
            masked = masked._replace(literal=_spread(masked.literal, live))
        if refused is not None:
            refused = _spread(refused, live)
        return masked, refused
    if len(values.rows) == 0:  # a field without any value in the batch is not worth a call
        return Masked(pa.array([], pa.string())), None
    masked = rule.mask(values, context)
    wrong = not_taken(values.kinds, rule.takes)
    if masked.refused is not None:
        refused = masked.refused & (values.kinds != Kind.NULL)
        wrong = refused if wrong is None else wrong | refused
    return masked, wrong if wrong is not None and wrong.any() else None


def absences(text: pa.StringArray, kinds: np.ndarray, placeholders: pa.StringArray) -> np.ndarray | None:
    """bool, n: values that are one of the texts that stand for no value; None when none is."""
    found: np.ndarray = pc.fill_null(pc.is_in(text, value_set=placeholders), False).to_numpy(zero_copy_only=False) & (kinds == Kind.STRING)
    return found if found.any() else None


def _beside(rule: FieldRule, values: Values, context: Context, live: np.ndarray | None, unfit: np.ndarray | None,
            absent: np.ndarray) -> tuple[Masked, np.ndarray | None]:
    """As `apply`, where some values are placeholders: the mask does not see them, and they stay."""
    others = ~absent if live is None else live & ~absent
    masked, refused = apply(replace(rule, placeholders=None), values, context, others, None if unfit is None else unfit & ~absent)
    made = masked.values
    if isinstance(made, pa.Scalar):
        made = pa.array([made.as_py()] * len(absent), made.type)
    literal = masked.literal
    if pa.types.is_binary(made.type):
        made, literal = made.cast(pa.string()), np.ones(len(absent), bool) if literal is None else literal
    kept = pa.array(absent)
    return Masked(pc.if_else(kept, values.text, made.cast(pa.string())), None, None if literal is None else literal & ~absent), refused


def _spread(mask: np.ndarray, live: np.ndarray) -> np.ndarray:
    """A mask of the live values as one of all of them: False elsewhere."""
    spread = np.zeros(len(live), bool)
    spread[live] = mask
    return spread


def not_taken(kinds: np.ndarray, takes: np.ndarray) -> np.ndarray | None:
    """Which of n kinds are not taken: bool, n, or None when all are. takes: bool by kind code."""
    wrong = np.empty(len(kinds), np.uint8)
    return wrong.view(np.bool_) if outside(kinds, int(takes @ _BITS), wrong) else None


_BITS = 1 << np.arange(len(Kind), dtype=np.int64)
