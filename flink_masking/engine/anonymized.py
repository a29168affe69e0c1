"""Anonymized segments: quasi-identifiers to codes, released fields to member text, and the logic that finds groups."""

import functools
import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.logic import KAnonymityLogic, pack
from flink_masking.anonymity.models import DistinctL, Models
from flink_masking.anonymity.slide_grow import SlideGrow
from flink_masking.anonymity.space import Space
from flink_masking.crypto.prf import Prf
from flink_masking.engine.rejections import Rejections
from flink_masking.engine.stateful import LogicStage
from flink_masking.engine.view import RecordView
from flink_masking.ipc import from_ipc
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.records.kinds import Kind


class Coded(NamedTuple):
    """The quasi-identifiers of a batch.

    Attributes:
        codes: for each dimension, a code a row.
        complete: bool a row: True where every quasi-identifier has a value.
    """

    codes: list[np.ndarray]
    complete: np.ndarray


@dataclass(frozen=True)
class AnonymizedPlan:
    """A compiled anonymized segment; see `Stateful`.

    A record that lacks a quasi-identifier cannot be placed in any group and is suppressed at once.

    Attributes:
        name: the segment.
        segment: as in the policy.
        space: the quasi-identifiers as dimensions, in the policy's order.
        sensitive: keyed hash of sensitive values, for l-diversity; None without.
    """

    name: str
    segment: AnonymizedSegment
    space: Space
    sensitive: Prf | None

    has_time = False

    @property
    def shards(self) -> int:
        """Buffers that the traffic is divided over."""
        return self.segment.shards

    @property
    def paths(self) -> frozenset[str]:
        """Fields that are read."""
        diverse = [self.segment.l_diversity.field] if self.segment.l_diversity else []
        return frozenset([*self.segment.quasi_identifiers, *self.segment.release, *diverse])

    @property
    def stages(self) -> tuple[LogicStage, ...]:
        """One keyed operator."""
        return (LogicStage("anonymize", self._logic, from_ipc),)

    def _logic(self) -> KAnonymityLogic:
        diversity = self.segment.l_diversity
        models = Models([DistinctL(0, diversity.l)] if diversity else [])
        segment = self.segment
        seed = np.random.SeedSequence(int.from_bytes(os.urandom(16)))  # of the order within a group only, never of the groups
        generator = np.random.default_rng(seed)
        return KAnonymityLogic(
            self.space, models, lambda: SlideGrow(self.space, segment.k, models, segment.max_buffer, segment.max_delay), segment.max_delay,
            generator)

    def examine(self, view: RecordView, rejections: Rejections) -> Coded:
        """Code the quasi-identifiers; a value outside its domain sends the record to quarantine."""
        rejections.add(view.column(_required_subject(view)).absent, "missing_subject", _required_subject(view))
        codes, complete = [], np.ones(view.n, bool)
        for path, dimension in zip(self.segment.quasi_identifiers, self.space.dimensions, strict=True):
            column = view.column(path)
            absent = column.absent
            code, ok = dimension.encode(column.text, np.where(absent, Kind.NULL, column.kinds))
            rejections.add(~(ok | absent), "out_of_domain", path)
            complete &= ~absent
            codes.append(code)
        return Coded(codes, complete)

    def select(self, examined: Coded, accepted: np.ndarray) -> tuple[np.ndarray, int]:
        """The accepted rows with all quasi-identifiers, and how many lack one."""
        rows = accepted[examined.complete[accepted]]
        return rows, len(accepted) - len(rows)

    def pack(self, examined: Coded, view: RecordView, rows: np.ndarray) -> pa.RecordBatch:
        """The columns of `rows`."""
        whole = len(rows) == view.n
        sensitive = []
        if self.segment.l_diversity and self.sensitive:
            words = self.sensitive.words(view.column(self.segment.l_diversity.field).text)
            sensitive = [words if whole else words[rows]]
        codes = examined.codes if whole else [code[rows] for code in examined.codes]
        return pack(self.space, codes, view.people if whole else view.people[rows], sensitive, self._release(view, None if whole else rows))

    def _release(self, view: RecordView, rows: np.ndarray | None) -> pa.BinaryArray:
        """The released members as JSON text without braces, every value byte for byte as it came; missing fields stay missing."""
        if not self.segment.release:
            return pa.array([b""] * (view.n if rows is None else len(rows)), pa.binary())
        members = []
        for path in self.segment.release:
            raw = view.raw(path)
            raw = raw if rows is None else raw.take(pa.array(rows))
            members.append(pc.binary_join_element_wise(pa.scalar(orjson.dumps(path) + b":"), raw, pa.scalar(b"")))
        nothing = functools.reduce(pc.and_, [member.is_null() for member in members])
        members[0] = pc.if_else(nothing, b"", members[0])  # Arrow leaves out a row in which everything is skipped
        return pc.binary_join_element_wise(*members, pa.scalar(b","), null_handling="skip")

    def latest(self, examined: Coded, rows: np.ndarray) -> int | None:
        """None: this segment does not read event time."""
        return None


def _required_subject(view: RecordView) -> str:
    if view.subject is None:
        raise AssertionError("a policy that counts people names a subject: checked when it is loaded")
    return view.subject


def compile_anonymized(name: str, segment: AnonymizedSegment, loaded: LoadedPolicy, ring: KeyRing) -> AnonymizedPlan:
    """Compile an anonymized segment.

    Raises:
        PolicyError: a quasi-identifier has no usable domain.
    """
    dimensions = {path: loaded.dimension(path) for path in segment.quasi_identifiers}
    oldest = ring.versions[0]  # not the primary: a value that waits since before a promotion is to be known again after it
    sensitive = Prf(ring.derive("sensitive", f"{loaded.policy.stream}/{name}", oldest)) if segment.l_diversity else None
    return AnonymizedPlan(name, segment, Space(dimensions), sensitive)
