"""The wiring of the main job: one raw stream in, one sink for each view, Protect evaluated once for all of them.

A policy without stateful segments stays in the Table API, where the planner shares one evaluation of Protect between the sinks. With
stateful segments everything goes through one DataStream and back, because the planner does not see across that border and would
evaluate Protect once on either side: slower, and wrong, since random techniques, nonces and the audit would differ between the views.
"""

from pyflink.common import Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StatementSet, StreamTableEnvironment

from flink_masking.deployment.model import Deployment, quoted
from flink_masking.deployment.tables import CHECKPOINT_INTERVAL, PROTECT, PROTECTED, Tables, needs_checkpoints
from flink_masking.engine.plan import Plan
from flink_masking.engine.stateful import Stateful
from flink_masking.errors import JobError
from flink_masking.flink.clock import clocked
from flink_masking.flink.compat.java_objects import java_stream
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.keyed import PUBLISHED, SegmentFunction
from flink_masking.flink.packet import Packet
from flink_masking.flink.protect import protect_functions
from flink_masking.policy.state_shape import encode, state_shapes


def build(environment: StreamTableEnvironment, source: JobSource, plan: Plan, deployment: Deployment, bounded: bool) -> StatementSet:
    """Create the tables and put all inserts of the job into one statement set.

    Args:
        environment: of a StreamExecutionEnvironment.
        source: what the functions carry to the workers.
        plan: the same, compiled here.
        deployment: where the raw stream comes from and the views go.
        bounded: the input ends. Windows then close at its end and no record is late, whatever order the files are read in.

    Raises:
        JobError: the deployment has no sink for a segment, the audit or the quarantine, or one for nothing, or it cannot do what the
            policy says of Kafka's parts of a record.
    """
    tables = Tables(plan, deployment, clocked=not bounded)
    for name, value in tables.settings.items():
        environment.get_config().set(name, value)
    environment.execute_sql(tables.source())
    for name in sink_order(plan):
        environment.execute_sql(tables.sink(name))
    functions = protect_functions(source, plan, tables.transport, deployment.idle_after)
    for name, function in functions.items():
        environment.create_temporary_system_function(f"{PROTECT}_{name}", function)
    environment.create_temporary_view(PROTECTED, environment.sql_query(tables.protected(list(functions))))
    if plan.stateful:
        through = environment.to_data_stream(environment.from_path(PROTECTED))
        environment.drop_temporary_view(PROTECTED)
        environment.create_temporary_view(PROTECTED, environment.from_data_stream(through))
    statements = environment.create_statement_set()
    for name in (*(masked.name for masked in plan.masked), "audit", "quarantine"):
        statements.add_insert_sql(tables.insert(name))
    for i, stateful in enumerate(plan.stateful):
        packets = environment.to_data_stream(environment.sql_query(f"SELECT packed{i} FROM {PROTECTED} WHERE packed{i} IS NOT NULL"))
        _stateful(environment, statements, packets, source, stateful, tables, None if bounded else deployment.idle_after)
    return statements


def take_checkpoints(environment: StreamExecutionEnvironment, deployment: Deployment) -> None:
    """Let a job that writes to Kafka take checkpoints where neither deployment nor cluster says how often.

    Its records are committed, or flushed, with a checkpoint.
    """
    if needs_checkpoints(deployment) and environment.get_checkpoint_interval() <= 0:
        environment.enable_checkpointing(CHECKPOINT_INTERVAL)


def sink_order(plan: Plan) -> list[str]:
    """Names of the sinks in the order in which `build` first inserts into them."""
    return [*(s.name for s in plan.masked), "audit", "quarantine", *(s.name for s in plan.stateful)]


def _stateful(environment: StreamTableEnvironment, statements: StatementSet, packets: DataStream, source: JobSource, segment: Stateful,
              tables: Tables, idle_after: int | None) -> None:
    if idle_after is not None and segment.has_time:
        senders = None if tables.transport.partitioned else java_stream(packets).getParallelism()
        packets = clocked(packets, source, segment.name, idle_after, senders)
    stream = packets
    for number, stage in enumerate(segment.stages):
        view = f"flink_masking_{segment.name}_{stage.name}"
        keyed = stream.key_by(lambda row: Packet.shard_of(row[0]), key_type=Types.INT())
        if number == 0:  # a step without state, whose uid a savepoint keeps
            [step] = java_stream(keyed).getTransformation().getInputs()
            step.setUid(encode(segment.name, state_shapes(source.loaded())[segment.name]))
        stream = (keyed.process(SegmentFunction(source, segment.name, number), output_type=PUBLISHED)
                  .name(f"{segment.name}: {stage.name}").uid(f"{segment.name}-{stage.name}"))
        environment.create_temporary_view(quoted(view), environment.from_data_stream(stream))
        statements.add_insert_sql(f"INSERT INTO {quoted('sink audit')} SELECT audit FROM {quoted(view)} WHERE audit IS NOT NULL")
        if number + 1 < len(segment.stages):
            stream = stream.filter(lambda row: row[0] is not None)
    statements.add_insert_sql(tables.insert_lines(segment.name, view))
    if not segment.stages:
        raise JobError(f"segment {segment.name} has no stage")
