"""The protocol of stateful segments for Protect and the Flink adapter."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from flink_masking.engine.rejections import Rejections
from flink_masking.engine.view import RecordView
from flink_masking.logic import Logic


@dataclass(frozen=True)
class LogicStage:
    """One keyed operator of a segment.

    Attributes:
        name: for the audit and Flink's uid (``anonymize``, ``partial``, ``final``).
        logic: makes a fresh logic; called once for each key.
        read: a received blob as the logic's record batch.
    """

    name: str
    logic: Callable[[], Logic]
    read: Callable[[bytes], pa.RecordBatch]


class Stateful(Protocol):
    """A segment whose records travel on, packed, to keyed operators."""

    @property
    def name(self) -> str:
        """The segment's name."""
        ...

    @property
    def shards(self) -> int:
        """Number of instances of its first stage; people are spread over them."""
        ...

    @property
    def people_version(self) -> int:
        """The key version that people are hashed with, in all segments of a plan the same."""
        ...

    @property
    def has_time(self) -> bool:
        """Whether it reads event time (and is asked for `latest`)."""
        ...

    @property
    def paths(self) -> frozenset[str]:
        """Fields whose values it reads."""
        ...

    @property
    def checked(self) -> frozenset[str]:
        """Those of them of which its rows show something, so that values that break their contract are not taken."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The members of its rows, in their order."""
        ...

    @property
    def stages(self) -> tuple[LogicStage, ...]:
        """Its keyed operators, in order."""
        ...

    def examine(self, view: RecordView, rejections: Rejections, now: int) -> Any:
        """Read the fields of a batch and reject the records that break the contract.

        Args:
            view: the scanned batch.
            rejections: extended in place.
            now: processing time, ms since 1970.

        Returns:
            Whatever `select` and `pack` want to see again.
        """
        ...

    def select(self, examined: Any, accepted: np.ndarray) -> tuple[np.ndarray, int]:
        """Rows that are packed, out of the accepted ones, and the number left out (suppressed at once)."""
        ...

    def pack(self, examined: Any, view: RecordView, rows: np.ndarray) -> pa.RecordBatch:
        """The columns of `rows`, in the schema of the first stage's logic."""
        ...

    def latest(self, examined: Any, rows: np.ndarray) -> int | None:
        """The largest event time of `rows` in ms; None when the segment does not read event time."""
        ...
