"""Granted views of a batch: the records that grants open, spliced once more; the views that everybody reads are made before, without them.

All that is not granted is what the masked segment's rules have made of it in this batch, so that random techniques and those that take
values from other records show nothing else here. Nothing in here rejects a record: what cannot be shown is left out of the granted view.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, parts
from flink_masking.audit.reports import FieldReport, MaskedReport
from flink_masking.engine.done import parts_done
from flink_masking.engine.grants import Grants, Opened
from flink_masking.engine.masking import FieldRule, KeptField, apply, edit, keep
from flink_masking.engine.plan import MaskedPlan
from flink_masking.engine.record import Released
from flink_masking.engine.view import RecordView
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, KEEP_VALUE, USE, USE_LITERAL, Edit, Keys, Replace, Swept
from flink_masking.records.spans import SpanTable
from flink_masking.techniques.masks import Context

NO_PARTS = Released()


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
        segment: compiled.
        records: binary, n; null where no grant opens the record.
        rows: bool, n: the records that are there, in the order of the batch.
        ids: binary, n: the ids of the grants that opened a record, with commas; null where it is not there.
        grants: how many records each grant applied to, by its id; those that applied to none are not named.
        values: by path, in how many records it was shown by a grant.
        parts: Kafka's parts of the records; None where none leave.
        moved: of shuffled records, the rows where they are, and those where they were in the batch.
    """

    segment: MaskedPlan
    records: pa.BinaryArray
    rows: np.ndarray
    ids: pa.BinaryArray
    grants: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    parts: Released | None = None
    moved: tuple[np.ndarray, np.ndarray] | None = None

    def report(self, root: bytes | None) -> MaskedReport:
        """What became of the batch.

        Args:
            root: over the records; None without digests.
        """
        fields = {path: FieldReport("grant", count) for path, count in sorted(self.values.items())}
        parts = None if self.parts is None else parts_done(self.segment.record)
        return MaskedReport(int(np.count_nonzero(self.rows)), fields, parts=parts, shuffled=self.segment.shuffled, root=root,
                            grants=self.grants, salted=root is not None)


class GrantedViews:
    """The granted views of a plan."""

    def __init__(self, masked: Sequence[MaskedPlan], grants: Grants | None, entropy: Callable[[int], bytes],
                 limits: Mapping[str, int]) -> None:
        """Keep what they are made with.

        Args:
            masked: all masked and granted segments.
            grants: those in force; None: nothing flows.
            entropy: n → n random bytes.
            limits: bytes that a record may have, by segment.
        """
        bases = {segment.name: segment for segment in masked}
        self._segments = [(segment, bases[segment.of]) for segment in masked if segment.of]
        self._grants, self._entropy, self._limits = grants, entropy, limits

    def made(self, view: RecordView, accepted: np.ndarray, spliced: Mapping[str, Spliced], released: Mapping[str, Released],
             scan: Callable[[np.ndarray], RecordView], now: int) -> dict[str, Granted]:
        """The granted views of a batch, by name.

        Args:
            view: of the scanned batch.
            accepted: bool, n: records that are in the views of masked segments.
            spliced: what these were made with, by segment.
            released: their parts, in the order of the batch, by segment.
            scan: scans the records with these row numbers alone.
            now: when the batch has begun, ms since 1970.
        """
        found = {}
        for segment, base in self._segments:
            opened = self._grants.opened.get(segment.name) if self._grants is not None else None
            one = _nothing(segment, view.n) if not opened else _view(
                segment, base, opened, view, accepted, spliced[base.name], released.get(base.name, NO_PARTS), scan, self._context,
                self._limits.get(segment.name), self._entropy, now)
            if base.name in released:
                one = replace(one, parts=released[base.name].without(~one.rows, ~one.rows))
                if one.parts is not None and one.moved is not None:
                    order = np.arange(view.n)
                    order[one.moved[0]] = one.moved[1]
                    one = replace(one, parts=one.parts.take(pa.array(order)))
            found[segment.name] = one
        return found

    def _context(self, view: RecordView) -> Context:
        return Context(self._entropy(32), view.subjects)


