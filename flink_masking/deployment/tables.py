"""The tables of a job in Flink SQL: its source and its sinks; one text for the main job and for SQL scripts.

On Kafka, a record is more than its value. The source then has columns for what the policy asks for, and nothing else crosses into Python;
a masked segment's table has a key, headers and a timestamp, so far as its rules let them leave.
"""

from collections.abc import Mapping

from flink_masking.addresses.endpoints import KAFKA
from flink_masking.deployment.columns import definitions
from flink_masking.deployment.model import Deployment, Options, with_clause
from flink_masking.deployment.queries import Queries
from flink_masking.deployment.sql_text import quoted
from flink_masking.engine.plan import MaskedPlan, Plan, without_row_keys
from flink_masking.engine.record import Transport
from flink_masking.errors import JobError
from flink_masking.records.codec import FORMATS
from flink_masking.techniques import registry

LARGEST_REQUEST = 1_048_576
"""What a Kafka producer sends at once unless ``properties.max.request.size`` says otherwise, and near to what brokers take: 1 MiB."""
FRAME = 1_024
"""Bytes of a record besides its value, key and the values of headers: their names, the headers of every segment, the batch around it."""
CHECKPOINT_INTERVAL = 10_000
"""Milliseconds from one checkpoint to the next of a job with a Kafka sink, whose transactions end with them, where nothing else says."""
_COMMITTED = frozenset({"iceberg", "jdbc", "paimon"})
"""Connectors besides Kafka's whose rows are there with the next checkpoint, at the latest or at all."""
LINES = frozenset({"kafka", "upsert-kafka"})
"""Connectors that hold records, not columns."""
_KEYED = {"key.format": "raw", "key.fields": "key", "value.fields-include": "EXCEPT_KEY"}


def on_kafka(options: Mapping[str, str | int | float | bool]) -> bool:
    """Whether a table lies in Kafka."""
    return options.get("connector") in KAFKA


def completed(deployment: Deployment, stream: str) -> Deployment:
    """Add the options that tables in Kafka need to a deployment; given options are kept.

    Transactions that were not committed are not read. A consumer group of the stream's name starts at the earliest record. Sinks write
    in transactions of ten minutes at most, which a broker allows without being told to, under a prefix that no other sink of the job has.

    Args:
        deployment: as read.
        stream: the policy's.
    """
    source: Options = deployment.source
    if on_kafka(source):
        source = {"properties.isolation.level": "read_committed", "properties.group.id": f"flink-masking-{stream}",
                  "properties.auto.offset.reset": "earliest", **source}
    sinks = {name: _delivered(options, f"{stream}-{name}") if on_kafka(options) else options for name, options in deployment.sinks.items()}
    return deployment.model_copy(update={"source": source, "sinks": sinks})


def needs_checkpoints(deployment: Deployment) -> bool:
    """Whether records are committed, or flushed, only at checkpoints."""
    return any(on_kafka(options) or options.get("connector") in _COMMITTED for options in deployment.sinks.values())


def _delivered(options: Options, prefix: str) -> Options:
    guarantee = options.get("sink.delivery-guarantee", "exactly-once")
    if guarantee != "exactly-once":
        return options
    return {"sink.delivery-guarantee": guarantee, "sink.transactional-id-prefix": prefix, "properties.transaction.timeout.ms": 600_000,
            **options}


