"""Granted views of a batch: the records that grants open, spliced once more; the views that everybody reads are made before, without them.

All that is not granted is what the masked segment's rules have made of it in this batch, so that random techniques and those that take
values from other records show nothing else here. Nothing in here rejects a record: what cannot be shown is left out of the granted view.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.engine.grants import Opened
from flink_masking.engine.masking import FieldRule, KeptField, apply, edit, keep
from flink_masking.engine.plan import MaskedPlan
from flink_masking.engine.view import RecordView
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, KEEP_VALUE, USE, USE_LITERAL, Edit, Keys, Replace, Swept
from flink_masking.records.spans import SpanTable
from flink_masking.techniques.masks import Context


@dataclass(frozen=True)
class Spliced:
    """What a masked segment's records of a batch were made with.

    Attributes:
        edits: by path.
        unknown: of members that nobody declared.
        keys: new keys of open objects.
        swept: what was found in values without a rule.
    """

    edits: Mapping[str, Edit]
    unknown: Edit
    keys: Mapping[str, Keys]
    swept: Swept | None


@dataclass(frozen=True)
class Granted:
    """A granted view of a batch of n records.

    Attributes:
        records: binary, n; null where no grant opens the record.
        rows: bool, n: the records that are there.
        grants: how many of them each grant applied to, by its id; those that applied to none are not named.
        ids: n texts: the ids of the grants that opened a record, with commas; null where it is not there.
        values: by path, the rule's technique and in how many records it was shown by a grant.
    """

    records: pa.BinaryArray
    rows: np.ndarray
    grants: Mapping[str, int] = field(default_factory=dict)
    ids: pa.BinaryArray | None = None
    values: Mapping[str, int] = field(default_factory=dict)


def nothing(n: int) -> Granted:
    """A view that no grant has opened anything of."""
    return Granted(pa.nulls(n, pa.binary()), np.zeros(n, np.bool_))


def granted_view(segment: MaskedPlan, base: MaskedPlan, opened: Sequence[Opened], table: SpanTable, view: RecordView,
                 accepted: np.ndarray, spliced: Spliced, context: Context, limit: int | None) -> Granted:
    """The records that grants open.

    Args:
        segment: the granted view, compiled.
        base: the masked segment that it is of.
        opened: the grants in force; what they have left is lowered by what they open, whether or not it can be written.
        table: the scanned batch.
        view: of it.
        accepted: bool, n: records that are in the masked segment's view.
        spliced: what these were made with.
        context: of the batch, for the rules of grants.
        limit: bytes that a record may have; None: any.
    """
    taken = [(grant, rows) for grant in opened if (rows := grant.rows(view, accepted)).any()]
    if not taken:
        return nothing(table.n)
    for grant, rows in taken:
        grant.left -= int(np.count_nonzero(rows))
    shown = np.logical_or.reduce([rows for _, rows in taken])
    edits = _edits(segment, base, taken, shown, table, view, spliced, context)
    while True:
        made = table.splice(edits, unknown=spliced.unknown, reject=~shown, added=base.added, keys=dict(spliced.keys), swept=spliced.swept,
                            view=segment.view)
        made = table.codec.one_line(made) if table.breaks else made
        wrong = ~shown
        for rows in (*table.unwritable.values(), table.unregistered):
            wrong[rows] = True
        if limit is not None:
            wrong |= pc.fill_null(pc.binary_length(made), 0).to_numpy() > limit
        if not (wrong & shown).any():
            break
        shown = shown & ~wrong
    taken = [(grant, rows & shown) for grant, rows in taken]
    counts = {grant.id: int(np.count_nonzero(rows)) for grant, rows in taken}
    fields = {path for grant, _ in taken for path in grant.fields}
    values = {path: int(np.count_nonzero(np.logical_or.reduce([rows for grant, rows in taken if path in grant.fields]))) for path in fields}
    return Granted(made, shown, {name: count for name, count in counts.items() if count}, _ids(taken, shown), values)


def _edits(segment: MaskedPlan, base: MaskedPlan, taken: Sequence[tuple[Opened, np.ndarray]], shown: np.ndarray, table: SpanTable,
           view: RecordView, spliced: Spliced, context: Context) -> dict[str, Edit]:
    """The edits of the view: those of the masked segment, and where a field is granted what its grant says."""
    ruled = {*(rule.path for rule in base.rules), *base.drops, *base.keeps, *(kept.path for kept in base.checked)}
    edits: dict[str, Edit] = {**dict.fromkeys(spliced.edits, KEEP), **dict.fromkeys(segment.drops, DROP)}
    edits.update((kept.path, keep(view.unfit(kept.path), kept.on_error)) for kept in segment.checked)
    others = [*(rule.path for rule in segment.rules), *segment.keeps]
    edits.update((path, spliced.edits[path] if path in ruled else DROP) for path in others if path not in segment.open)
    for path in segment.open:
        made: Edit = spliced.edits[path] if path in ruled else DROP
        open_rows = np.zeros(table.n, np.bool_)
        for grant, rows in taken:
            if path in grant.fields and (mine := rows & ~open_rows).any():  # of two grants the one that was made first says how
                open_rows |= mine
                live = mine[table.rows(path)]
                more = _shown(grant.fields[path], path, live, view, context)
                made = more if bool((mine == shown).all()) else _chosen(made, more, live)
        edits[path] = made
    return edits


def _shown(rule: FieldRule | KeptField | None, path: str, live: np.ndarray, view: RecordView, context: Context) -> Edit:
    """What a grant shows of a field; other values may be anything."""
    if rule is None:
        return DROP
    unfit = view.unfit(path)
    if not isinstance(rule, FieldRule):
        return keep(unfit, rule.on_error)
    masked, refused = apply(rule, view.values(path), context, live, unfit if rule.shows else None)
    return edit(masked, refused, rule.on_error)


def _chosen(one: Edit, other: Edit, second: np.ndarray) -> Edit:
    """Of two edits for n values, the second one where `second` says so: bool, n."""
    if second.all():
        return other
    if not second.any():
        return one
    n = len(second)
    (first, how), (more, how_more) = _columns(one, n), _columns(other, n)
    index = np.where(second, np.arange(n) + n, np.arange(n))
    return Replace(pa.concat_arrays([first, more]).take(pa.array(index)), np.where(second, how_more, how).astype(np.uint8))


def _columns(one: Edit, n: int) -> tuple[pa.StringArray, np.ndarray]:
    """An edit as a text and a code for each of n values."""
    if not isinstance(one, Replace):
        return pa.nulls(n, pa.string()), np.full(n, KEEP_VALUE if one is KEEP else DROP_VALUE, np.uint8)
    values, how = one.values, np.full(n, USE, np.uint8) if one.how is None else one.how
    if isinstance(values, pa.Scalar):
        values = pa.array([values.as_py()] * n, values.type)
    if pa.types.is_binary(values.type):
        values, how = values.cast(pa.string()), np.where(how == USE, USE_LITERAL, how).astype(np.uint8)
    return values.cast(pa.string()), how


def _ids(taken: Sequence[tuple[Opened, np.ndarray]], shown: np.ndarray) -> pa.BinaryArray:
    ids = np.full(len(shown), None, object)
    for grant, rows in taken:
        for row in np.flatnonzero(rows).tolist():  # as many as max_records, at most
            ids[row] = grant.id.encode() if ids[row] is None else ids[row] + b"," + grant.id.encode()
    return pa.array(ids, pa.binary())