def _nothing(segment: MaskedPlan, n: int) -> Granted:
    """A view that no grant has opened anything of."""
    return Granted(segment, pa.nulls(n, pa.binary()), np.zeros(n, np.bool_), pa.nulls(n, pa.binary()))


def _view(segment: MaskedPlan, base: MaskedPlan, opened: Sequence[Opened], view: RecordView, accepted: np.ndarray, spliced: Spliced,
          released: Released, scan: Callable[[np.ndarray], RecordView], context: Callable[[RecordView], Context], limit: int | None,
          entropy: Callable[[int], bytes], now: int) -> Granted:
    """The records that grants open.

    They are few, so they are scanned once more by themselves: what a batch costs grows with them, and not with the batch.

    Args:
        segment: the granted view, compiled.
        base: the masked segment that it is of.
        opened: the grants in force.
        view: of the scanned batch.
        accepted: bool, n: records that are in the masked segment's view.
        spliced: what these were made with.
        released: their parts, in the order of the batch.
        scan: scans the records with these row numbers alone.
        context: for the rules of grants.
        limit: bytes that a record may have, with its parts and the ids of its grants; None: any.
        entropy: n → n random bytes, for the order of shuffled records.
        now: when the batch has begun, ms since 1970.
    """
    n = view.n
    taken = [(grant, rows) for grant in opened if (rows := np.flatnonzero(grant.rows(view, accepted, now))).size]
    if not taken:
        return _nothing(segment, n)
    if len(taken) == 1:
        grant, chosen = taken[0]
        within = [(grant, np.ones(len(chosen), np.bool_))]
    else:
        chosen = np.unique(np.concatenate([rows for _, rows in taken]))
        within = []
        for grant, rows in taken:
            mine = np.zeros(len(chosen), np.bool_)
            mine[np.searchsorted(chosen, rows)] = True
            within.append((grant, mine))
    few = scan(chosen)
    table, spliced = few.table, _narrowed(spliced, chosen, view.table, few.table)
    edits = _edits(segment, base, within, few, spliced, context(few))
    shown, named = np.ones(len(chosen), np.bool_), _ids(within)
    beside = NO_PARTS if limit is None else released.take(pa.array(chosen)).with_header(named)
    while True:
        made = table.splice(edits, unknown=spliced.unknown, reject=~shown, added=base.added, keys=dict(spliced.keys), swept=spliced.swept,
                            view=segment.view)
        made = table.codec.one_line(made) if table.breaks else made
        wrong = ~made.is_valid().to_numpy(zero_copy_only=False)
        if limit is not None:
            wrong |= beside.sizes(made) > limit
        if not (wrong & shown).any():
            break
        shown = shown & ~wrong
    within = [(grant, rows & shown) for grant, rows in within]
    counts = {grant.id: int(np.count_nonzero(rows)) for grant, rows in within}
    fields = {path for grant, _ in within for path in grant.fields}
    values = {path: int(np.count_nonzero(np.logical_or.reduce([rows for grant, rows in within if path in grant.fields])))
              for path in fields}
    rows, ids = chosen[shown], named
    source = rows
    if (segment.shuffled and len(rows) > 1) or len(rows) < len(chosen):
        kept = pa.array(np.flatnonzero(shown))
        if segment.shuffled and len(rows) > 1:
            order = np.argsort(np.frombuffer(entropy(8 * len(rows)), np.uint64))  # for few records cheaper than a generator of its own
            kept, source = kept.take(pa.array(order)), rows[order]
        made, ids = made.take(kept), ids.take(kept)
    used = {name: count for name, count in counts.items() if count}
    there = np.zeros(n, np.bool_)
    there[rows] = True
    return Granted(segment, _spread(made, rows, n), there, _spread(ids, rows, n), used, values,
                   moved=(rows, source) if segment.shuffled else None)


def _spread(few: pa.BinaryArray, rows: np.ndarray, n: int) -> pa.BinaryArray:
    """A column of n rows that holds these values at these rows, ascending, and is null elsewhere."""
    data, offsets, _ = parts(few)
    lengths, valid = np.zeros(n + 1, np.int32), np.zeros(n, np.uint8)
    lengths[rows + 1], valid[rows] = np.diff(offsets), 1
    return assemble(pa.binary(), pa.py_buffer(data[offsets[0] : offsets[-1]]), np.cumsum(lengths, dtype=np.int32), valid)


