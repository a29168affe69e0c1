"""The tables of a job in Flink SQL: its source, its sinks, and the queries between; one text for the main job and for SQL scripts.

On Kafka, a record is more than its value. The source then has columns for what the policy asks for, and nothing else crosses into Python;
a masked segment's table has a key, headers and a timestamp, so far as its rules let them leave.
"""

from collections.abc import Iterator, Mapping, Sequence

from flink_masking.addresses.endpoints import KAFKA
from flink_masking.deployment.model import Deployment, Options, literal, quoted, with_clause
from flink_masking.engine.plan import MaskedPlan, Plan
from flink_masking.engine.record import RecordPlan, Transport, header_names, keyed
from flink_masking.errors import JobError
from flink_masking.techniques import registry

SOURCE, PROTECTED, PROTECT = "flink_masking_source", "flink_masking_protected", "flink_masking_protect"
LARGEST_REQUEST = 1_048_576
"""What a Kafka producer sends at once unless ``properties.max.request.size`` says otherwise, and near to what brokers take: 1 MiB."""
FRAME = 1_024
"""Bytes of a record besides its value, key and the values of headers: their names, the headers of every segment, the batch around it."""
PARTITIONS = 1_000
"""Partitions of one topic that are told apart where several topics are read."""
CHECKPOINT_INTERVAL = 10_000
"""Milliseconds from one checkpoint to the next of a job with a Kafka sink, whose transactions end with them, where nothing else says."""
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
    """Whether records are committed only at checkpoints."""
    return any(map(on_kafka, deployment.sinks.values()))


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
        transport: what Protect is to be told.
    """

    def __init__(self, plan: Plan, deployment: Deployment, clocked: bool) -> None:
        """Hold policy and deployment against each other.

        Args:
            plan: the compiled policy.
            deployment: where the raw stream comes from and the views go.
            clocked: event time matters, so that the source's partitions are to be told apart.

        Raises:
            JobError: the deployment lacks a sink or has one too many, or cannot do what the policy says of Kafka's parts.
        """
        names = [*(s.name for s in plan.masked), *(s.name for s in plan.stateful), "audit", "quarantine"]
        deployment.require(names)
        self._plan, self.deployment = plan, completed(deployment, plan.policy.stream)
        kafka = on_kafka(deployment.source)
        sinks = deployment.sinks
        if deployment.source.get("connector") == "upsert-kafka":
            raise JobError("source: upsert-kafka emits a changelog; use an append-only source. Hint: connector: kafka; a "
                           "record without a value is passed on to the segments whose sink is upsert-kafka")
        upserts = tuple(name for name, options in sinks.items() if options.get("connector") == "upsert-kafka")
        for segment in plan.masked:
            _check(segment, kafka, sinks[segment.name], segment.name in upserts)
        if other := [name for name in upserts if name not in {segment.name for segment in plan.masked}]:
            raise JobError(f"sinks.{other[0]}: upsert-kafka needs a key, which only masked segments have. Hint: connector: kafka")
        masked = {segment.name: _largest(sinks[segment.name]) - FRAME for segment in plan.masked if on_kafka(sinks[segment.name])}
        quarantine = _largest(sinks["quarantine"]) if on_kafka(sinks["quarantine"]) else None
        partitioned = kafka and clocked and any(segment.has_time for segment in plan.stateful)
        self.transport = Transport(partitioned, bool(masked), upserts, masked, quarantine)

    @property
    def settings(self) -> dict[str, str]:
        """Settings of the Table API that the statements require.

        The newest record of a key is what comes last, as in the source's partition: nothing has to be kept in state to find it. PyFlink
        makes local times of Kafka's timestamps where its conversion is not replaced (`flink_masking.flink.compat.arrow_columns`), so the
        session's time zone must be one in which no hour of the year occurs twice.
        """
        settings = {"table.exec.sink.upsert-materialize": "NONE"} if self.transport.upserts else {}
        return {**settings, "table.local-time-zone": "UTC"} if self._has_timestamp or self.transport.partitioned else settings

    def source(self) -> str:
        """The statement that creates the raw stream's table."""
        columns, options = ["payload BYTES"], self.deployment.source
        if self._has_key:
            columns.append("`key` BYTES")
            options = {**_KEYED, **options}
        if self.transport.partitioned:
            columns.append("`partition` INT METADATA VIRTUAL")
        if self._several:
            columns.append("`topic` STRING METADATA VIRTUAL")
        if self._headers:
            columns.append("`headers` MAP<STRING, BYTES> METADATA VIRTUAL")
        if self._has_timestamp or self.transport.partitioned:
            columns.append("`timestamp` TIMESTAMP_LTZ(3) METADATA VIRTUAL")
        return f"CREATE TEMPORARY TABLE {SOURCE} ({', '.join(columns)}) WITH ({with_clause(options)})"

    def sink(self, name: str) -> str:
        """The statement that creates a sink's table."""
        columns, options, upsert = ["line BYTES"], self.deployment.sinks[name], name in self.transport.upserts
        segment = self._masked(name)
        if segment is not None and segment.record.key is not None:
            columns.append("`key` BYTES NOT NULL" if upsert else "`key` BYTES")
            formats = {"key.format": "raw", "value.format": "raw", "value.fields-include": "EXCEPT_KEY"} if upsert else _KEYED
            options = {**formats, **options}
        if self._told(name):
            columns.append("`headers` MAP<STRING, BYTES> METADATA")
        if segment is not None and segment.record.timestamp:
            columns.append("`timestamp` TIMESTAMP_LTZ(3) METADATA")
        if upsert:
            columns.append("PRIMARY KEY (`key`) NOT ENFORCED")
        return f"CREATE TEMPORARY TABLE {quoted('sink ' + name)} ({', '.join(columns)}) WITH ({with_clause(options)})"

    def protected(self, names: Sequence[str]) -> str:
        """The query that puts the raw stream through Protect, a function for each column; Kafka's timestamp passes beside it.

        Args:
            names: of the columns; the function's name is PROTECT, an underscore and the column's.
        """
        calls = ", ".join(f"{PROTECT}_{name}({self._arguments}) AS {name}" for name in names)
        return f"SELECT {calls}{self._beside} FROM {SOURCE}"

    @property
    def _arguments(self) -> str:
        # Of several topics, partitions of one number are told apart.
        number = f"ABS(MOD(HASH_CODE(`topic`), 2000000)) * {PARTITIONS} + `partition`" if self._several else "`partition`"
        partitions = [number, "`timestamp`"] if self.transport.partitioned else []
        return ", ".join(["payload", *partitions, *(["`key`"] if self._has_key else []),
                          *(f"`headers`[{literal(name)}]" for name in self._headers)])

    @property
    def _beside(self) -> str:
        return ", `timestamp`" if self._has_timestamp else ""

    def insert(self, name: str) -> str:
        """The statement that fills a masked segment's sink, the audit or the quarantine from Protect's row."""
        segment = self._masked(name)
        if segment is None:
            return f"INSERT INTO {quoted('sink ' + name)} SELECT {name} FROM {PROTECTED} WHERE {name} IS NOT NULL"
        number = self._plan.masked.index(segment)
        columns = [f"view{number}"]
        if segment.record.key is not None:
            columns.append(f"key{number}")
        if self._told(name):
            version = ("key_version", "ENCODE(CAST(key_version AS STRING), 'UTF-8')")
            columns.append(_headers([*self._constants(), version], [(part.header, f"header{number}_{place}")
                                                                     for place, part in enumerate(segment.record.headers)]))
        if segment.record.timestamp:
            columns.append("`timestamp`")
        there = f"{columns[1]} IS NOT NULL" if name in self.transport.upserts else f"view{number} IS NOT NULL"
        return f"INSERT INTO {quoted('sink ' + name)} SELECT {', '.join(columns)} FROM {PROTECTED} WHERE {there}"

    def insert_lines(self, name: str, view: str) -> str:
        """The statement that fills a stateful segment's sink from the chunks of lines of `view`."""
        columns = ["ENCODE(u.line, 'UTF-8')", *([_headers(self._constants(), [])] if self._told(name) else [])]
        return (f"INSERT INTO {quoted('sink ' + name)} SELECT {', '.join(columns)} FROM {quoted(view)} AS v "
                f"CROSS JOIN UNNEST(SPLIT(DECODE(v.lines, 'UTF-8'), '\n')) AS u(line) WHERE v.lines IS NOT NULL")

    def _masked(self, name: str) -> MaskedPlan | None:
        return next((segment for segment in self._plan.masked if segment.name == name), None)

    def _told(self, name: str) -> bool:
        """Whether the records of a sink carry policy and key version in headers."""
        return name not in ("audit", "quarantine") and on_kafka(self.deployment.sinks[name])

    def _constants(self) -> Iterator[tuple[str, str]]:
        for header, value in (("policy_version", str(self._plan.policy.version)), ("policy_digest", self._plan.digest)):
            yield header, f"CAST(x'{value.encode().hex()}' AS BYTES)"

    @property
    def _records(self) -> list[RecordPlan]:
        return [segment.record for segment in self._plan.masked]

    @property
    def _has_key(self) -> bool:
        return keyed(self._records, self.transport)

    @property
    def _headers(self) -> list[str]:
        return header_names(self._records, self.transport)

    @property
    def _several(self) -> bool:
        """Whether partitions come along, and the source may read several topics."""
        options = self.deployment.source
        return self.transport.partitioned and ("topic-pattern" in options or ";" in str(options.get("topic", "")))

    @property
    def _has_timestamp(self) -> bool:
        return any(segment.record.timestamp for segment in self._plan.masked)


def _headers(always: list[tuple[str, str]] | Iterator[tuple[str, str]], present: list[tuple[str, str]]) -> str:
    """A map of headers; one of `present` is there where its value is. The connector passes over a null name."""
    pairs = [f"{literal(name)}, {value}" for name, value in always]
    pairs += [f"CASE WHEN {value} IS NOT NULL THEN {literal(name)} END, {value}" for name, value in present]
    return f"MAP[{', '.join(pairs)}]"


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
