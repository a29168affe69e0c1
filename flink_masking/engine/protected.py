"""What Protect makes of a batch."""

from dataclasses import dataclass, field

import pyarrow as pa

from flink_masking.audit.reports import BatchReport
from flink_masking.engine.record import Released


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
        views: for each masked segment a binary array of n records, null where the record is quarantined; the others in the order of the
            batch, or where the segment is shuffled in an order of its own.
        packed: for each stateful segment its sealed batches.
        quarantine: pairs (row, JSON line).
        event_time: the largest event time of the accepted records in ms, or None.
        audit: one JSON line, made of `report`.
        leaves: with digests, the lines beside it that tell the leaf hashes of the views; fewer than there are records.
        report: what was done to how many records and values.
        event_times: the same by source partition; of one partition, 0, where the source has none.
        parts: for each masked segment Kafka's parts of the records, as it shows them.
        key_version: the version that masks and seals were made with.
        grants: for each granted view the ids of the grants that opened a record, with commas; null where it is not there.
    """

    views: dict[str, pa.BinaryArray]
    packed: dict[str, list[Packed]]
    quarantine: list[tuple[int, bytes]]
    event_time: int | None
    audit: bytes
    report: BatchReport
    event_times: dict[int, int] = field(default_factory=dict)
    parts: dict[str, Released] = field(default_factory=dict)
    key_version: int = 0
    leaves: tuple[bytes, ...] = ()
    grants: dict[str, pa.BinaryArray] = field(default_factory=dict)

    @property
    def audit_lines(self) -> list[bytes]:
        """The event and the lines beside it."""
        return [self.audit, *self.leaves]

    @property
    def records(self) -> int:
        """How many records were in the batch."""
        return self.report.records

    @property
    def quarantined(self) -> int:
        """How many of them were rejected."""
        return sum(self.report.quarantined.values())
