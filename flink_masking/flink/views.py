"""From a table of raw records to a table for each view: what the main job and jobs of one's own are both made of.

A policy without stateful segments can stay in the Table API, where the planner shares one evaluation of Protect between the sinks of a
statement set. With stateful segments, or with queries of somebody else behind the views, everything goes through one DataStream and back.
The planner does not see across that border: it would evaluate Protect once on either side, or once for each query that it folds into
Protect's own. That is slower, and wrong, since random techniques, nonces and the audit would differ between the views. The same border
stands before Protect where its arguments are expressions, such as a header, or where somebody else's query makes the records: the planner
would compute them once for each function, and none would be given the same batch.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from pyflink.common import Types
from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment, Table

from flink_masking.deployment.queries import Queries
from flink_masking.deployment.sql_text import quoted
from flink_masking.engine.plan import Plan
from flink_masking.engine.stateful import Stateful
from flink_masking.errors import JobError
from flink_masking.flink.clock import clocked
from flink_masking.flink.compat.java_objects import java_stream, through_data_stream
from flink_masking.flink.each import elements_function
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.keyed import PUBLISHED, SegmentFunction
from flink_masking.flink.packet import Packet
from flink_masking.flink.protect import protect_functions
from flink_masking.policy.state_shape import Shape, encode, state_shapes

T = TypeVar("T")


class Views(Mapping[str, T], Generic[T]):
    """The views of a policy's segments by name, in the policy's order: Tables or DataStreams.

    Every raw record is in each masked view, or its one line is in `quarantine`; what anonymized and aggregated views release, suppress
    or leave out is counted in `audit`. A view that nobody reads is lost, and no other is. The quarantine cannot be forgotten: a job that
    has not asked for it fails at the first record that belongs there.
    """

    def __init__(self, views: Mapping[str, Callable[[], T]], audit: Callable[[], T], quarantine: Callable[[], T]) -> None:
        """Keep how each is made; it is made once, when it is first asked for.

        Args:
            views: by segment.
            audit: events, JSON lines without values.
            quarantine: lines with the reason and the sealed record.
        """
        self._makers, self._audit, self._quarantine = dict(views), audit, quarantine
        self._made: dict[object, T] = {}

    def __getitem__(self, segment: str) -> T:
        """The view of a segment."""
        return self._once(("view", segment), self._makers[segment])

    def __iter__(self) -> Iterator[str]:
        """Names of the segments."""
        return iter(self._makers)

    def __len__(self) -> int:
        """Number of segments."""
        return len(self._makers)

    @property
    def audit(self) -> T:
        """What was done, in counts: one event a batch, a column ``line``."""
        return self._once("audit", self._audit)

    @property
    def quarantine(self) -> T:
        """The records that no view may show, each with its reason and sealed, a column ``line``. Whoever asks for it takes care of it."""
        return self._once("quarantine", self._quarantine)

    def _once(self, key: object, make: Callable[[], T]) -> T:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


@dataclass(frozen=True)
class Pass:
    """One pass of raw records through Protect.

    Attributes:
        source: what the functions carry to the workers.
        plan: the same, compiled here.
        queries: of the views.
        idle_after: milliseconds without a record after which a source partition does not hold back the watermark.
        bounded: the input ends. Windows then close at its end and no record is late, whatever order the files are read in.
        apart: queries of somebody else stand behind the views.
        guard: job parameter that says that somebody takes the quarantine; None: somebody does.
    """

    source: JobSource
    plan: Plan
    queries: Queries
    idle_after: int
    bounded: bool
    apart: bool = False
    guard: str | None = None

    def views(self, environment: StreamTableEnvironment) -> Views[Table]:
        """Register functions and views, and make the keyed operators of the stateful segments.

        Args:
            environment: of a StreamExecutionEnvironment, with a table or view of raw records under ``queries.names.source``.
        """
        names = self.queries.names
        functions = protect_functions(self.source, self.plan, self.queries.transport, self.idle_after, self.guard)
        for name, function in functions.items():
            environment.create_temporary_system_function(f"{names.function}_{name}", function)
        if self.queries.cuts:
            policy = self.plan.policy
            environment.create_temporary_system_function(names.elements, elements_function(policy.each or "", policy.format))
        if computed := self.apart or self.queries.computes:
            environment.create_temporary_view(names.raw, through_data_stream(environment, environment.sql_query(self.queries.raw())))
        protected = environment.sql_query(self.queries.protected(list(functions), computed))
        if self.apart or self.plan.stateful:
            protected = through_data_stream(environment, protected)
        environment.create_temporary_view(names.protected, protected)
        made = {masked.name: self._query(environment, masked.name, self.queries.view(masked.name)) for masked in self.plan.masked}
        audits = [self.queries.view("audit")]
        shapes = state_shapes(self.source.loaded())
        for number, segment in enumerate(self.plan.stateful):
            stages = self._stages(environment, number, segment, shapes[segment.name])
            audits += [f"SELECT audit FROM {quoted(stage)} WHERE audit IS NOT NULL" for stage in stages]
            made[segment.name] = self._query(environment, segment.name, self.queries.lines(segment.name, stages[-1]))
        audit = self._query(environment, "audit", " UNION ALL ".join(audits))
        quarantine = self._query(environment, "quarantine", self.queries.view("quarantine"))
        ordered = {name: made[name] for name in self.plan.policy.segments}
        return Views({name: partial(ordered.__getitem__, name) for name in ordered}, lambda: audit, lambda: quarantine)

    def _query(self, environment: StreamTableEnvironment, name: str, text: str) -> Table:
        return environment.sql_query(text).alias(*self.queries.columns(name))

    def _stages(self, environment: StreamTableEnvironment, number: int, segment: Stateful, shape: Shape) -> list[str]:
        """The keyed operators of a segment, one after the other; names of the views of what each sends."""
        if not segment.stages:
            raise JobError(f"segment {segment.name} has no stage")
        names, uid = self.queries.names, self.queries.names.uid(segment.name)
        packed = f"SELECT packed{number} FROM {names.protected} WHERE packed{number} IS NOT NULL"
        stream: DataStream = environment.to_data_stream(environment.sql_query(packed))
        if segment.has_time and not self.bounded:
            senders = None if self.queries.transport.partitioned else java_stream(stream).getParallelism()
            stream = clocked(stream, self.source, segment.name, self.idle_after, senders, uid)
        views = []
        for place, stage in enumerate(segment.stages):
            keyed = stream.key_by(lambda row: Packet.shard_of(row[0]), key_type=Types.INT())
            if place == 0:  # a step without state, whose uid a savepoint keeps
                [step] = java_stream(keyed).getTransformation().getInputs()
                step.setUid(encode(uid, shape))
            stream = (keyed.process(SegmentFunction(self.source, segment.name, place), output_type=PUBLISHED)
                      .name(f"{segment.name}: {stage.name}").uid(f"{uid}-{stage.name}"))
            views.append(names.stage(segment.name, stage.name))
            environment.create_temporary_view(quoted(views[-1]), environment.from_data_stream(stream))
            if place + 1 < len(segment.stages):
                stream = stream.filter(lambda row: row[0] is not None)
        return views
