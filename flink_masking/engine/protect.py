"""Protect: one scan of a batch, every view of it. Pure: Flink, the command line and notebooks run the same code."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from flink_masking.audit.digests import leaf_lines
from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport, MaskedReport, PackedReport
from flink_masking.audit.salted import salted, salting
from flink_masking.crypto.merkle import leaf_hashes, root_of
from flink_masking.crypto.prf import Prf
from flink_masking.engine.done import fields_done, parts_done
from flink_masking.engine.erased import ErasedSubjects, ordered
from flink_masking.engine.granted import Granted, GrantedViews, Spliced
from flink_masking.engine.keys import renamed
from flink_masking.engine.masking import FieldRule, apply, edit, keep
from flink_masking.engine.order import shuffled
from flink_masking.engine.origins import source_ranges
from flink_masking.engine.people import marked
from flink_masking.engine.plan import MaskedPlan, Plan
from flink_masking.engine.protected import Packed, Protected
from flink_masking.engine.quarantine import QuarantineWriter
from flink_masking.engine.record import Parts, Released, Transport, release
from flink_masking.engine.rejections import Rejections
from flink_masking.engine.stateful import Stateful
from flink_masking.engine.view import RecordView
from flink_masking.ipc import to_ipc
from flink_masking.keys.sealer import Sealer
from flink_masking.records.codec import unfolded
from flink_masking.records.edits import DROP, KEEP, Edit, Keys, joined
from flink_masking.records.faulty_rows import faulty_rows
from flink_masking.records.spans import Flag, SpanTable
from flink_masking.records.survey import Part, of_values, survey
from flink_masking.techniques.masks import Context, Masked

if TYPE_CHECKING:
    from flink_masking.engine.grants import Grants

T = TypeVar("T")
Applied = tuple[FieldRule, Masked, np.ndarray | None]
"""A rule, what it made of the values, and which it could not take."""
NO_PARTS, PLAIN = Parts(), Transport()
ERASED = "erased_subject"
"""A record of a subject who was erased: it leaves in no view, and deletes its key in topics that keep the newest record of each."""
TOMBSTONE = "tombstone"
"""A record that holds a key and no value: not an event, but the order to delete what the key stands for."""
_OF_MEMBERS = int(Flag.UNKNOWN | Flag.MISMATCH)
"""Flags of records of which all members that are wrong are told."""
PACKET_BYTES = 4 << 20
"""Packets are sealed in pieces of about this size: each is one row of Flink's, held whole in buffers and state."""
SPLIT_BYTES = 256 << 20
"""A larger batch is worked on in pieces: Arrow's 32-bit offsets end at 2 GiB, and every output of a piece may be larger than it."""


