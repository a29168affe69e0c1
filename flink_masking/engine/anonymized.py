"""Anonymized segments: quasi-identifiers to codes, released fields to member text, and the logic that finds groups."""

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.buffer import Buffer
from flink_masking.anonymity.comparing import comparable
from flink_masking.anonymity.logic import KAnonymityLogic, pack
from flink_masking.anonymity.models import Models
from flink_masking.anonymity.mondrian import WindowMondrian
from flink_masking.anonymity.releases import ReleaseLimit
from flink_masking.anonymity.sensitive import SensitiveDomain
from flink_masking.anonymity.slide_grow import USUAL_PREFERENCE, SlideGrow
from flink_masking.anonymity.space import Space
from flink_masking.arrow import nulled
from flink_masking.crypto.prf import Prf
from flink_masking.engine.people import PinnedPeople
from flink_masking.engine.quasi_identifiers import code_quasi_identifier
from flink_masking.engine.rejections import Rejections
from flink_masking.engine.stateful import LogicStage
from flink_masking.engine.view import RecordView
from flink_masking.ipc import from_ipc
from flink_masking.keys.ring import KeyRing
from flink_masking.logic import CountsPeople
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.mechanisms import privacy_models, sensitive_domain
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.records.codec import Rows, joined, rows_for
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action
from flink_masking.techniques.masks import Mask


class Coded(NamedTuple):
    """The quasi-identifiers of a batch.

    Attributes:
        codes: for each dimension, a code a row.
        complete: bool a row: True where every quasi-identifier has a value, or none at all a category.
        sensitive: for each sensitive field, a code or keyed hash a row.
    """

    codes: list[np.ndarray]
    complete: np.ndarray
    sensitive: list[np.ndarray]


@dataclass(frozen=True)
class AnonymizedPlan:
    """A compiled anonymized segment; see `Stateful`.

    A record that lacks a quasi-identifier is suppressed at once, unless missing values have a category of their own.

    Attributes:
        name: the segment.
        segment: as in the policy.
        space: the quasi-identifiers as dimensions, in the policy's order.
        models: what groups must satisfy besides k.
        domains: of sensitive fields whose values are declared, by field; None for the others.
        sensitive: keyed hash of the values of the other ones; None where there is no sensitive field.
        people_version: the key version that people, and sensitive values, are hashed with.
        folded: sensitive fields whose text counts without case and the blanks around it.
        rows: how rows of the view are written.
        derived: what makes the numbers that dates are generalised by, by quasi-identifier; of the others, nothing.
    """

    name: str
    segment: AnonymizedSegment
    space: Space
    models: Models
    domains: Mapping[str, SensitiveDomain | None]
    sensitive: Prf | None
    people_version: int
    folded: frozenset[str]
    rows: Rows
    derived: Mapping[str, Mask]

    has_time = False

    @property
    def shards(self) -> int:
        """Buffers that the traffic is divided over."""
        return self.segment.shards

    @property
    def paths(self) -> frozenset[str]:
        """Fields that are read."""
        return frozenset([*self.segment.quasi_identifiers, *self.segment.release, *self.segment.sensitive])

    @property
    def checked(self) -> frozenset[str]:
        """All of them."""
        return self.paths

    @property
    def columns(self) -> tuple[str, ...]:
        """The quasi-identifiers and what is released beside them."""
        return (*self.space.names, *self.segment.release)

    @property
    def stages(self) -> tuple[LogicStage, ...]:
        """One keyed operator."""
        return (self._stage(self._logic),)

    def _stage(self, logic: Callable[[], CountsPeople]) -> LogicStage:
        return LogicStage("anonymize", functools.partial(PinnedPeople, logic, self.people_version, self.name), from_ipc)

    def _logic(self) -> KAnonymityLogic:
        seed = np.random.SeedSequence(int.from_bytes(os.urandom(16)))  # of the order within a group only, never of the groups
        compared = {rule.field for rule in self.segment.closenesses}
        undeclared = [i for i, path in enumerate(self.segment.sensitive) if path in compared and self.domains[path] is None]
        return KAnonymityLogic(self.space, self.models, self._buffer, self.segment.max_delay, np.random.default_rng(seed), undeclared,
                               self._limit(self.segment.max_delay), self.rows)

    def _limit(self, max_delay: int) -> ReleaseLimit | None:
        """What a person's releases are counted by, where the policy limits them."""
        limit = self.segment.max_releases
        return None if limit is None else ReleaseLimit(limit.per, limit.count, max_delay, self.segment.shards)

    def _buffer(self) -> Buffer:
        segment = self.segment
        if segment.algorithm == "mondrian":
            return WindowMondrian(self.space, segment.k, self.models, segment.max_buffer, segment.max_delay)
        return SlideGrow(self.space, segment.k, self.models, segment.max_buffer, segment.max_delay, USUAL_PREFERENCE)

    def examine(self, view: RecordView, rejections: Rejections, now: int) -> Coded:
        """Code quasi-identifiers and sensitive values; a value outside its domain sends the record to quarantine, or is a category."""
        rejections.add(view.column(_required_subject(view)).absent, "missing_subject", _required_subject(view))
        codes, complete = [], np.ones(view.n, bool)
        for path, dimension in zip(self.segment.quasi_identifiers, self.space.dimensions, strict=True):
            code, ok, absent = code_quasi_identifier(view, path, dimension, self.derived.get(path))
            if self.segment.outside == "unknown":
                code = np.where(ok | absent, code, code.dtype.type(dimension.unknown or 0))
            else:
                rejections.add(~(ok | absent), "out_of_domain", path)
            if self.segment.missing == "category":
                code = np.where(absent, code.dtype.type(dimension.missing or 0), code)
            else:
                complete &= ~absent
            codes.append(code)
        return Coded(codes, complete, [self._code_sensitive(view, path, rejections) for path in self.segment.sensitive])

    def _code_sensitive(self, view: RecordView, path: str, rejections: Rejections) -> np.ndarray:
        """Codes of the declared values, else hashes; no value (null or missing) counts as a value of its own, other than ""."""
        column, domain = view.column(path), self.domains[path]
        absent = column.absent
        absent[view.unusable(path)] = True  # shown as one and the same, so it counts as one and the same
        kinds = np.where(absent, Kind.NULL, column.kinds)
        text = comparable(column.text, kinds, path in self.folded)
        text = nulled(text, absent)
        if domain is None:
            return hashes(_required(self.sensitive), text, absent)
        code, ok = domain.encode(text, kinds)
        rejections.add(~(ok | absent), "out_of_domain", path)
        return np.where(absent, domain.size, np.where(ok, code, 0)).astype(np.uint64)

    def select(self, examined: Coded, accepted: np.ndarray) -> tuple[np.ndarray, int]:
        """The accepted rows with all quasi-identifiers, and how many lack one."""
        rows = accepted[examined.complete[accepted]]
        return rows, len(accepted) - len(rows)

    def pack(self, examined: Coded, view: RecordView, rows: np.ndarray) -> pa.RecordBatch:
        """The columns of `rows`."""
        whole = len(rows) == view.n
        sensitive = examined.sensitive if whole else [values[rows] for values in examined.sensitive]
        codes = examined.codes if whole else [code[rows] for code in examined.codes]
        return pack(self.space, codes, view.people if whole else view.people[rows], sensitive, self._release(view, None if whole else rows))

    def _release(self, view: RecordView, rows: np.ndarray | None) -> pa.BinaryArray:
        """The released members, every value as it came or, where it breaks its field's contract, redacted; missing fields stay missing."""
        columns = [view.raw(path) for path in self.segment.release]
        if rows is not None:
            columns = [column.take(pa.array(rows)) for column in columns]
        return joined(self.rows, self.segment.release, columns, view.n if rows is None else len(rows))

    def latest(self, examined: Coded, rows: np.ndarray) -> int | None:
        """None: this segment does not read event time."""
        return None