class Tables:
    """The SQL of one job.

    Attributes:
        deployment: with its defaults.
        transport: what Protect knows of the topics.
        queries: between source and sinks.
    """

    def __init__(self, plan: Plan, deployment: Deployment, clocked: bool, digests: bool = False) -> None:
        """Check that policy and deployment fit each other.

        Args:
            plan: the compiled policy.
            deployment: where the raw stream comes from and the views go.
            clocked: event time matters, so that the source's partitions are distinguished.
            digests: the audit tells the source's offsets, where it has any.

        Raises:
            JobError: the deployment lacks a sink or has one too many, or cannot do what the policy says of Kafka's parts.
        """
        names = [*(s.name for s in plan.masked), *(s.name for s in plan.stateful), "audit", "quarantine"]
        deployment.require(names)
        self._plan, self.deployment = plan, completed(deployment, plan.policy.stream)
        kafka = on_kafka(deployment.source)
        sinks = deployment.sinks
        if not any(on_kafka(sinks[segment.name]) for segment in plan.masked):
            plan = self._plan = without_row_keys(plan)
        if deployment.source.get("connector") == "upsert-kafka":
            raise JobError("source: upsert-kafka emits a changelog; use an append-only source. Hint: connector: kafka; a "
                           "record without a value is passed on to the segments whose sink is upsert-kafka")
        framed = FORMATS[plan.policy.format].schemas or plan.policy.framing != "none"
        several = FORMATS[plan.policy.format].header or framed
        if several and deployment.source.get("connector") == "filesystem" and not plan.folded:
            raise JobError(f"source: Flink's file source ends a record at every line break, and a value of {plan.policy.format} may hold "
                           "one. Hint: flink-masking run reads such files; on Kafka a message is a record")
        if framed and not plan.folded:
            lines = [s.name for s in plan.masked if sinks[s.name].get("connector") == "filesystem"]
            if lines:
                raise JobError(f"sinks.{lines[0]}: Flink's file sink puts a line break behind each record, and records of "
                               f"{plan.policy.format} may hold one. Hint: flink-masking run writes such files; in Kafka a message is one")
        upserts = tuple(name for name, options in sinks.items() if options.get("connector") == "upsert-kafka")
        for segment in plan.masked:
            _check(segment, kafka, sinks[segment.name], segment.name in upserts)
            if segment.name in upserts and plan.policy.each is not None:
                raise JobError(f"sinks.{segment.name}: upsert-kafka keeps the newest record of each key, and all records of a document "
                               "have its key. Hint: connector: kafka")
        if other := [name for name in upserts if name not in {segment.name for segment in plan.masked}]:
            raise JobError(f"sinks.{other[0]}: upsert-kafka needs a key, which only masked segments have. Hint: connector: kafka")
        masked = {segment.name: _largest(sinks[segment.name]) - FRAME for segment in plan.masked if on_kafka(sinks[segment.name])}
        quarantine = _largest(sinks["quarantine"]) if on_kafka(sinks["quarantine"]) else None
        partitioned = kafka and clocked and any(segment.has_time for segment in plan.stateful)
        topics = str(deployment.source.get("topic", ""))
        many = "topic-pattern" in deployment.source or ";" in topics
        self.transport = Transport(partitioned, bool(masked), upserts, masked, quarantine, plan.codec.headers if kafka else (),
                                   deployment.control is not None, digests and kafka, topics if digests and kafka and not many else "")
        for name in deployment.columns:
            if sinks.get(name, {}).get("connector") in LINES:
                raise JobError(f"columns.{name}: the sink is a {sinks[name]['connector']} table of records as they are. Hint: omit "
                               f"columns.{name}, or write sinks.{name} to a table of columns, such as connector: jdbc")
        told = {name for name, options in sinks.items() if name not in ("audit", "quarantine") and on_kafka(options)}
        several = partitioned and many
        self.queries = Queries(plan, self.transport, told, several)
        self._told, self._several = told, several

    @property
    def settings(self) -> dict[str, str]:
        """Settings of the Table API that the statements require.

        The newest record of a key is what comes last, as in the source's partition: nothing has to be kept in state to find it. PyFlink
        makes local times of Kafka's timestamps where its conversion is not replaced (`flink_masking.flink.compat.arrow_columns`), so the
        session's time zone must be one in which no hour of the year occurs twice.
        """
        keyed = any(column.key for columns in self.deployment.columns.values() for column in columns.values())
        settings = {"table.exec.sink.upsert-materialize": "NONE"} if self.transport.upserts or keyed else {}
        return {**settings, "table.local-time-zone": "UTC"} if self.queries.has_timestamp or self.transport.partitioned else settings

    def source(self) -> str:
        """The statement that creates the raw stream's table."""
        columns, options = ["payload BYTES"], self.deployment.source
        if self.queries.has_key:
            columns.append("`key` BYTES")
            options = {**_KEYED, **options}
        if self.transport.partitioned or self.transport.origins:
            columns.append("`partition` INT METADATA VIRTUAL")
        if self.transport.origins:
            columns.append("`offset` BIGINT METADATA VIRTUAL")
        if self._several or (self.transport.origins and not self.transport.topic):
            columns.append("`topic` STRING METADATA VIRTUAL")
        if self.queries.headers:
            columns.append("`headers` MAP<STRING, BYTES> METADATA VIRTUAL")
        if self.queries.has_timestamp or self.transport.partitioned:
            columns.append("`timestamp` TIMESTAMP_LTZ(3) METADATA VIRTUAL")
        return f"CREATE TEMPORARY TABLE {self.queries.names.source} ({', '.join(columns)}) WITH ({with_clause(options)})"

    def sink(self, name: str) -> str:
        """The statement that creates a sink's table."""
        if (typed := self.deployment.columns.get(name)) is not None:
            return f"CREATE TEMPORARY TABLE {self.target(name)} ({definitions(typed)}) WITH ({with_clause(self.deployment.sinks[name])})"
        columns, options, upsert = ["line BYTES"], self.deployment.sinks[name], name in self.transport.upserts
        segment = self.queries.masked(name)
        if segment is not None and segment.record.key is not None:
            columns.append("`key` BYTES NOT NULL" if upsert else "`key` BYTES")
            formats = {"key.format": "raw", "value.format": "raw", "value.fields-include": "EXCEPT_KEY"} if upsert else _KEYED
            options = {**formats, **options}
        if name in self._told:
            columns.append("`headers` MAP<STRING, BYTES> METADATA")
        if segment is not None and segment.record.timestamp:
            columns.append("`timestamp` TIMESTAMP_LTZ(3) METADATA")
        if upsert:
            columns.append("PRIMARY KEY (`key`) NOT ENFORCED")
        return f"CREATE TEMPORARY TABLE {self.target(name)} ({', '.join(columns)}) WITH ({with_clause(options)})"

    def insert(self, name: str) -> str:
        """The statement that fills a masked segment's sink, the audit or the quarantine from Protect's columns."""
        return f"INSERT INTO {self.target(name)} {self.queries.view(name)}"

    def target(self, name: str) -> str:
        """The path of a sink's table."""
        return quoted(f"sink {name}")


