"""Aggregated segments: event time, groups and measures to columns, and the two logics that bound, add up and draw noise."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.dp.contribution import LATEST, contributions
from flink_masking.dp.final import FinalLogic
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.dp.spec import AggregateSpec
from flink_masking.engine.columns import Column
from flink_masking.engine.masking import FieldRule, accepted_kinds
from flink_masking.engine.people import PinnedPeople
from flink_masking.engine.rejections import Rejections
from flink_masking.engine.stateful import LogicStage
from flink_masking.engine.view import RecordView
from flink_masking.ipc import from_ipc
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AggregatedSegment
from flink_masking.records.codec import joined
from flink_masking.records.kinds import NUMERIC, SCALAR, TEXT, Kind
from flink_masking.techniques.base import Action
from flink_masking.techniques.masks import Context
from flink_masking.values.decimals import BAD, EXACT, parse_fixed
from flink_masking.values.epochs import milliseconds
from flink_masking.values.instants import parse as parse_instants
from flink_masking.values.units import Unit


class Contributions(NamedTuple):
    """The columns of a batch before bounding.

    Attributes:
        time: int64, ms, a row.
        groups: binary, a row: the group's members, see `flink_masking.records.codec.Rows`.
        values: for each measure int64 units, a row.
        valid: for each measure bool, a row: whether it has a value.
    """

    time: np.ndarray
    groups: pa.BinaryArray
    values: list[np.ndarray]
    valid: list[np.ndarray]


@dataclass(frozen=True)
class AggregatedPlan:
    """A compiled aggregated segment; see `Stateful`.

    Attributes:
        name: the segment.
        spec: metrics, measures and privacy.
        subject: field of the person.
        event_time: field of the event's time.
        epoch: it holds milliseconds since 1970 as a number, instead of ISO 8601 text.
        keys: group fields with the mask that generalises each, or None where it is taken as it is.
        shards: instances of the bounding stage.
        people_version: the key version that people are hashed with.
        max_ahead: ms by which an event time may lie after processing time.
        unit: of event times that are numbers since 1970, where one is declared.
    """

    name: str
    spec: AggregateSpec
    subject: str
    event_time: str
    epoch: bool
    keys: tuple[tuple[str, FieldRule | None], ...]
    shards: int
    people_version: int
    max_ahead: int
    unit: Unit | None = None

    has_time = True

    @property
    def paths(self) -> frozenset[str]:
        """Fields that are read."""
        return frozenset([self.event_time, *(path for path, _ in self.keys), *(m.name for m in self.spec.measures)])

    @property
    def checked(self) -> frozenset[str]:
        """The fields of the groups; measures are clipped and added up."""
        return frozenset(path for path, _ in self.keys)

    @property
    def columns(self) -> tuple[str, ...]:
        """Window, groups, metrics, and the epsilon of the window."""
        return ("window_start", "window_end", *(path for path, _ in self.keys), *(metric.name for metric in self.spec.metrics), "epsilon")

    @property
    def stages(self) -> tuple[LogicStage, ...]:
        """Bounding and adding up for each shard of people, then noise in one place."""
        counting = partial(PinnedPeople, partial(PartialLogic, self.spec, max_ahead=self.max_ahead), self.people_version, self.name)
        return (LogicStage("partial", counting, from_ipc),
                LogicStage("final", partial(FinalLogic, self.spec, max_ahead=self.max_ahead), lambda blob: read_partial(blob, self.spec)))

    def examine(self, view: RecordView, rejections: Rejections, now: int) -> Contributions:
        """Read event time, groups and measures; what cannot be read, or is dated in the future, sends the record to quarantine.

        One event from the future would move the watermark there and close every window before it, for good.
        """
        rejections.add(view.column(self.subject).absent, "missing_subject", self.subject)
        column = view.column(self.event_time)
        time, ok = self._instants(column)
        rejections.add(column.absent, "missing_event_time", self.event_time)
        rejections.add(~(ok & (np.abs(time) <= LATEST)), "out_of_domain", self.event_time)
        rejections.add(ok & (time > now + self.max_ahead), "future_event_time", self.event_time)
        values, valid = [], []
        for measure in self.spec.measures:
            column = view.column(measure.name)
            number = column.kinds == Kind.NUMBER
            rejections.add(~column.absent & ~number, "out_of_domain", measure.name)
            if not measure.optional:  # its mean is divided by the number of records
                rejections.add(column.absent, "missing_field", measure.name)
            units, status = parse_fixed(column.text, measure.scale)
            if (beyond := number & (status == BAD)).any():  # a number that 64 bits cannot hold: past the bounds all the same
                negative = pc.starts_with(column.text, "-").fill_null(False).to_numpy(zero_copy_only=False)
                units[beyond] = np.where(negative[beyond], measure.low, measure.high)
            values.append(units)
            valid.append(number)
        return Contributions(time, self._groups(view, rejections), values, valid)

    def _instants(self, column: Column) -> tuple[np.ndarray, np.ndarray]:
        """Event times in ms, and which could be read: ISO 8601 text; with a unit, a number since 1970 or a text of digits; of fields of
        type number, whole milliseconds since 1970."""
        if self.unit is not None:
            time, ok = milliseconds(column.text, self.unit)
            return time, ok & np.isin(column.kinds, list(TEXT | NUMERIC))
        if not self.epoch:
            time, ok = parse_instants(column.text)
            return time, ok & np.isin(column.kinds, list(TEXT))
        time, status = parse_fixed(column.text, 0)
        return time, (status == EXACT) & (column.kinds == Kind.NUMBER)

    def _groups(self, view: RecordView, rejections: Rejections) -> pa.BinaryArray:
        codec, columns = view.table.codec, []
        null = codec.rows.null.encode()
        for path, rule in self.keys:
            rejections.add(view.unusable(path), "out_of_domain", path)
            column = view.column(path)
            if rule is None:
                rejections.add(~column.absent & ~np.isin(column.kinds, list(SCALAR)), "out_of_domain", path)
                is_text = pa.array(np.isin(column.kinds, list(TEXT)))  # however it is escaped in the record, it is one group
                text = pc.if_else(is_text, codec.write(column.text), view.raw(path))
            else:
                values = view.values(path)._replace(text=column.text, kinds=np.where(column.kinds < 0, Kind.NULL, column.kinds),
                                                   rows=np.arange(view.n, dtype=np.int32))
                masked = rule.mask(values, Context(bytes(32)))
                wrong = ~rule.takes[values.kinds]
                if masked.refused is not None:
                    wrong |= masked.refused & ~column.absent
                rejections.add(wrong, "out_of_domain", path)
                text = codec.write(masked.values, masked.literal)
            columns.append(pc.fill_null(text, null))
        return joined(codec.rows, [path for path, _ in self.keys], columns, view.n)

    def select(self, examined: Contributions, accepted: np.ndarray) -> tuple[np.ndarray, int]:
        """All accepted rows count."""
        return accepted, 0

    def pack(self, examined: Contributions, view: RecordView, rows: np.ndarray) -> pa.RecordBatch:
        """The columns of `rows`."""
        return contributions(self.spec, examined.time[rows], view.people[rows], examined.groups.take(pa.array(rows)),
                             [v[rows] for v in examined.values], [v[rows] for v in examined.valid])

    def latest(self, examined: Contributions, rows: np.ndarray) -> int | None:
        """The largest event time of `rows`."""
        return int(examined.time[rows].max()) if len(rows) else None


def compile_aggregated(name: str, segment: AggregatedSegment, loaded: LoadedPolicy, ring: KeyRing) -> AggregatedPlan:
    """Compile an aggregated segment.

    Raises:
        PolicyError: a group field cannot be generalised as written, or the privacy parameters do not fit.
    """
    policy = loaded.policy
    assert policy.subject is not None and policy.event_time is not None  # checked on loading
    keys = []
    for rule in loaded.groups(name):
        mask = rule.technique.make(rule.params, loaded.rule_context(rule.path, ring))
        taken = None if isinstance(mask, Action) else FieldRule(rule.path, rule.technique.name, mask,
                                                                 accepted_kinds(rule.technique.inputs), "quarantine")
        keys.append((rule.path, taken))
    epoch = policy.fields[policy.event_time.field].type == "number"
    return AggregatedPlan(name, loaded.aggregate(name), policy.subject, policy.event_time.field, epoch, tuple(keys), segment.shards,
                          ring.versions[0], policy.event_time.max_ahead,
                          policy.event_time.unit or policy.fields[policy.event_time.field].unit)
