"""Protect as a step in somebody else's job: a Table or DataStream of raw records in, one for each view out.

    views = protect_table(t_env, events, "policy.yaml", "file:///secrets/keys.json")
    statements = t_env.create_statement_set()
    statements.add_insert("analytics", views["analytics"])
    statements.add_insert("quarantine", views.quarantine)
    statements.execute()

The main job is built by the same `Pass`. What is more here: the tables are the caller's, so their columns are checked; queries of
theirs may stand behind the views; and nobody but them can take care of the quarantine.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pyflink.common.typeinfo import PickledBytesTypeInfo
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment, Table
from pyflink.table.expressions import col
from pyflink.table.types import BinaryType, CharType, DataType, IntType, LocalZonedTimestampType, MapType, VarBinaryType, VarCharType

from flink_masking.control.options import ControlOptions
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.queries import Names, Queries
from flink_masking.deployment.view_schemas import register_views
from flink_masking.engine.plan import Plan
from flink_masking.engine.record import Transport
from flink_masking.errors import InputError, JobError
from flink_masking.flink.compat.beam_services import is_on_class_path
from flink_masking.flink.compat.java_objects import (
    bytes_of,
    environment_of,
    is_embedded,
    java_environment,
    set_job_parameter,
    settings_of,
    use_worker_processes,
    whole_or_nothing,
)
from flink_masking.flink.jars import take_jars
from flink_masking.flink.job_source import KEY_REFRESH, VAULT_PATIENCE, JobSource
from flink_masking.flink.protect import TAKEN
from flink_masking.flink.savepoint import check_savepoint
from flink_masking.flink.views import Pass, Views
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.source import PolicySource
from flink_masking.registry.options import RegistryOptions

_KINDS: dict[str, tuple[tuple[type[DataType], ...], str]] = {
    "payload": ((VarBinaryType, BinaryType, VarCharType, CharType), "BYTES or STRING"),
    "key": ((VarBinaryType, BinaryType, VarCharType, CharType), "BYTES or STRING"),
    "headers": ((MapType,), "MAP<STRING, BYTES>"),
    "timestamp": ((LocalZonedTimestampType,), "TIMESTAMP_LTZ(3)"),
    "partition": ((IntType,), "INT"),
}

_UTC = frozenset({"UTC", "Etc/UTC", "GMT", "Z"})


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are parts of a raw record; the others are left out.

    Attributes:
        payload: the record itself, in the policy's format: BYTES, or STRING.
        key: its key in Kafka: BYTES or STRING; needed where the policy has a rule for it.
        headers: its headers: MAP<STRING, BYTES>; likewise.
        timestamp: its timestamp in Kafka: TIMESTAMP_LTZ(3); likewise.
        partition: its partition in Kafka: INT. With `timestamp`, event time is kept for each partition, so that one that lags loses
            nothing; without, for each parallel instance.
    """

    payload: str = "payload"
    key: str | None = None
    headers: str | None = None
    timestamp: str | None = None
    partition: str | None = None

    def select(self, table: Table, wanted: set[str]) -> Table:
        """The wanted parts of a table, under the names of this class's attributes.

        Args:
            table: of raw records.
            wanted: attributes of this class.

        Raises:
            JobError: a column is missing, or of another type.
        """
        schema = table.get_resolved_schema()
        types = dict(zip(schema.get_column_names(), schema.get_column_data_types(), strict=True))
        chosen = []
        for part in sorted(wanted):
            name: str | None = getattr(self, part)
            kinds, wants = _KINDS[part]
            if name is None:
                raise JobError(f"the policy has a rule for the {part} of records, and no column is named for it. Hint: "
                               f"columns=Columns({part}='…'), a column of {wants}; or omit it under 'record' of the segment")
            if name not in types:
                raise JobError(f"the table has no column {name} for the {part} of records; it has {', '.join(types)}. Hint: "
                               f"columns=Columns({part}='…')")
            if not isinstance(types[name], kinds):
                raise JobError(f"column {name} is {types[name]}, and the {part} of a record is {wants}. Hint: JSON_OBJECT makes records of "
                               "columns")
            expression = col(name)
            if isinstance(types[name], VarCharType | CharType):
                expression = expression.encode("UTF-8")
            elif part == "timestamp":  # not an attribute of time any more
                expression = expression.cast(DataTypes.TIMESTAMP_LTZ(3))
            chosen.append(expression.alias(part))
        return table.select(*chosen)


