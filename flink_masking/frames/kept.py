"""What a view shows as it is: types of columns that hold no more than the policy declares, and the order of their categories."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from flink_masking.frames.forms import is_list
from flink_masking.records.paths import Step, Wild, parse_path
from flink_masking.techniques.base import Action

if TYPE_CHECKING:
    from flink_masking.policy.load import LoadedPolicy

Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Kept:
    """A column whose values a view shows as they are.

    Attributes:
        kind: its type, without metadata, and with the declared members of structures only: the names of others are data.
        order: where categories have an order, those of the given frame in it; not all of them may be shown.
    """

    kind: pa.DataType
    order: pa.Array | None = None


def kept(loaded: "LoadedPolicy", segment: str, table: pa.Table) -> dict[str, Kept]:
    """The columns whose values the view shows as they are.

    A column of which the type could tell what the view does not show is left out: the view's own values then say what type it has.

    Args:
        loaded: the policy.
        segment: a masked segment.
        table: the given columns.
    """
    rules = [(parse_path(path)[0], rule) for path, rule in loaded.rules(segment).items()]
    declared = [parse_path(path) for path in loaded.policy.fields]
    found = {}
    for field in table.schema:
        below = [rule for first, rule in rules if first == field.name]
        if below and all(rule.technique.action is Action.KEEP for rule in below):
            kind = _declared(field.type, [steps[1:] for steps in declared if steps[0] == field.name])
            if kind is not None and pa.types.is_dictionary(field.type):
                found[field.name] = Kept(pa.dictionary(pa.int32(), kind), _order(table.column(field.name)))
            elif kind is not None:
                found[field.name] = Kept(kind)
    return found


def _declared(kind: pa.DataType, paths: Sequence[Steps]) -> pa.DataType | None:
    """The type with declared members only and without dictionaries; None where names of members are data, as in maps and under ``*``.

    Args:
        kind: of a value.
        paths: the declared fields in the value, from it on.
    """
    if pa.types.is_dictionary(kind):
        return _declared(kind.value_type, paths)
    items = [steps[1:] for steps in paths if steps and steps[0] in (Wild.ELEMENT, Wild.MAYBE)]
    if is_list(kind):
        item = _declared(pa.string() if pa.types.is_null(kind.value_type) else kind.value_type, items)  # see `casts.textual`
        if item is None or not items:
            return None
        if pa.types.is_fixed_size_list(kind):
            return pa.list_(item, kind.list_size)
        return pa.large_list(item) if pa.types.is_large_list(kind) else pa.list_(item)
    if pa.types.is_struct(kind):
        return _structure(kind, [*(steps for steps in paths if steps and steps[0] is not Wild.MAYBE),
                                 *(steps[1:] for steps in paths if steps and steps[0] is Wild.MAYBE)])
    return None if pa.types.is_nested(kind) else kind


def _structure(kind: pa.StructType, paths: Sequence[Steps]) -> pa.DataType | None:
    if any(steps[:1] == (Wild.KEY,) for steps in paths):
        return None
    members = []
    for number in range(kind.num_fields):
        name = kind.field(number).name
        if below := [steps[1:] for steps in paths if steps[:1] == (name,)]:
            member = _declared(kind.field(number).type, below)
            if member is None:
                return None
            members.append((name, member))
    return pa.struct(members) if members else None


def _order(column: pa.ChunkedArray) -> pa.Array | None:
    """The categories of a column in their order; None where they have none, or parts of the column have different ones."""
    if not pa.types.is_dictionary(column.type) or not column.type.ordered or not column.num_chunks:
        return None
    first = column.chunk(0).dictionary
    return first if all(chunk.dictionary.equals(first) for chunk in column.chunks[1:]) else None