class Protect:
    """A compiled plan at work.

    Not row-local only where a technique is not (shuffle); random techniques draw from `entropy`. People are counted by a hash with the
    oldest key version that opens, not the primary, so that who is met before and after a promotion counts once, after a restart, too.

    Attributes:
        people: the keyed hash of people, or None where the policy names no subject.
    """

    def __init__(self, plan: Plan, entropy: Callable[[int], bytes], clock: Callable[[], int], people: Prf | None = None,
                 transport: Transport = PLAIN, erased: ErasedSubjects | None = None, grants: "Grants | None" = None) -> None:
        """Get ready.

        Args:
            plan: the compiled policy with its keys.
            entropy: n → n random bytes (``os.urandom``).
            clock: processing time in ms since 1970.
            people: the hash of people of the Protect that this one takes over from; made of the plan's keys when None.
            transport: what is known of the topics at both ends.
            erased: subjects who were erased; None: nobody can be.
            grants: those in force; None: nothing flows into granted views.
        """
        self._erased = erased
        self._masked = tuple(segment for segment in plan.masked if not segment.of)
        self._granted = GrantedViews(plan.masked, grants, entropy, transport.limits)
        self._plan, self._entropy, self._clock, self._transport = plan, entropy, clock, transport
        if people is None and plan.policy.subject:
            people = Prf(plan.ring.derive("subject", plan.policy.stream, plan.ring.versions[0]))
        self.people = people
        self._sealers = {s.name: Sealer(plan.ring, "packed", s.name, (plan.policy.stream, s.name)) for s in plan.stateful}
        reverse = plan.policy.reverse
        self._quarantine = QuarantineWriter(plan.ring, plan.policy.stream, transport.quarantine, plan.days,
                                            reverse.approvals if reverse is not None and reverse.requires_grant else None)
        self._notes: list[dict[str, Any]] = []
        self._digests = plan.policy.audit is not None and plan.policy.audit.digests
        granted = [segment.name for segment in plan.masked if segment.of] if self._digests else []
        self._salts = {name: salting(plan.ring, name) for name in granted}
        self._audit = AuditChain.signed(plan.ring, plan.policy.stream, plan.policy.version, plan.digest)

    def note(self, events: Iterable[dict[str, Any]]) -> None:
        """Put events about control documents into the audit event of the next batch."""
        self._notes += events

    def __call__(self, payloads: pa.Array, parts: Parts = NO_PARTS, now: int | None = None) -> list[Protected]:
        """Protect a batch.

        Args:
            payloads: binary or string array of raw records.
            parts: Kafka's own parts of these records.
            now: when the batch has begun, ms since 1970; by the clock when None.

        Returns:
            One result for each piece that the batch was split into (one, unless it is larger than 256 MiB), in order.
        """
        if (n := len(payloads)) > 1 and payloads.nbytes > SPLIT_BYTES:
            half = n // 2
            rest = self(payloads.slice(0, half), parts.slice(0, half), now)
            return [*rest, *self(payloads.slice(half), parts.slice(half, n - half), now)]
        return [self._protect(payloads, parts, self._clock() if now is None else now)]

    def _protect(self, payloads: pa.Array, parts: Parts, now: int) -> Protected:
        plan = self._plan
        if plan.days is not None:
            plan.days.look(now)
        if plan.folded:
            payloads = unfolded(payloads)
        view = self._scanned(payloads, parts)
        table = view.table
        rejections = Rejections(table.n)
        deletions = self._deletions(payloads, parts)
        if self._erased and view.subjects is not None:
            rejections.add(self._erased.rows(view.subjects, plan.ring), ERASED, None)
        released = {s.name: release(s.record, parts, s.name in self._transport.upserts, Context(self._entropy(32)), rejections)
                    for s in self._masked if s.record}
        rejections.add(deletions, TOMBSTONE, None)
        for faulty in faulty_rows(table, plan.fatal):
            rejections.add(*faulty)
        for path in plan.required:
            rejections.add(view.column(path).kinds < 0, "missing_field", path)
        for path in plan.strict:
            rejections.add(view.broken(path), "contract", path)
        if plan.selected_subject:
            rejections.add(view.ambiguous, "ambiguous_subject", plan.policy.subject)
        examined = [segment.examine(view, rejections, now) for segment in plan.stateful]
        masked, views, spliced = self._views(table, view, rejections, released)
        rejected, counts = rejections.mask, rejections.counts()
        tombstones, gone = counts.pop(TOMBSTONE, 0), counts.pop(ERASED, 0)
        deleted, erased = rejections.of(TOMBSTONE), rejections.of(ERASED)
        quarantined = sum(counts.values())
        masked_reports, leaves, digests = {}, dict[str, np.ndarray](), self._digests
        in_order = dict(released)
        for segment, edits in zip(self._masked, masked, strict=True):
            upsert = segment.name in self._transport.upserts
            removed = 0  # rows of erased subjects that are deleted
            if segment.name in released:
                released[segment.name] = released[segment.name].without(rejected, rejected & ~(deleted | erased) if upsert else rejected)
                if gone and upsert and (key := released[segment.name].key) is not None:
                    removed = int(np.count_nonzero(erased & key.is_valid().to_numpy(zero_copy_only=False)))
            if segment.shuffled:
                order = shuffled(~rejected, self._entropy(32))
                views[segment.name] = views[segment.name].take(order)
                if segment.name in released:
                    released[segment.name] = released[segment.name].take(order)
            root = None
            if digests:
                leaves[segment.name] = hashes = leaf_hashes(views[segment.name])
                root = root_of(hashes)
            masked_reports[segment.name] = MaskedReport(
                table.n - quarantined - gone + removed - (0 if upsert else tombstones), fields_done(segment, edits, table, view, rejected),
                tombstones=tombstones + removed if upsert else 0, suppressed=0 if upsert else tombstones,
                parts=parts_done(segment.record) if segment.name in released else None, shuffled=segment.shuffled,
                keys={rule.path: rule.technique for rule in segment.keys}, root=root)
        granted: dict[str, Granted] = {}
        if len(self._masked) < len(plan.masked):  # after all that is random in the others, which are the same with and without grants
            granted = self._granted.made(view, ~rejected, spliced, in_order, lambda rows: self._some(payloads, parts, rows), now)
            for name, one in granted.items():
                views[name] = one.records
                released |= {} if one.parts is None else {name: one.parts}
                if digests:
                    leaves[name] = leaf_hashes(salted(self._salts[name], one.records, *self._audit.coming))
                masked_reports[name] = one.report(root_of(leaves[name]) if digests else None)
            views, released, masked_reports = _in_order(views, plan), _in_order(released, plan), _in_order(masked_reports, plan)
        accepted, packed, packed_reports = np.flatnonzero(~rejected), {}, {}
        for stateful, columns in zip(plan.stateful, examined, strict=True):
            if self._erased is not None and self._erased.news:
                self._erased.address(stateful.name, stateful.shards, stateful.people_version)
            packed[stateful.name], packed_reports[stateful.name] = self._pack(stateful, columns, view, accepted, tombstones)
            packed[stateful.name] += self._orders(stateful, table.n - len(packed[stateful.name]))
        drift = tuple(f"{one.kind} {one.value}" for one in plan.drift.drift()) if plan.drift is not None else ()
        report = BatchReport(table.n, counts, masked_reports, packed_reports, drift, source_ranges(parts.origin),
                             tuple(self._notes), gone, self._erased.told() if self._erased is not None else ())
        self._notes.clear()
        event_times = self._event_times(examined, accepted, parts)
        refused = np.flatnonzero(rejected & ~deleted & ~erased)
        members = survey(table, payloads, refused[(table.flags[refused] & plan.fatal & _OF_MEMBERS) != 0], plan.limits,
                         self._refused(table, view, masked, rejected))
        lines = self._quarantine.entries(payloads, refused, rejections, now, parts.of if parts else None, members)
        event = self._audit.event("protect", now, report.body())
        return Protected(views, packed, lines, max(event_times.values(), default=None), event, report, event_times, released,
                         plan.ring.primary, tuple(leaf_lines(self._audit.place, now, leaves)),
                         {name: one.ids for name, one in granted.items()})

    def _scanned(self, payloads: pa.Array, parts: Parts) -> RecordView:
        plan = self._plan
        needed = {name: parts.headers[name] for name in plan.codec.headers if name in parts.headers}
        table = plan.codec.scan(payloads, plan.paths, plan.limits, needed)
        return RecordView(table, plan.policy.subject, self.people, plan.contracts, plan.placeholders)

    def _some(self, payloads: pa.Array, parts: Parts, rows: np.ndarray) -> RecordView:
        """Some of the records, scanned by themselves."""
        index = pa.array(rows)
        return self._scanned(payloads.take(index), Parts(headers={name: one.take(index) for name, one in parts.headers.items()}))

    def _refused(self, table: SpanTable, view: RecordView, masked: list[list[Applied]], rejected: np.ndarray) -> Iterator[Part]:
        """All values that would have sent their record to quarantine by themselves, of records that are there."""
        if not rejected.any():
            return
        wrong: dict[tuple[str, str], np.ndarray] = {}

        def note(path: str, reason: str, refused: np.ndarray | None) -> None:
            if refused is not None:
                known = wrong.get((path, reason))
                wrong[path, reason] = refused if known is None else known | refused

        for path in self._plan.strict:
            note(path, "contract", view.unfit(path))
        for segment, applied in zip(self._masked, masked, strict=True):
            for kept in segment.checked:
                if kept.on_error == "quarantine":
                    note(kept.path, "refused_value", view.unfit(kept.path))
            for rule, _, refused in applied:
                if rule.on_error == "quarantine":
                    note(rule.path, "refused_value", refused)
        for (path, reason), refused in wrong.items():
            declared = self._plan.policy.fields.get(path)
            if (reason != "refused_value" or (path, "contract") not in wrong) and (found := refused & rejected[table.rows(path)]).any():
                yield of_values(table, path, found, reason, declared.type if declared is not None else None)

    def _deletions(self, payloads: pa.Array, parts: Parts) -> np.ndarray:
        """Rows of records without a value that delete in some segment; anywhere else such a record is a fault."""
        if not self._transport.upserts or parts.key is None or not payloads.null_count:
            return np.zeros(0, np.int64)
        return np.flatnonzero(payloads.is_null().to_numpy(zero_copy_only=False))

    def _views(self, table: SpanTable, view: RecordView, rejections: Rejections,
               released: dict[str, Released]) -> tuple[list[list[Applied]], dict[str, pa.BinaryArray], dict[str, Spliced]]:
        """What the rules make of the fields, every masked segment's records, and what these were made with.

        A record that has grown beyond what a topic takes is rejected, since sending it would fail the job again and again, and so is one
        with a value that its view's schema cannot hold; then everything begins anew, for no value of it may be left in another record.
        """
        while True:
            keys = {segment.name: self._keys(segment, table, rejections) for segment in self._masked}
            masked, views, spliced = self._mask(view, rejections), {}, {}
            reject = rejections.mask if len(rejections.rows) else None
            before = len(rejections.rows)
            for segment, edits in zip(self._masked, masked, strict=True):
                splices: dict[str, Edit] = {**dict.fromkeys(self._plan.paths.names, KEEP), **dict.fromkeys(segment.drops, DROP)}
                splices.update((kept.path, keep(view.unfit(kept.path), kept.on_error)) for kept in segment.checked)
                splices.update((rule.path, edit(values, refused, rule.on_error)) for rule, values, refused in edits)
                if segment.connect is not None:
                    segment.connect.fit(table, splices, rejections)
                swept = joined([sweep(table, Context(self._entropy(32), view.subjects)) for sweep in segment.sweeps])
                unknown = KEEP if any(sweep.undeclared for sweep in segment.sweeps) else self._plan.unknown
                spliced[segment.name] = Spliced(splices, unknown, keys[segment.name], swept)
                made = table.splice(splices, unknown=unknown, reject=reject, added=segment.added, keys=keys[segment.name], swept=swept,
                                    view=segment.view)
                for path, rows in table.unwritable.items():  # values that the view's schema does not have
                    rejections.add(rows, "unwritable_value", path or None)
                rejections.add(table.unregistered, "unregistered_schema", None)
                made = views[segment.name] = self._plan.codec.one_line(made) if table.breaks else made
                if (limit := self._transport.limits.get(segment.name)) is not None:
                    rejections.add(released.get(segment.name, Released()).sizes(made) > limit, "oversize_output", None)
            if len(rejections.rows) == before:
                return masked, views, spliced

    def _event_times(self, examined: list[Any], accepted: np.ndarray, parts: Parts) -> dict[int, int]:
        """The largest event time of the accepted records of each source partition."""
        timed = next(((s, c) for s, c in zip(self._plan.stateful, examined, strict=True) if s.has_time), None)
        if timed is None:
            return {}
        segment, columns = timed
        groups = {0: accepted}
        if parts.partitions is not None:
            of = parts.partitions[accepted]
            groups = {int(partition): accepted[of == partition] for partition in np.unique(of)}
        latest = {partition: segment.latest(columns, rows) for partition, rows in groups.items()}
        return {partition: time for partition, time in latest.items() if time is not None}

    def _mask(self, view: RecordView, rejections: Rejections) -> list[list[Applied]]:
        """What the rules of each masked segment make of its fields.

        Rules that are not row-local come last and see accepted records only, or values of a rejected record would come out in another's
        place. They begin anew when one of them has rejected records that the others have seen.
        """
        segments = self._masked
        contexts = [Context(self._entropy(32), view.subjects, lambda path: _accepted(view, path, rejections)) for _ in segments]
        for segment in segments:
            for kept in segment.checked:
                if kept.on_error == "quarantine":
                    rejections.add(view.broken(kept.path), "refused_value", kept.path)
        done: dict[tuple[int, str], Applied] = {}
        here = ~rejections.of(ERASED) if self._erased else None  # the vault is not asked for anything of an erased subject
        for row_local in (True, False):
            again = True
            while again:
                before = len(rejections.rows)
                for number, segment in enumerate(segments):
                    for rule in segment.rules:
                        if rule.row_local is row_local:
                            values = view.values(rule.path)
                            live = ~rejections.mask[values.rows] if not row_local else None if here is None else here[values.rows]
                            unfit = view.unfit(rule.path) if rule.shows else None
                            masked, refused = apply(rule, values, contexts[number], live, unfit)
                            if refused is not None and rule.on_error == "quarantine":
                                rejections.add(values.rows[refused], "refused_value", rule.path)
                            done[number, rule.path] = rule, masked, refused
                again = not row_local and len(rejections.rows) > before
        return [[done[number, rule.path] for rule in segment.rules] for number, segment in enumerate(segments)]

    def _keys(self, segment: MaskedPlan, table: SpanTable, rejections: Rejections) -> dict[str, Keys]:
        """New keys for the members of open objects; a member whose key cannot be taken is removed, or its record rejected."""
        return {rule.path: renamed(rule, table, Context(self._entropy(32)), rejections) for rule in segment.keys}

    def _pack(self, segment: Stateful, columns: Any, view: RecordView, accepted: np.ndarray,
              tombstones: int) -> tuple[list[Packed], PackedReport]:
        rows, suppressed = segment.select(columns, accepted)
        people = view.people[rows] % np.uint64(segment.shards)
        packed = []
        for shard in np.unique(people).tolist() if segment.shards > 1 else ([0] if len(rows) else []):
            mine = rows[people == shard] if segment.shards > 1 else rows
            packed += self._sealed(segment, columns, view, mine, int(shard))
        return packed, PackedReport(len(rows), suppressed + tombstones)

    def _orders(self, segment: Stateful, most: int) -> list[Packed]:
        """Packets without records that tell a stateful segment whom to forget, as many as the batch has rows left for."""
        if self._erased is None:
            return []
        seal, version = self._sealers[segment.name].seal, segment.people_version
        return [Packed(shard, 0, seal(to_ipc(marked(order, version)))) for shard, order in self._erased.orders(segment.name, most)]

    def _sealed(self, segment: Stateful, columns: Any, view: RecordView, rows: np.ndarray, shard: int) -> list[Packed]:
        batch = segment.pack(columns, view, rows)
        if len(rows) > 1 and batch.nbytes > PACKET_BYTES:
            half = len(rows) // 2
            return [packed for piece in (rows[:half], rows[half:]) for packed in self._sealed(segment, columns, view, piece, shard)]
        if self._erased is not None and (people := self._erased.order(segment.name, shard)) is not None:
            batch = ordered(batch, people)
        return [Packed(shard, len(rows), self._sealers[segment.name].seal(to_ipc(marked(batch, segment.people_version))))]


def _in_order(found: dict[str, T], plan: Plan) -> dict[str, T]:
    """By masked segment, in the order of the policy."""
    return {segment.name: found[segment.name] for segment in plan.masked if segment.name in found}


def _accepted(view: RecordView, path: str, rejections: Rejections) -> np.ndarray:
    """Rows of the values at a path that keep its contract and whose record is accepted."""
    rows, unfit = view.values(path).rows, view.unfit(path)
    if unfit is not None:
        rows = rows[~unfit]
    return rows[rejections.codes[rows] == 0]
