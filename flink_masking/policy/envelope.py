"""The envelope of change data capture: what a policy says of it, and the members that each kind of envelope has."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import pydantic

from flink_masking.policy.fields import Flag, Model, Name
from flink_masking.policy.segments import Rule

Kind = Literal["debezium", "debezium_flat", "maxwell", "canal", "ogg"]
Framing = Literal["confluent", "apicurio4", "apicurio8", "single_object", "none"]


class Envelope(Model):
    """Records are changes of a table's rows. Paths of fields are relative to the row, and one rule is for all its images.

    Attributes:
        envelope: what makes the changes. debezium: before and after; debezium_flat: the row alone, as ExtractNewRecordState writes it;
            maxwell: data and old; canal: arrays data and old; ogg: before and after of Oracle GoldenGate.
        wrapped: value and key stand in ``{schema, payload}``, as JsonConverter writes them with schemas.enable; the schema is kept.
        key: the columns of the row that are the key of the record in Kafka. The key is masked by the rules of these columns. Without it,
            records leave without a key.
        key_format: that of the records unless given. json, an object with a member for each of `key`; avro, a record with a field for each
            of them; or text, the value of the only column.
        key_framing: what stands in front of a key and names its schema; that of records of the same format unless given, otherwise
            none. A GUID is read from the key, not from a header.
        key_schema: the file with the key's schema, relative to the policy, or files by the identifiers that keys name them by. What is
            not given here is asked of the registry.
        metadata: rules for members of the envelope besides the rows, such as ``source.query``, in every masked segment.
    """

    envelope: Kind
    wrapped: Flag = False
    key: tuple[Name, ...] = ()
    key_format: Literal["json", "text", "avro"] | None = None
    key_framing: Framing | None = None
    key_schema: Name | dict[Name, Name] | None = None
    metadata: dict[Name, Rule] = pydantic.Field(default_factory=dict)


Form = Literal["any", "text", "integer", "json"]


@dataclass(frozen=True)
class Shape:
    """The members of an envelope.

    Attributes:
        images: paths of the row; empty text: the record itself.
        kept: members that say nothing of a person, and what they hold.
        dropped: members that are dropped unless the policy has a rule for them.
        gate: the member that says what kind of change it is; a record without it, or with another value, goes to quarantine.
        gates: its values.
        texts: every value of a row is a text.
        key_values: path of the values of the primary key, or empty text.
        avro: whether the envelope is written in Avro, too.
        key_member: what stands in front of a column's name in keys that are objects, besides keys that have the columns alone.
        key_kept: members of such keys that say nothing of a person.
    """

    images: tuple[str, ...]
    kept: Mapping[str, Form]
    dropped: Mapping[str, Form]
    gate: str = ""
    gates: tuple[str, ...] = ()
    texts: bool = False
    key_values: str = ""
    avro: bool = True
    key_member: str = ""
    key_kept: tuple[str, ...] = ()


def _members(of: Form, *names: str) -> dict[str, Form]:
    return dict.fromkeys(names, of)


_TIMES = ("ts_ms", "ts_us", "ts_ns")
_SOURCE = (
    "version", "connector", "name", "snapshot", "db", "sequence", "schema", "table", "collection", "keyspace", "shard", "txId", "lsn",
    "xmin", "server_id", "gtid", "file", "pos", "row", "thread", "change_lsn", "commit_lsn", "event_serial_no", "scn", "commit_scn",
    "lcr_position", "ord", "ts_sec", "cluster", "partition_type", "change_type", "data_shard",
)  # fmt: skip
_FLAT = ("op", "db", "schema", "table", "lsn", "txId", "deleted", "source_db", "source_schema", "source_table", "source_lsn", "source_txId",
         "source_connector", "source_name", "source_version", "source_snapshot", "source_file", "source_pos", "source_row",
         "source_server_id", "source_gtid", "transaction_id", "transaction_total_order", "transaction_data_collection_order")  # fmt: skip

SHAPES: Mapping[str, Shape] = MappingProxyType({
    "debezium": Shape(
        ("before", "after"),
        {**_members("integer", *_TIMES, *(f"source.{name}" for name in _TIMES)), **_members("any", *(f"source.{name}" for name in _SOURCE)),
         **_members("any", "transaction.id", "transaction.total_order", "transaction.data_collection_order")},
        {**_members("any", "source.query", "ddl"), "source.*": "json", "message": "json"},
        "op", ("c", "u", "d", "r", "t")),
    "debezium_flat": Shape(
        ("",), {**_members("any", *(f"__{name}" for name in _FLAT)),
                **_members("integer", *(f"__{prefix}{name}" for prefix in ("", "source_") for name in _TIMES))},
        _members("any", "__query", "__source_query")),
    "maxwell": Shape(
        ("data", "old"),
        {**_members("any", "database", "table", "position", "gtid", "server_id", "thread_id", "xid", "xoffset"),
         **_members("integer", "ts"), "commit": "any", "schema_id": "any", "push_id": "any", "primary_key_columns": "json"},
        {**_members("any", "query", "sql", "comment"), **_members("json", "def", "primary_key")},
        "type", ("insert", "update", "delete", "bootstrap-insert", "bootstrap-start", "bootstrap-complete"), key_values="primary_key",
        avro=False, key_member="pk.", key_kept=("database", "table")),
    "canal": Shape(
        ("data[*]", "old[*]"),
        {**_members("any", "database", "table", "isDdl", "id", "gtid", "_partition", "_tsMs"), **_members("integer", "es", "ts"),
         **_members("json", "pkNames", "mysqlType", "sqlType")},
        _members("any", "sql"), "type", ("INSERT", "UPDATE", "DELETE"), texts=True, avro=False),
    "ogg": Shape(
        ("before", "after"), {**_members("any", "table", "op_ts", "current_ts", "pos", "csn", "xid"), "primary_keys": "json"},
        _members("json", "tokens"), "op_type", ("I", "U", "D", "T")),
})  # fmt: skip
"""By the name in a policy."""
UNAVAILABLE = ("__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")
"""What Debezium writes in the place of a large value that did not change: as text, and for bytes in base64."""
