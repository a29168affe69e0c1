"""shuffle: the values of a field change places within the batch."""

from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, StringConstraints, field_validator

from flink_masking.errors import PolicyError
from flink_masking.records.json.text import quote
from flink_masking.records.kinds import SCALAR, TEXT, Kind
from flink_masking.techniques.base import Context, Domain, Mask, Masked, Params, RuleContext, Shows, Technique, Values, never, showing
from flink_masking.techniques.rewriting import is_empty

Path = Annotated[str, StringConstraints(min_length=1)]
_IS_TEXT, _TAKEN = (np.array([kind in kinds for kind in Kind]) for kinds in (TEXT, SCALAR))


class ShuffleParams(Params):
    """Parameters of shuffle.

    Attributes:
        min_distinct: fewer distinct values in a batch than these hide nobody, and all are refused.
        group: paths of the fields that move together, this one among them, each with the same rule; empty when it moves alone.
    """

    min_distinct: int = Field(10, ge=2, strict=True)
    group: tuple[Path, ...] = ()

    @field_validator("group")
    @classmethod
    def _two_or_more(cls, group: tuple[str, ...]) -> tuple[str, ...]:
        if len(group) == 1 or len(set(group)) != len(group):
            raise ValueError("a group has two or more different fields. Hint: leave group away for a field that moves alone")
        return group


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


def make_shuffle(params: ShuffleParams, site: RuleContext) -> Mask:
    """A mask that hands each value to another row of the batch, anew for each batch.

    Null and ``""`` keep their places and take no part. A value keeps its kind: a number is a number in its new row. With a group, only
    rows in which every field of the group has exactly one value take part, all fields use one permutation of those rows, and the values
    of other rows are refused; a null or ``""`` then stays with its row, and is what its partner row receives. Fewer than `min_distinct`
    distinct values of this field: all are refused. Neither deterministic nor row-local; not reversible. Leaks the values themselves and
    how often each occurs.

    Raises:
        PolicyError: the group lacks this field.
    """
    if params.group and site.facts.path not in params.group:
        raise PolicyError("the group of shuffle lacks the field that the rule is for. Hint: list every field that moves together")
    label = "shuffle:" + ("\0".join(sorted(params.group)) if params.group else site.facts.path)

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
        return Masked(_as_they_were(taken, values.kinds[source]), refused if refused.any() else None)

    return shuffle


def _in_whole_groups(rows: np.ndarray, context: Context, group: tuple[str, ...]) -> np.ndarray:
    """Which values are in a row where every field of the group has exactly one value: bool, one a value."""
    whole = np.arange(int(rows.max(initial=-1)) + 1)
    for path in group:
        found, counts = np.unique(context.rows_of(path), return_counts=True)
        whole = np.intersect1d(whole, found[counts == 1], assume_unique=True)
    return np.isin(rows, whole)


def _as_they_were(text: pa.StringArray, kinds: np.ndarray) -> pa.Array:
    """Strings when all are; else JSON text, so that a number comes out as a number."""
    is_text = _IS_TEXT[kinds] | text.is_null().to_numpy(zero_copy_only=False)
    if is_text.all():
        return text
    if not is_text.any():
        return text.cast(pa.binary())
    return pc.if_else(pa.array(is_text), quote(text), text.cast(pa.binary()))


def output_domain(params: ShuffleParams) -> Domain:
    """Any text: it is one of the batch's own values."""
    return Domain("a value of the same field in the same batch", lambda text: True)


TECHNIQUE = Technique(
    name="shuffle",
    summary="Values change places within the batch.",
    params=ShuffleParams,
    make=make_shuffle,
    deterministic=never,
    reversible=False,
    row_local=False,
    inputs=SCALAR,
    output=output_domain,
    examples=({}, {"min_distinct": 2}),
    shows=showing(Shows.NOTHING),
    lasting=never,
)