def _narrowed(spliced: Spliced, rows: np.ndarray, whole: SpanTable, few: SpanTable) -> Spliced:
    """What some of the records were made with.

    Args:
        spliced: of the batch.
        rows: their numbers, ascending.
        whole: the batch, scanned.
        few: these records, scanned.
    """
    around = np.concatenate([rows, np.maximum(rows - 1, 0), np.minimum(rows + 1, whole.n - 1)])

    def of(path: str) -> np.ndarray:
        held = whole.rows(path)
        if len(held) == whole.n and bool((held[around] == around).all()):  # ascending: each of these rows has one value
            return rows
        first, last = np.searchsorted(held, rows), np.searchsorted(held, rows, "right")
        lengths = last - first
        return np.repeat(first - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) + np.arange(lengths.sum())

    edits: dict[str, Edit] = {}
    for path, one in spliced.edits.items():
        if isinstance(one, Replace):
            index = of(path) if one.how is not None or not isinstance(one.values, pa.Scalar) else None
            values = one.values if isinstance(one.values, pa.Scalar) else one.values.take(pa.array(index))
            one = Replace(values, None if one.how is None else one.how[index])
        edits[path] = one
    keys = {path: Keys(one.keys.take(pa.array(of(path))), None if one.how is None else one.how[of(path)]) for path, one in
            spliced.keys.items()}
    swept = spliced.swept
    if swept is not None:
        places = np.minimum(np.searchsorted(rows, swept.rows), len(rows) - 1)
        mine = np.flatnonzero(rows[places] == swept.rows)
        moved = few.offsets[places[mine]].astype(np.int64) - whole.offsets[swept.rows[mine]]
        swept = Swept(places[mine].astype(np.int32), swept.starts[mine] + moved, swept.ends[mine] + moved,
                      swept.texts.take(pa.array(mine)))
    return Spliced(edits, spliced.unknown, keys, swept)


def _edits(segment: MaskedPlan, base: MaskedPlan, taken: Sequence[tuple[Opened, np.ndarray]], view: RecordView, spliced: Spliced,
           context: Context) -> dict[str, Edit]:
    """The edits of the view: those of the masked segment, and where a field is granted what its grant says."""
    ruled = {*(rule.path for rule in base.rules), *base.drops, *base.keeps, *(kept.path for kept in base.checked)}
    edits: dict[str, Edit] = {**dict.fromkeys(spliced.edits, KEEP), **dict.fromkeys(segment.drops, DROP)}
    edits.update((kept.path, spliced.edits[kept.path] if kept.path in ruled else keep(view.unfit(kept.path), kept.on_error))
                 for kept in segment.checked)
    others = [*(rule.path for rule in segment.rules), *segment.keeps]
    edits.update((path, spliced.edits[path] if path in ruled else DROP) for path in others if path not in segment.open)
    for path in segment.open:
        made: Edit = spliced.edits[path] if path in ruled else DROP
        open_rows = np.zeros(view.n, np.bool_)
        for grant, rows in taken:
            if path in grant.fields and (mine := rows & ~open_rows).any():  # of two grants the one that was made first says how
                open_rows |= mine
                live = mine[view.table.rows(path)]
                more = _shown(grant.fields[path], path, live, view, context)
                made = more if bool(mine.all()) else _chosen(made, more, live)
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


def _ids(taken: Sequence[tuple[Opened, np.ndarray]]) -> pa.BinaryArray:
    if len(taken) == 1:
        return pa.repeat(pa.scalar(taken[0][0].id.encode(), pa.binary()), len(taken[0][1]))
    ids = np.full(len(taken[0][1]), None, object)
    for grant, rows in taken:
        for row in np.flatnonzero(rows).tolist():  # as many as max_records, at most
            ids[row] = grant.id.encode() if ids[row] is None else ids[row] + b"," + grant.id.encode()
    return pa.array(ids, pa.binary())
