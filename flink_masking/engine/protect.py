"""Protect: one scan of a batch, every view of it. The heart of the library; pure, so Flink, the CLI and notebooks all run this."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.audit.events import AuditChain
from flink_masking.crypto.prf import Prf
from flink_masking.engine.masking import FieldRule, apply, edit
from flink_masking.engine.plan import Plan
from flink_masking.engine.quarantine import QuarantineWriter
from flink_masking.engine.rejections import Rejections
from flink_masking.engine.stateful import Stateful
from flink_masking.engine.view import RecordView
from flink_masking.ipc import to_ipc
from flink_masking.keys.sealer import Sealer
from flink_masking.records.edits import DROP, KEEP, Edit
from flink_masking.records.json.codec import scan
from flink_masking.techniques.base import Context, Masked

SPLIT_BYTES = 256 << 20
"""A larger batch is worked on in pieces: Arrow's 32-bit offsets end at 2 GiB, and every output of a piece may be larger than it."""


@dataclass(frozen=True)
class Packed:
    """One sealed batch of columns for a stateful segment.

    Attributes:
        shard: which instance of the segment's logic it is for.
        records: how many records are in it.
        blob: the sealed Arrow IPC stream.
    """

    shard: int
    records: int
    blob: bytes


@dataclass(frozen=True)
class Protected:
    """Every view of a batch of n records.

    Attributes:
        records: n.
        views: for each masked segment a binary array of n records, null where the record is quarantined.
        packed: for each stateful segment its sealed batches.
        quarantine: pairs (row, JSON line).
        event_time: the largest event time of the accepted records in ms, or None.
        audit: one JSON line.
        quarantined: number of rejected records.
    """

    records: int
    views: dict[str, pa.BinaryArray]
    packed: dict[str, list[Packed]]
    quarantine: list[tuple[int, bytes]]
    event_time: int | None
    audit: bytes
    quarantined: int


