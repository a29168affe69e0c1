"""Text cut to a prefix, and values looked up in a hierarchy."""

import numpy as np
import pyarrow.compute as pc

from flink_masking.arrow import strings
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import SCALAR, TEXT
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.partial.mask import hide_all_but
from flink_masking.techniques.rewriting import refusals


def cut_text(length: int) -> Mask:
    """The first `length` code points, each of the others as ``*``; a text that is no longer than `length` is hidden whole."""
    hide = hide_all_but(length, same_length=True)

    def cut(values: Values, context: Context) -> Masked:
        return Masked(hide(values, context).values, refusals(values, TEXT))

    return cut


def look_up(tree: Hierarchy, level: int) -> Mask:
    """The label of each value at a level of the hierarchy, 1 (the parents of the values) to its height; unlisted values are refused."""
    listed = "" in tree.leaves
    leaves = strings(tree.leaves if listed else (*tree.leaves, ""))
    labels = strings(tree.labels(level) if listed else (*tree.labels(level), ""))

    def to_labels(values: Values, context: Context) -> Masked:
        result = labels.take(pc.index_in(values.text, value_set=leaves))
        unknown = None
        if result.null_count > values.text.null_count:
            unknown = np.asarray(pc.and_(result.is_null(), values.text.is_valid()))
        return Masked(result, refusals(values, SCALAR, unknown))

    return to_labels
