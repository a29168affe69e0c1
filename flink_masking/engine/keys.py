"""Keys of open objects: the names of members that a policy declares by ``*`` are data, and are masked as values are."""

import numpy as np
import pyarrow.compute as pc

from flink_masking.crypto.code_points import normalised
from flink_masking.engine.masking import FieldRule, apply
from flink_masking.engine.rejections import Rejections
from flink_masking.records.edits import DROP_VALUE, USE, Keys
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import SpanTable
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.promises import Promises


def exact(promises: Promises, mask: Mask) -> Mask:
    """The mask of an injective technique, which for keys must keep apart texts that Unicode takes for one.

    A technique that composes text first (NFC) would give two keys of one object the same name; those that are not composed are refused.
    """
    if not promises.composes:
        return mask

    def refuse_decomposed(values: Values, context: Context) -> Masked:
        masked, (composed, wide) = mask(values, context), normalised(values.text)
        if not wide:
            return masked
        other = pc.fill_null(pc.not_equal(composed, values.text), False).to_numpy(zero_copy_only=False)
        return masked if not other.any() else masked._replace(refused=other if masked.refused is None else masked.refused | other)

    return refuse_decomposed


def renamed(rule: FieldRule, table: SpanTable, context: Context, rejections: Rejections) -> Keys:
    """Apply a segment's rule to the keys at a path.

    Args:
        rule: its path ends in ``*``; on_error is drop, which removes a member whose key cannot be taken, or quarantine.
        table: of the batch.
        context: of the batch.
        rejections: extended in place.
    """
    keys, rows = table.keys(rule.path), table.rows(rule.path)
    masked, refused = apply(rule, Values(keys, np.full(len(rows), Kind.STRING, np.int32), rows), context)
    made = masked.values
    if refused is None:
        return Keys(made)
    if rule.on_error == "quarantine":
        rejections.add(rows[refused], "refused_key", rule.path)
    return Keys(pc.fill_null(made, ""), np.where(refused, DROP_VALUE, USE).astype(np.uint8))