def _check(segment: MaskedPlan, kafka: bool, sink: Options, upsert: bool) -> None:
    name, key = segment.name, segment.record.key
    if segment.record and not kafka:
        raise JobError(f"segments.{name}.record: key, headers and timestamp are parts of records in Kafka, and the deployment's source is "
                       "not Kafka. Hint: omit 'record', or read from connector: kafka")
    if segment.record and not on_kafka(sink):
        raise JobError(f"segments.{name}.record: key, headers and timestamp have no place in the segment's sink. Hint: omit 'record', "
                       f"or write sinks.{name} to connector: kafka")
    if not upsert:
        return
    if segment.of:
        raise JobError(f"sinks.{name}: upsert-kafka keeps the newest record of each key for good, also after the grant that has shown it. "
                       "Hint: connector: kafka, and a topic with a retention")
    if segment.shuffled:
        raise JobError(f"sinks.{name}: upsert-kafka keeps the newest record of each key, and the segment's records are shuffled. Hint: "
                       f"omit 'order' of segments.{name}, or write sinks.{name} to connector: kafka")
    if key is None:
        raise JobError(f"sinks.{name}: upsert-kafka needs a key, and the policy drops it. Hint: segments.{name}.record: "
                       "{key: {technique: pseudonym, domain: …}}")
    if not (key.injective and key.deterministic):
        why = "with these parameters can map two keys to one value, and records of one key would replace those of the other"
        why = why if key.deterministic else "maps a key to a different value each time"
        raise JobError(f"sinks.{name}: upsert-kafka keeps the newest record of each key, and '{key.technique}' {why}. "
                       f"Hint: {', '.join(_fit_for_keys())}, or connector: kafka")


def _fit_for_keys() -> list[str]:
    """Techniques that make one key of each key, and never the same of two."""
    return registry.those(lambda promises: promises.injective and promises.deterministic and bool(promises.purposes))


def _largest(options: Options) -> int:
    value = options.get("properties.max.request.size", LARGEST_REQUEST)
    try:
        return int(value)
    except ValueError:
        raise JobError("properties.max.request.size of a sink is no whole number. Hint: bytes, such as 1048576") from None
