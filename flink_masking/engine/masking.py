"""Masked segments: a rule's mask over one field of a batch, with what the rule says about values that cannot be taken."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.edits import DROP_VALUE, USE, Edit, Replace
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Values
from flink_masking.techniques.base import Context, Mask, Masked, OnError

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
    """

    path: str
    technique: str
    mask: Mask
    takes: np.ndarray
    on_error: OnError
    row_local: bool = True


def accepted_kinds(inputs: frozenset[Kind]) -> np.ndarray:
    """The look-up table of `FieldRule.takes`; JSON null is always let through, to stay null."""
    takes = np.zeros(len(Kind), bool)
    takes[[*inputs, Kind.NULL]] = True
    return takes


def edit(masked: Masked, refused: np.ndarray | None, on_error: OnError) -> Edit:
    """The splice of a masked field, with `on_error` carried out.

    ``quarantine`` has been carried out by rejecting the rows; should such a value still be met, it is redacted.
    """
    if refused is None:
        return Replace(masked.values)
    values = masked.values
    if isinstance(values, pa.Scalar):
        values = pa.array(np.repeat(np.asarray([values.as_py()], dtype=object), len(refused)), type=values.type)
    if on_error == "drop":
        return Replace(values, np.where(refused, DROP_VALUE, USE).astype(np.uint8))
    text = None if on_error == "nullify" else REDACTED if pa.types.is_string(values.type) else f'"{REDACTED}"'.encode()
    return Replace(pc.if_else(pa.array(refused), pa.scalar(text, values.type), values))


def apply(rule: FieldRule, values: Values, context: Context, live: np.ndarray | None = None) -> tuple[Masked, np.ndarray | None]:
    """Run a rule's mask.

    Args:
        rule: the rule.
        values: n values of its field.
        context: of the batch.
        live: bool, n: the values that the mask may see; None: all of them.

    Returns:
        The masked values, null where not live; and bool, n: True where the value's kind or form cannot be taken (None when all were).
    """
    if live is not None and not live.all():
        seen = Values(values.text.filter(pa.array(live)), values.kinds[live], values.rows[live])
        masked, refused = apply(rule, seen, context)
        if isinstance(masked.values, pa.Array):
            masked = masked._replace(values=masked.values.take(pa.array(np.cumsum(live) - 1, mask=~live)))
        if refused is not None:
            spread = np.zeros(len(live), bool)
            spread[live] = refused
            refused = spread
        return masked, refused
    if len(values.rows) == 0:  # a field without any value in the batch is not worth a call
        return Masked(pa.array([], pa.string())), None
    masked = rule.mask(values, context)
    wrong = ~rule.takes[values.kinds]
    if masked.refused is not None:
        wrong |= masked.refused & (values.kinds != Kind.NULL)
    return masked, wrong if wrong.any() else None