class Protect:
    """A compiled plan at work.

    Not row-local only where a technique is not (shuffle); random techniques draw from `entropy`. People are counted by a hash with the
    oldest key version that opens, not the primary, so that who is met before and after a promotion counts once, after a restart, too.

    Attributes:
        people: the keyed hash of people, or None where the policy names no subject.
    """

    def __init__(self, plan: Plan, entropy: Callable[[int], bytes], clock: Callable[[], int], people: Prf | None = None) -> None:
        """Get ready.

        Args:
            plan: the compiled policy with its keys.
            entropy: n → n random bytes (``os.urandom``).
            clock: processing time in ms since 1970.
            people: the hash of people of the Protect that this one takes over from; made of the plan's keys when None.
        """
        self._plan, self._entropy, self._clock = plan, entropy, clock
        if people is None and plan.policy.subject:
            people = Prf(plan.ring.derive("subject", plan.policy.stream, plan.ring.versions[0]))
        self.people = people
        self._sealers = {s.name: Sealer(plan.ring, "packed", s.name) for s in plan.stateful}
        self._quarantine = QuarantineWriter(plan.ring, plan.policy.stream)
        self._audit = AuditChain(plan.policy.stream, plan.policy.version, plan.digest, plan.ring.primary)

    def __call__(self, payloads: pa.Array) -> list[Protected]:
        """Protect a batch.

        Args:
            payloads: binary or string array of raw records.

        Returns:
            One result for each piece that the batch was split into (one, unless it is larger than 256 MiB), in order.
        """
        if len(payloads) > 1 and payloads.nbytes > SPLIT_BYTES:
            half = len(payloads) // 2
            return [*self(payloads.slice(0, half)), *self(payloads.slice(half))]
        return [self._protect(payloads)]

    def _protect(self, payloads: pa.Array) -> Protected:
        plan, now = self._plan, self._clock()
        table = scan(payloads, plan.paths, plan.limits)
        view = RecordView(table, plan.policy.subject, self.people)
        rejections = Rejections(table.n)
        for row in np.flatnonzero(table.flags & plan.fatal).tolist():
            fault = table.fault(row)
            assert fault is not None  # the row has a flag
            rejections.add_row(row, fault.reason, fault.path, fault.position)
        for path in plan.required:
            rejections.add(view.column(path).kinds < 0, "missing_field", path)
        examined = [segment.examine(view, rejections) for segment in plan.stateful]
        masked = self._mask(view, rejections)
        rejected, counts = rejections.mask, rejections.counts()
        quarantined = sum(counts.values())
        body: dict[str, Any] = {"records": table.n, "quarantined": counts, "segments": {}}
        views = {}
        for segment, edits in zip(plan.masked, masked, strict=True):
            splices: dict[str, Edit] = {**dict.fromkeys(plan.paths.names, KEEP), **dict.fromkeys(segment.drops, DROP)}
            splices.update((rule.path, edit(values, refused, rule.on_error)) for rule, values, refused in edits)
            views[segment.name] = table.splice(splices, unknown=plan.unknown, reject=rejected if quarantined else None,
                                               added=segment.added)
            fields: dict[str, dict[str, Any]] = {path: {"technique": "drop"} for path in segment.drops}
            fields.update({path: {"technique": "keep"} for path in segment.keeps})
            for rule, _, refused in edits:
                live = ~rejected[view.values(rule.path).rows]
                fields[rule.path] = {"technique": rule.technique, "values": int(np.count_nonzero(live)),
                                     "refused": 0 if refused is None else int(np.count_nonzero(refused & live))}
            body["segments"][segment.name] = {"released": table.n - quarantined, "fields": fields}
        accepted, packed = np.flatnonzero(~rejected), {}
        for stateful, columns in zip(plan.stateful, examined, strict=True):
            packed[stateful.name], body["segments"][stateful.name] = self._pack(stateful, columns, view, accepted)
        timed = [(s, c) for s, c in zip(plan.stateful, examined, strict=True) if s.has_time]
        event_time = timed[0][0].latest(timed[0][1], accepted) if timed else None
        lines = [(row, self._entry(payloads[row], row, rejections, now)) for row in rejections.rows.tolist()]
        return Protected(table.n, views, packed, lines, event_time, self._audit.event("protect", now, body), quarantined)

    def _mask(self, view: RecordView, rejections: Rejections) -> list[list[tuple[FieldRule, Masked, np.ndarray | None]]]:
        """What the rules of each masked segment make of its fields.

        Rules that are not row-local come last and see accepted records only, or values of a rejected record would come out in another's
        place. They begin anew when one of them has rejected records that the others have seen.
        """
        segments = self._plan.masked
        contexts = [Context(self._entropy(32), view.subjects, lambda path: _accepted(view.values(path).rows, rejections)) for _ in segments]
        done: dict[tuple[int, str], tuple[FieldRule, Masked, np.ndarray | None]] = {}
        for row_local in (True, False):
            again = True
            while again:
                before = len(rejections.rows)
                for number, segment in enumerate(segments):
                    for rule in segment.rules:
                        if rule.row_local is row_local:
                            values = view.values(rule.path)
                            live = None if row_local else ~rejections.mask[values.rows]
                            masked, refused = apply(rule, values, contexts[number], live)
                            if refused is not None and rule.on_error == "quarantine":
                                rejections.add(values.rows[refused], "refused_value", rule.path)
                            done[number, rule.path] = rule, masked, refused
                again = not row_local and len(rejections.rows) > before
        return [[done[number, rule.path] for rule in segment.rules] for number, segment in enumerate(segments)]

    def _entry(self, payload: pa.Scalar, row: int, rejections: Rejections, now: int) -> bytes:
        reason, path = rejections.reasons[rejections.codes[row]]
        raw = payload.as_buffer().to_pybytes() if payload.is_valid else None
        return self._quarantine.entry(raw, reason, path, rejections.positions.get(row), now)

    def _pack(self, segment: Stateful, columns: Any, view: RecordView, accepted: np.ndarray) -> tuple[list[Packed], dict[str, Any]]:
        rows, suppressed = segment.select(columns, accepted)
        people = view.people[rows] % np.uint64(segment.shards)
        packed = []
        for shard in np.unique(people).tolist() if segment.shards > 1 else ([0] if len(rows) else []):
            mine = rows[people == shard] if segment.shards > 1 else rows
            packed.append(Packed(int(shard), len(mine), self._sealers[segment.name].seal(to_ipc(segment.pack(columns, view, mine)))))
        return packed, {"packed": len(rows), "suppressed": suppressed}


def _accepted(rows: np.ndarray, rejections: Rejections) -> np.ndarray:
    return rows[rejections.codes[rows] == 0]