def protect_table(t_env: StreamTableEnvironment, table: Table, policy: str | Path | PolicySource | LoadedPolicy, keys: str, *,
                  vault: str | None = None, columns: Columns = Columns(), name: str = "", bounded: bool = False,
                  idle_after_s: float = 60.0, key_refresh_s: float = KEY_REFRESH / 1000, vault_patience_s: float = VAULT_PATIENCE / 1000,
                  require_tls: bool = False, registry: str | RegistryOptions | None = None,
                  control: str | Path | ControlOptions | None = None) -> Views[Table]:
    """Let a table of raw records through a policy, as one step of a job.

    Contract: each record is evaluated once, whatever is done with the views, as long as all that reads them is one job: one statement set,
    or one `StreamExecutionEnvironment.execute`. The table only appends. State of anonymized and aggregated segments restores from a
    savepoint by uids made of `name`, segment and stage, whatever else the job holds. A call that raises leaves nothing in the environment,
    so the corrected call may have the same name.

    Args:
        t_env: of a `flink_masking.stream_environment`.
        table: raw records; it only appends.
        policy: path of the policy file, or a policy that has been read or loaded. Its text becomes part of the job graph.
        keys: address of the key ring (``file://``, ``vault://``, …), which is opened here and on each worker, and never becomes part of the
            job graph.
        vault: address of the token vault; None where no rule makes tokens.
        columns: which columns of `table` are parts of a record.
        name: tells this call from another one in the same job: small letters, digits and underscores. It is part of uids, so keep it.
        bounded: the input ends. Windows then close at its end and no record is late, in whatever order records come.
        idle_after_s: seconds without a record after which a partition of the source no longer holds back event time.
        key_refresh_s: seconds between two readings of the key ring.
        vault_patience_s: seconds for which a vault that is away is waited for.
        require_tls: refuse a vault or registry on another machine without TLS.
        registry: address or options of the schema registry that records name their schemas by; None where they need none. Views whose
            schema differs from that of the records need options with `subjects`.
        control: where control documents lie (live policies, grants, erasures) and whom the job trusts: path of a deployment with a section
            ``control``, or its options; None: the job takes none.

    Returns:
        A table for each segment with a column ``line`` (BYTES), and ``key``, ``headers`` and ``timestamp`` where the segment's `record`
        names them; `audit` and `quarantine`, each a column ``line``.

    Raises:
        PolicyFaults: the policy has faults.
        InputError: a file that cannot be read, a `name` that is none, or a deployment without a section ``control``.
        KeyRingError: the key ring cannot be opened here.
        RegistryError: the registry cannot be used.
        VaultError: the vault cannot be opened here, or a rule makes tokens and none is named.
        JobError: a column is missing or of another type, the table does not only append, the name is taken, the state of the savepoint
            that the job is to resume cannot follow the policy, the session's time zone is not UTC although partitions are named, or the
            environment cannot keep what it is given to itself.
    """
    names = Names(name)
    if isinstance(policy, LoadedPolicy):
        policy = policy.source
    text = policy if isinstance(policy, PolicySource) else PolicySource.read(Path(policy))
    source = JobSource(text, keys, vault, round(key_refresh_s * 1000), round(vault_patience_s * 1000), require_tls,
                       RegistryOptions(registry) if isinstance(registry, str) else registry, _control_options(control))
    plan = source.plan()
    register_views(source.loaded(), source.registry, (None, None))
    environment = environment_of(t_env)
    _prepare(environment)
    check_savepoint(environment, source.loaded(), names)
    _check_unique(t_env, environment, names, plan)
    queries = _queries(plan, columns, names, bounded, source.control is not None)
    if queries.transport.partitioned and t_env.get_config().get_local_timezone() not in _UTC:
        raise JobError("event time by partitions takes timestamps in UTC, and the session has another time zone. Hint: "
                       "t_env.get_config().set_local_timezone('UTC'), or omit columns.partition")
    guard = f"flink-masking.{names.source}.quarantine"
    try:
        with whole_or_nothing(t_env):
            t_env.create_temporary_view(names.source, columns.select(table, _wanted(queries)))
            views = Pass(source, plan, queries, round(idle_after_s * 1000), bounded, True, guard).views(t_env)
    except Exception as error:
        if "update" in str(error) and "changes" in str(error):
            raise JobError("the table emits a changelog: its query updates or deletes rows. Hint: use an append-only source and query; "
                           "aggregate the views instead") from None
        raise

    def quarantine() -> Table:
        set_job_parameter(t_env, guard, TAKEN)
        return views.quarantine

    return Views({segment: partial(views.__getitem__, segment) for segment in views}, lambda: views.audit, quarantine)


