"""Masked segments of a policy as columns, for jobs that are written in SQL."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.documents.faults import did_you_mean
from flink_masking.engine.erased import ErasedSubjects, Erasures
from flink_masking.engine.plan import compile_plan, renewed
from flink_masking.engine.protect import NO_PARTS, PLAIN, Protect
from flink_masking.engine.protected import Protected
from flink_masking.engine.record import Parts, RecordPlan, Transport, part_columns
from flink_masking.engine.rejections import Rejections
from flink_masking.engine.stateful import LogicStage, Stateful
from flink_masking.engine.view import RecordView
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.source import SchemaSource
from flink_masking.vault.base import Vault

KEY_VERSION = "key_version"


def view_columns(segments: int, parts: int | None = None) -> list[str]:
    """Names of the columns for so many masked segments: a view each, audit and quarantine.

    Args:
        segments: number of masked segments.
        parts: number of keys and headers that leave for Kafka, all segments together, which come next, and the key version after them;
            None: no segment is in Kafka.
    """
    beside = [] if parts is None else [*(f"part{i}" for i in range(parts)), KEY_VERSION]
    return [*(f"view{i}" for i in range(segments)), "audit", "quarantine", *beside]


@dataclass(frozen=True)
class Unpublished:
    """A stateful segment that a SQL job does not run: it still rejects what breaks its contract, and nothing is packed for it.

    So the masked segments of a SQL job hold the same records as those of the main job.

    Attributes:
        segment: the segment.
    """

    segment: Stateful
    shards: int = 1
    has_time: bool = False
    stages: tuple[LogicStage, ...] = ()

    @property
    def name(self) -> str:
        """The segment's name."""
        return self.segment.name

    @property
    def people_version(self) -> int:
        """As the segment does."""
        return self.segment.people_version

    @property
    def paths(self) -> frozenset[str]:
        """Fields whose values it reads."""
        return self.segment.paths

    @property
    def checked(self) -> frozenset[str]:
        """Fields whose values must keep their contract."""
        return self.segment.checked

    @property
    def columns(self) -> tuple[str, ...]:
        """The members of its rows, in their order."""
        return self.segment.columns

    def examine(self, view: RecordView, rejections: Rejections, now: int) -> Any:
        """As the segment does."""
        return self.segment.examine(view, rejections, now)

    def select(self, examined: Any, accepted: np.ndarray) -> tuple[np.ndarray, int]:
        """No row, and none suppressed."""
        return accepted[:0], 0

    def pack(self, examined: Any, view: RecordView, rows: np.ndarray) -> pa.RecordBatch:
        """As the segment does; never asked for, since no row is selected."""
        return self.segment.pack(examined, view, rows)

    def latest(self, examined: Any, rows: np.ndarray) -> int | None:
        """No event time."""
        return None


