"""Outcomes of paths: those of a view, and where it has none what follows from edits."""

from collections.abc import Sequence

import pyarrow as pa

from flink_masking.records.codec import Outcome, Result, View
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP_VALUE, USE_LITERAL, Edit, Replace
from flink_masking.records.trie import Paths

KEPT = Outcome(Result.KEEP)


def inferred(edits: Sequence[Edit | None], paths: Paths, view: View | None) -> tuple[Outcome, ...]:
    """Outcomes by path number: those of the view, and where it has none what follows from the edits."""
    named = {} if view is None else {paths.ids[path]: outcome for path, outcome in view.outcomes.items() if path in paths.ids}
    return tuple(named[number] if number in named else _of_edit(edit) for number, edit in enumerate(edits))


def _of_edit(edit: Edit | None) -> Outcome:
    if edit is DROP:
        return Outcome(Result.DROP)
    if not isinstance(edit, Replace):
        return KEPT
    values, how = edit.values, edit.how
    if isinstance(values, pa.Scalar):
        if not values.is_valid:
            return Outcome(Result.NULL, True)
        nullable = False
    else:
        nullable = values.null_count > 0 or (how is not None and bool((how == DROP_VALUE).any()))
    same = pa.types.is_binary(values.type) or (how is not None and bool(((how == KEEP_VALUE) | (how == USE_LITERAL)).any()))
    return Outcome(Result.SAME if same else Result.TEXT, nullable)
