"""The wiring of the main job: one raw stream in, one sink for each view, Protect evaluated once for all of them."""

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StatementSet, StreamTableEnvironment

from flink_masking.deployment.columns import check_columns, selection
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.sql_text import quoted
from flink_masking.deployment.tables import CHECKPOINT_INTERVAL, Tables, needs_checkpoints
from flink_masking.engine.plan import Plan
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.views import Pass


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
            policy says of Kafka's parts of a record, or of the columns of a sink.
    """
    check_columns(deployment.columns, source.loaded())
    tables = Tables(plan, deployment, clocked=not bounded, digests=plan.policy.audit is not None and plan.policy.audit.digests)
    for name, value in tables.settings.items():
        environment.get_config().set(name, value)
    environment.execute_sql(tables.source())
    for name in sink_order(plan):
        environment.execute_sql(tables.sink(name))
    columns = deployment.columns
    views = Pass(source, plan, tables.queries, deployment.idle_after, bounded, apart=bool(columns)).views(environment)
    statements = environment.create_statement_set()
    for name, table in {**views, "audit": views.audit, "quarantine": views.quarantine}.items():
        if name in columns:
            environment.create_temporary_view(quoted(lines := f"lines of {name}"), table)
            table = environment.sql_query(selection(columns[name], lines))
        statements.add_insert(tables.target(name), table)
    return statements


def take_checkpoints(environment: StreamExecutionEnvironment, deployment: Deployment) -> None:
    """Let a job that writes to Kafka take checkpoints where neither deployment nor cluster says how often.

    Its records are committed, or flushed, with a checkpoint.
    """
    if needs_checkpoints(deployment) and environment.get_checkpoint_interval() <= 0:
        environment.enable_checkpointing(CHECKPOINT_INTERVAL)


def sink_order(plan: Plan) -> list[str]:
    """Names of the sinks in the order in which `build` inserts into them."""
    return [*plan.policy.segments, "audit", "quarantine"]
