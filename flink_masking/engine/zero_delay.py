"""Anonymized segments without delay: what `ZeroDelayLogic` needs of a batch."""

import os
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.zero_delay import ZeroDelayLogic, schema
from flink_masking.crypto.prf import Prf
from flink_masking.engine.anonymized import AnonymizedPlan, Coded, compile_anonymized
from flink_masking.engine.stateful import LogicStage
from flink_masking.engine.view import RecordView
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AnonymizedSegment


@dataclass(frozen=True)
class ZeroDelayPlan(AnonymizedPlan):
    """A compiled anonymized segment of mode zero_delay; see `AnonymizedPlan`.

    Attributes:
        shown: keyed hash of released values.
    """

    shown: Prf

    @property
    def stages(self) -> tuple[LogicStage, ...]:
        """One keyed operator."""
        return (self._stage(self._zero_delay),)

    def _zero_delay(self) -> ZeroDelayLogic:
        segment, generator = self.segment, np.random.default_rng(np.random.SeedSequence(int.from_bytes(os.urandom(16))))
        return ZeroDelayLogic(self.space, segment.release, segment.k, segment.window, segment.max_buffer, generator, self._limit(0),
                              self.rows)

    def pack(self, examined: Coded, view: RecordView, rows: np.ndarray) -> pa.RecordBatch:
        """The columns of `rows`."""
        raw = [view.raw(path).take(pa.array(rows)) for path in self.segment.release]
        columns = [*(code[rows] for code in examined.codes), view.people[rows], *(self.shown.words(values) for values in raw)]
        return pa.RecordBatch.from_arrays([*map(pa.array, columns), *raw], schema=schema(self.space, len(raw)))


def compile_zero_delay(name: str, segment: AnonymizedSegment, loaded: LoadedPolicy, ring: KeyRing) -> ZeroDelayPlan:
    """Compile an anonymized segment of mode zero_delay.

    Raises:
        PolicyError: a quasi-identifier has no usable domain.
    """
    plan = compile_anonymized(name, segment, loaded, ring)
    shown = Prf(ring.derive("sensitive", f"{loaded.policy.stream}/{name}", plan.people_version))
    return ZeroDelayPlan(plan.name, plan.segment, plan.space, plan.models, plan.domains, plan.sensitive, plan.people_version, plan.folded,
                         plan.rows, plan.derived, shown)
