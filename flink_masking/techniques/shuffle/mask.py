"""shuffle at work: one random cycle of the rows of a batch."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.kinds import SCALAR, TEXT, Kind
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty
from flink_masking.techniques.shuffle import ShuffleParams

_IS_TEXT, _TAKEN = (np.array([kind in kinds for kind in Kind]) for kinds in (TEXT | {Kind.NULL}, SCALAR))


def cycle(generator: np.random.Generator, n: int) -> np.ndarray:
    """A random permutation of 0 … n - 1 that is one cycle, each equally likely.

    No place keeps its own (for n > 1), and every other place is equally likely to be its source, with 1 / (n - 1). An observer thus learns
    of a value only that it is not this row's own occurrence; equal values may still meet.

    Returns:
        int64, n: the source of each place.
    """
    order = generator.permutation(n)
    source = np.empty(n, np.int64)
    source[order] = np.roll(order, -1)
    return source


def make(params: ShuffleParams, rule_context: RuleContext) -> Mask:
    """A mask that hands each value to another row of the batch, anew for each batch.

    Null and ``""`` keep their places and take no part. A value keeps its kind: a number is a number in its new row. With a group, only
    rows in which every field of the group has exactly one value take part, all fields use one permutation of those rows, and the values
    of other rows are refused; a null or ``""`` then stays with its row, and is what its partner row receives. Fewer than `min_distinct`
    distinct values of this field: all are refused. Neither deterministic nor row-local; not reversible. Leaks the values themselves and
    how often each occurs.
    """
    label = "shuffle:" + ("\0".join(sorted(params.group)) if params.group else rule_context.facts.path)

    def shuffle(values: Values, context: Context) -> Masked:
        n = len(values.text)
        present = values.text.is_valid().to_numpy(zero_copy_only=False) & ~is_empty(values.text)
        usable = present & _TAKEN[values.kinds]
        moving = _in_whole_groups(values.rows, context, params.group) if params.group else usable
        if pc.count_distinct(values.text.filter(pa.array(moving & usable))).as_py() < params.min_distinct:
            return Masked(values.text.take(pa.array(np.arange(n), mask=present)), present)
        places = np.flatnonzero(moving)
        source = np.arange(n)
        source[places] = places[cycle(context.generator(label), len(places))]
        source[~present] = np.flatnonzero(~present)  # null and "" stay where they are
        refused = present & (~moving | ~usable | (present & ~usable)[source])  # what cannot be taken reaches no other row either
        taken = values.text.take(pa.array(source, mask=refused))
        literal = ~_IS_TEXT[values.kinds[source]]  # a number comes out as a number
        return Masked(taken, refused if refused.any() else None, literal if literal.any() else None)

    return shuffle


def _in_whole_groups(rows: np.ndarray, context: Context, group: tuple[str, ...]) -> np.ndarray:
    """Which values are in a row where every field of the group has exactly one value: bool, one a value."""
    whole = np.arange(int(rows.max(initial=-1)) + 1)
    for path in group:
        found, counts = np.unique(context.rows_of(path), return_counts=True)
        whole = np.intersect1d(whole, found[counts == 1], assume_unique=True)
    return np.isin(rows, whole)


def output_domain(params: ShuffleParams) -> Domain:
    """Any text: it is one of the batch's own values."""
    return Domain("a value of the same field in the same batch", lambda text: True)