def _required_subject(view: RecordView) -> str:
    if view.subject is None:
        raise AssertionError("a policy that counts people names a subject: checked when it is loaded")
    return view.subject


def _required(prf: Prf | None) -> Prf:
    if prf is None:
        raise AssertionError("a segment with sensitive fields has a keyed hash: made with it")
    return prf


def hashes(prf: Prf, text: pa.StringArray, absent: np.ndarray) -> np.ndarray:
    """Keyed hashes of sensitive values (uint64); a missing value and the empty text have different hashes."""
    words = prf.words(text)
    return np.where(absent, words ^ np.uint64(1), words)


def compile_anonymized(name: str, segment: AnonymizedSegment, loaded: LoadedPolicy, ring: KeyRing) -> AnonymizedPlan:
    """Compile an anonymized segment.

    Raises:
        PolicyError: a quasi-identifier has no usable domain.
    """
    dimensions = {_member(path): loaded.dimension(path, segment.categories) for path in segment.quasi_identifiers}
    oldest = ring.versions[0]  # not the primary: a value that waits since before a promotion is to be known again after it
    prf = Prf(ring.derive("sensitive", f"{loaded.policy.stream}/{name}", oldest)) if segment.sensitive else None
    domains = {path: sensitive_domain(path, segment, loaded.policy, loaded.hierarchies) for path in segment.sensitive}

    folded = frozenset(path for path in segment.sensitive if loaded.policy.fields[path].compare == "folded")

    def watched(path: str, values: tuple[str, ...]) -> tuple[int, ...]:
        domain, kinds = domains[path], np.full(len(values), Kind.STRING, np.int32)
        text = comparable(pa.array(values, pa.string()), kinds, path in folded)
        if domain is not None:
            return tuple(domain.encode(text, kinds)[0].tolist())
        text = pa.concat_arrays([text, comparable(text, np.full(len(values), Kind.NUMBER, np.int32), False)])  # as text, and as a number
        return tuple(dict.fromkeys(hashes(_required(prf), text, np.zeros(len(text), np.bool_)).tolist()))

    models = privacy_models(segment, domains, loaded.hierarchies, loaded.policy, watched)
    return AnonymizedPlan(name, segment, Space(dimensions), models, domains, prf, oldest, folded,
                          rows_for(loaded.policy.format), {path: _derivation(path, loaded, ring) for path in segment.quasi_identifiers
                                                           if loaded.policy.fields[path].derive is not None})


def _derivation(path: str, loaded: LoadedPolicy, ring: KeyRing) -> Mask:
    """What makes the numbers that a quasi-identifier is generalised by."""
    derive = loaded.policy.fields[path].derive
    assert derive is not None
    generalize = registry.get("generalize")
    made = generalize.make(generalize.params.model_validate(derive.parameters), loaded.rule_context(path, ring))
    assert not isinstance(made, Action)
    return made


def _member(path: str) -> str:
    """The name under which a quasi-identifier is released: an array of labels under the name of the array."""
    return path.removesuffix("[*]")