class ViewSet:
    """The masked segments of a policy over batches of raw records, with the key ring as it is at each batch."""

    def __init__(self, loaded: LoadedPolicy, ring: Callable[[], KeyRing], vault: Vault | None, entropy: Callable[[int], bytes],
                 clock: Callable[[], int], segments: int | None = None, parts: int | None = None, transport: Transport = PLAIN,
                 schemas: SchemaSource | None = None,
                 outputs: OutputSchemas | None = None) -> None:
        """Compile the policy.

        Args:
            loaded: the policy.
            ring: gives the ring to use now, the same object until it has changed.
            vault: where tokens are kept, or None.
            entropy: n → n random bytes.
            clock: processing time in ms since 1970.
            segments: how many masked segments the caller expects; None: whatever there is.
            parts: how many keys and headers the caller expects, with `segments`; None: no segment in Kafka.
            transport: what is known of the topics at both ends.
            schemas: those that records name by identifiers, or None.
            outputs: gives identifiers to the schemas of views, or None.

        Raises:
            InputError: the policy has another number of them.
            PolicyError: a rule cannot be carried out.
            KeyRingError: the ring lacks a key.
            VaultError: a rule makes tokens, and there is no vault.
        """
        self._loaded, self._ring, self._vault, self._entropy, self._clock = loaded, ring, vault, entropy, clock
        whole = compile_plan(loaded, ring(), vault, schemas=schemas, outputs=outputs)
        self._plan = dataclasses.replace(whole, stateful=tuple(Unpublished(segment) for segment in whole.stateful))
        self._names = [masked.name for masked in self._plan.masked]
        found = len(part_columns(self.records, transport)) if transport.record else None
        if segments is not None and (segments, parts) != (len(self._names), found):
            has, written = (len(self._names), segments) if len(self._names) != segments else (found or 0, parts or 0)
            what = "masked segments" if len(self._names) != segments else "keys and headers for Kafka"
            raise InputError(f"the policy has {has} {what}, the job was written for {written}. "
                             "Hint: print the script again with flink-masking sql job")
        self.transport = transport
        self._erased = ErasedSubjects(loaded.policy.stream)
        self._erasures = Erasures(self._erased, vault, None, loaded.policy.stream)
        self._protect = Protect(self._plan, entropy, clock, transport=transport, erased=self._erased)

    def close(self) -> None:
        """Close the vault."""
        if self._vault is not None:
            self._vault.close()

    @property
    def records(self) -> list[RecordPlan]:
        """What each masked segment does with Kafka's parts."""
        return [masked.record for masked in self._plan.masked]

    def _pieces(self, payloads: pa.BinaryArray, parts: Parts = NO_PARTS) -> list[Protected]:
        ring = self._ring()
        if ring is not self._plan.ring:
            self._plan = renewed(self._plan, self._loaded, ring, self._vault)
            self._protect = Protect(self._plan, self._entropy, self._clock, self._protect.people, self.transport, self._erased)
        self._erasures.follow(self._loaded, self._clock())
        return self._protect(payloads, parts)

    def view(self, payloads: pa.BinaryArray, segment: str) -> pa.BinaryArray:
        """What a segment shows.

        Args:
            payloads: n raw records.
            segment: its name.

        Returns:
            n records; null where one is rejected.

        Raises:
            InputError: there is no masked segment of that name, or its records are shuffled.
        """
        if segment not in self._names:
            hint = did_you_mean(segment, self._names, "masked segments") or "the policy has no masked segment"
            raise InputError(f"protect: no such masked segment. Hint: {hint}")
        if self._plan.masked[self._names.index(segment)].shuffled:
            raise InputError(f"protect: the records of segment '{segment}' are shuffled, and a row of a query stands beside other columns "
                             "of the record. Hint: flink-masking sql job prints a job for such a segment; or order: as_read")
        return pa.concat_arrays([piece.views[segment] for piece in self._pieces(payloads)])

    def rows(self, payloads: pa.BinaryArray, parts: Parts = NO_PARTS) -> dict[str, pa.Array]:
        """All segments, audit and quarantine.

        Args:
            payloads: n raw records.
            parts: Kafka's own parts of them.

        Returns:
            By the names of `view_columns` n cells; audit has one a batch, quarantine one for each rejected record.
        """
        pieces = self._pieces(payloads, parts)
        views = [pa.concat_arrays([piece.views[name] for piece in pieces]) for name in self._names]
        audit, quarantine = (pa.concat_arrays([cells(piece) for piece in pieces]) for cells in (_audit, _quarantine))
        if not self.transport.record:
            return dict(zip(view_columns(len(self._names)), [*views, audit, quarantine], strict=True))
        beside = [[column for released in piece.parts.values() for column in released.columns] for piece in pieces]
        columns = [pa.concat_arrays(list(same)) for same in zip(*beside, strict=True)]
        version = pa.array(np.concatenate([np.full(piece.records, piece.key_version, np.int32) for piece in pieces]))
        return dict(zip(view_columns(len(self._names), len(columns)), [*views, audit, quarantine, *columns, version], strict=True))


def _audit(piece: Protected) -> pa.BinaryArray:
    return pa.array([*piece.audit_lines, *[None] * (piece.records - len(piece.audit_lines))][: piece.records], pa.binary())


def _quarantine(piece: Protected) -> pa.BinaryArray:
    lines: list[bytes | None] = [None] * piece.records
    for row, line in piece.quarantine:
        lines[row] = line
    return pa.array(lines, pa.binary())
