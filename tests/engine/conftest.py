"""Compiled policies, and batches run through Protect and the stateful logics in this process."""

import os
from collections import Counter
from typing import Any, NamedTuple

import orjson
import pytest

from flink_masking.engine.inprocess import InProcess
from flink_masking.engine.plan import Plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.protected import Protected
from flink_masking.engine.quarantine import Entry
from flink_masking.records.column import binary_column

NOW = 1_710_498_600_000


class Run(NamedTuple):
    """A batch and what became of it."""

    plan: Plan
    pieces: list[Protected]
    released: dict[str, list[bytes]]
    counts: dict[str, Counter[str]]

    def view(self, segment: str) -> list[bytes | None]:
        """A masked segment, a row for each record."""
        return [row for piece in self.pieces for row in piece.views[segment].to_pylist()]

    @property
    def entries(self) -> dict[int, Entry]:
        """Quarantine entries by row of the batch."""
        start, found = 0, {}
        for piece in self.pieces:
            for row, line in piece.quarantine:
                assert start + row not in found
                found[start + row] = Entry.decode(line)
            start += piece.records
        return found

    @property
    def reasons(self) -> dict[int, tuple[str, str | None]]:
        """Reason and path by quarantined row."""
        return {row: (entry.reason, entry.path) for row, entry in self.entries.items()}

    @property
    def audit(self) -> list[dict[str, Any]]:
        """Audit events of the batch."""
        return [orjson.loads(piece.audit) for piece in self.pieces]


@pytest.fixture(scope="session")
def run(planned, ring):
    """Run records through a policy: every batch through Protect, then the stateful segments to the end of the input."""

    def protect(text, *batches, keys=ring, entropy=os.urandom) -> Run:
        plan = planned(text, keys)
        step, stateful = Protect(plan, entropy, lambda: NOW), InProcess(plan, lambda: NOW)
        pieces = [piece for batch in batches for piece in step(binary_column(batch))]
        for piece in pieces:
            stateful.feed(piece)
        stateful.finish()
        return Run(plan, pieces, stateful.released(), stateful.counts)

    return protect
