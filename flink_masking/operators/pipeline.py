"""The wiring of the main job: one raw stream in, one sink for each view, Protect evaluated once for all of them.

A policy without stateful segments stays in the Table API, where the planner shares one evaluation of Protect between the sinks. With
stateful segments everything goes through one DataStream and back, because the planner does not see across that border and would
evaluate Protect once on either side: slower, and wrong, since random techniques, nonces and the audit would differ between the views.
"""

from pyflink.common import Duration, Row, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import DataStream
from pyflink.table import StatementSet, StreamTableEnvironment
from pyflink.table.udf import udf

from flink_masking.deployment import Deployment, quoted
from flink_masking.engine.plan import Plan
from flink_masking.engine.stateful import Stateful
from flink_masking.errors import JobError
from flink_masking.operators.job_source import JobSource
from flink_masking.operators.keyed import PUBLISHED, SegmentFunction
from flink_masking.operators.packet import Packet
from flink_masking.operators.protect import ProtectFunction, columns, result_type

SOURCE, PROTECTED = "flink_masking_source", "flink_masking_protected"


class PacketTime(TimestampAssigner):  # type: ignore[misc]
    """A packet's timestamp is the watermark that its sender has put on it."""

    def extract_timestamp(self, value: Row, record_timestamp: int) -> int:
        """The packet's watermark, ms."""
        return Packet.decode(value[0]).watermark


def build(environment: StreamTableEnvironment, source: JobSource, plan: Plan, deployment: Deployment, bounded: bool) -> StatementSet:
    """Create the tables and put all inserts of the job into one statement set.

    Args:
        environment: of a StreamExecutionEnvironment.
        source: what the functions carry to the workers.
        plan: the same, compiled here.
        deployment: where the raw stream comes from and the views go.
        bounded: the input ends. Windows then close at its end and no record is late, whatever order the files are read in.

    Raises:
        JobError: the deployment has no sink for a segment, the audit or the quarantine, or one for nothing.
    """
    names = [*(s.name for s in plan.masked), *(s.name for s in plan.stateful), "audit", "quarantine"]
    deployment.require(names)
    environment.execute_sql(f"CREATE TEMPORARY TABLE {SOURCE} (payload BYTES) WITH ({deployment.source_options()})")
    for name in names:
        environment.execute_sql(f"CREATE TEMPORARY TABLE {quoted('sink ' + name)} (line BYTES) WITH ({deployment.sink_options(name)})")
    protect = udf(ProtectFunction(source), result_type=result_type(plan), func_type="pandas", deterministic=False, name="protect")
    environment.create_temporary_system_function("flink_masking_protect", protect)
    fields = ", ".join(f"r.{name}" for name in columns(plan))
    environment.create_temporary_view(
        PROTECTED, environment.sql_query(f"SELECT {fields} FROM (SELECT flink_masking_protect(payload) AS r FROM {SOURCE})"))
    if plan.stateful:
        through = environment.to_data_stream(environment.from_path(PROTECTED))
        environment.drop_temporary_view(PROTECTED)
        environment.create_temporary_view(PROTECTED, environment.from_data_stream(through))
    statements = environment.create_statement_set()
    for i, masked in enumerate(plan.masked):
        _insert(statements, masked.name, f"SELECT view{i} FROM {PROTECTED} WHERE view{i} IS NOT NULL")
    for name in ("audit", "quarantine"):
        _insert(statements, name, f"SELECT {name} FROM {PROTECTED} WHERE {name} IS NOT NULL")
    for i, stateful in enumerate(plan.stateful):
        packets = environment.to_data_stream(environment.sql_query(f"SELECT packed{i} FROM {PROTECTED} WHERE packed{i} IS NOT NULL"))
        _stateful(environment, statements, packets, source, stateful, None if bounded else plan.out_of_orderness)
    return statements


def _insert(statements: StatementSet, sink: str, query: str) -> None:
    statements.add_insert_sql(f"INSERT INTO {quoted('sink ' + sink)} {query}")


def _stateful(environment: StreamTableEnvironment, statements: StatementSet, packets: DataStream, source: JobSource, segment: Stateful,
              out_of_orderness: int | None) -> None:
    if out_of_orderness is not None and segment.has_time:
        # The assigner comes last: PyFlink's with_idleness returns a strategy that has lost it.
        strategy = WatermarkStrategy.for_monotonous_timestamps().with_idleness(Duration.of_seconds(60))
        packets = packets.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(PacketTime()))
    stream = packets
    for number, stage in enumerate(segment.stages):
        view = f"flink_masking_{segment.name}_{stage.name}"
        stream = (stream.key_by(lambda row: Packet.decode(row[0]).shard, key_type=Types.INT())
                  .process(SegmentFunction(source, segment.name, number), output_type=PUBLISHED)
                  .name(f"{segment.name}: {stage.name}").uid(f"{segment.name}-{stage.name}"))
        environment.create_temporary_view(quoted(view), environment.from_data_stream(stream))
        _insert(statements, "audit", f"SELECT audit FROM {quoted(view)} WHERE audit IS NOT NULL")
        if number + 1 < len(segment.stages):
            stream = stream.filter(lambda row: row[0] is not None)
    _insert(statements, segment.name, f"SELECT ENCODE(u.line, 'UTF-8') FROM {quoted(view)} AS v "
            f"CROSS JOIN UNNEST(SPLIT(DECODE(v.lines, 'UTF-8'), '\n')) AS u(line) WHERE v.lines IS NOT NULL")
    if not segment.stages:
        raise JobError(f"segment {segment.name} has no stage")
