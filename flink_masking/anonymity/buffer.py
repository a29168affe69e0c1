"""The buffer protocol of the anonymizing step, implemented by each grouping algorithm."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from flink_masking.anonymity.layout_kernels import Groups

__all__ = ["NEVER", "PER_RECORD", "Buffer", "Groups", "Records"]

NEVER = 1 << 62
PER_RECORD = frozenset({"bias"})
"""Names under which a buffer's memory has one number for each record held, in their order."""


class Records(NamedTuple):
    """Records as columns, in the order of arrival.

    Attributes:
        codes: a column for each dimension of the space, uint16 or uint64.
        subject: uint64, a keyed hash of the person.
        sensitive: uint64, (sensitive attributes, n): codes of the sensitive values.
        seq: int64, number of arrival.
        arrival: int64, processing time of the arrival, ms.
    """

    codes: Sequence[np.ndarray]
    subject: np.ndarray
    sensitive: np.ndarray
    seq: np.ndarray
    arrival: np.ndarray


class Buffer(Protocol):
    """Holds the records of one shard until they are due, and lets them leave in groups.

    Contract: every record leaves once, released or suppressed. A released record lies in its group's box; a group has at least k
    distinct people and satisfies the models. Groups depend on the records, their order and their times alone: not on how they were cut
    into batches, nor on whether the buffer was moved (`held` and `memory` given to `load` of a fresh one) in between.
    """

    def push(self, records: Records, now: int) -> Groups:
        """Admit records one by one; the groups that leave meanwhile.

        Args:
            records: their codes must lie in the space, their numbers and times must not descend, and numbers be above all earlier ones.
            now: processing time, ms; not before the time of any record.
        """
        ...

    def expire(self, now: int) -> Groups:
        """The groups of records that are due at processing time now (ms)."""
        ...

    def flush(self) -> Groups:
        """End of input: everything is due; nothing is held afterwards."""
        ...

    def held(self) -> Records:
        """A copy of the records held."""
        ...

    def memory(self) -> dict[str, np.ndarray]:
        """Copies of the numbers that outlive the records: running counts. Names are identifiers, arrays have one dimension."""
        ...

    def load(self, records: Records, memory: Mapping[str, np.ndarray], last: int) -> None:
        """Hold exactly these records; nothing leaves.

        Args:
            records: what `held` gave.
            memory: what `memory` gave.
            last: number of the last arrival so far, which may have left already; -1 before the first.

        Raises:
            ValueError: the memory is not that of a buffer made with the same arguments.
        """
        ...

    def oldest(self) -> int | None:
        """Processing time of the arrival of the oldest record held, ms; None when nothing is held."""
        ...