def protect_stream(env: StreamExecutionEnvironment, stream: DataStream, policy: str | Path | PolicySource | LoadedPolicy, keys: str,
                   **options: Any) -> Views[DataStream]:
    """The same for a DataStream.

    Args:
        env: from `flink_masking.stream_environment`.
        stream: raw records: bytes (``Types.PRIMITIVE_ARRAY(Types.BYTE())``), text (``Types.STRING()``), or rows with named fields, of which
            `columns` says what they are.
        policy: as for `protect_table`.
        keys: as for `protect_table`.
        options: as for `protect_table`.

    Returns:
        A stream for each segment, `audit` and `quarantine`: of bytes, or of rows with the columns of `protect_table` where there are
        several. A view that is not asked for is not made.

    Raises:
        JobError: a stream of Python objects; else as for `protect_table`.
    """
    if isinstance(stream.get_type(), PickledBytesTypeInfo):
        raise JobError("the stream holds Python objects. Hint: give the step before an output_type, Types.PRIMITIVE_ARRAY(Types.BYTE()) or "
                       "Types.STRING()")
    t_env = StreamTableEnvironment.create(env)
    table = t_env.from_data_stream(stream)
    fields = table.get_resolved_schema().get_column_names()
    views = protect_table(t_env, table.alias("payload") if len(fields) == 1 else table, policy, keys, **options)

    def streamed(table: Table) -> DataStream:
        if len(table.get_resolved_schema().get_column_names()) > 1:
            return t_env.to_data_stream(table)
        return bytes_of(t_env, table)

    return Views({name: partial(lambda name: streamed(views[name]), name) for name in views}, lambda: streamed(views.audit),
                 lambda: streamed(views.quarantine))


def _control_options(control: str | Path | ControlOptions | None) -> ControlOptions | None:
    if control is None or isinstance(control, ControlOptions):
        return control
    options = Deployment.read(Path(control)).control_options
    if options is None:
        raise InputError(f"{control}: it names no control documents. Hint: control: {{source: file:///control, trust: trust.json}}")
    return options


def _queries(plan: Plan, columns: Columns, names: Names, bounded: bool, live: bool = False) -> Queries:
    told = [segment.name for segment in plan.masked if segment.record]
    timed = not bounded and any(segment.has_time for segment in plan.stateful)
    partitioned = timed and columns.partition is not None and columns.timestamp is not None
    read = plan.codec.headers if columns.headers is not None else ()
    return Queries(plan, Transport(partitioned, bool(told), read=read, live=live), told, names=names)


def _wanted(queries: Queries) -> set[str]:
    """The parts of a record that the queries read."""
    asked = {"payload": True, "key": queries.has_key, "headers": bool(queries.headers),
             "timestamp": queries.has_timestamp or queries.transport.partitioned, "partition": queries.transport.partitioned}
    return {part for part, wanted in asked.items() if wanted}


def _prepare(environment: StreamExecutionEnvironment) -> None:
    """Bind the services of Python workers to this host.

    Raises:
        JobError: the embedded cluster of this process has been started without.
    """
    use_worker_processes()
    if is_embedded(settings_of(environment)) and not is_on_class_path():
        raise JobError("the embedded cluster of this process hands records to its Python workers by ports that other machines reach. Hint: "
                       "make the environment with flink_masking.stream_environment(), before anything else starts Java")
    take_jars(environment, [])


def _check_unique(t_env: StreamTableEnvironment, environment: StreamExecutionEnvironment, names: Names, plan: Plan) -> None:
    uids = {step.getUid() for step in java_environment(environment).getTransformations()}
    own = {f"{names.uid(segment.name)}-{stage.name}" for segment in plan.stateful for stage in segment.stages}
    if uids & own or names.protected in t_env.list_temporary_views():
        raise JobError("this job protects a table under that name already. Hint: name='…' for the second one; it becomes part of uids in "
                       "savepoints, so keep it")
