"""The queries of a job in Flink SQL: from raw records through Protect to each view; one text for the main job, SQL scripts and own jobs."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from flink_masking.deployment.sql_text import literal, quoted
from flink_masking.engine.plan import MaskedPlan, Plan
from flink_masking.engine.record import RecordPlan, Transport, header_names, keyed
from flink_masking.errors import InputError

PARTITIONS = 1_000
"""Partitions of one topic that are told apart where several topics are read."""
_NAME = re.compile("[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Names:
    """What one pass through Protect is called in the catalog and in uids.

    Attributes:
        prefix: tells it from another one of the same job; empty where there is one only.
    """

    prefix: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot stand in the name of a function; raises InputError."""
        if self.prefix and not _NAME.fullmatch(self.prefix):
            raise InputError("name: not a name. Hint: a letter, then letters, digits and underscores, all small, such as orders")

    @property
    def source(self) -> str:
        """The table or view of raw records."""
        return f"flink_masking_source{self._suffix}"

    @property
    def raw(self) -> str:
        """The view of Protect's arguments, where they are computed once before."""
        return f"flink_masking_raw{self._suffix}"

    @property
    def elements(self) -> str:
        """The function that cuts documents into records."""
        return f"flink_masking_elements{self._suffix}"

    @property
    def protected(self) -> str:
        """The view of Protect's columns."""
        return f"flink_masking_protected{self._suffix}"

    @property
    def function(self) -> str:
        """What the names of Protect's functions begin with."""
        return f"flink_masking_protect{self._suffix}"

    def stage(self, segment: str, stage: str) -> str:
        """The view of what a stage of a stateful segment sends."""
        return f"flink_masking{self._suffix}_{segment}_{stage}"

    def uid(self, segment: str) -> str:
        """A segment's name in uids."""
        return f"{self.prefix}.{segment}" if self.prefix else segment

    @property
    def _suffix(self) -> str:
        return f"_{self.prefix}" if self.prefix else ""


UNNAMED = Names()
"""Those of a job that protects one stream."""


class Queries:
    """The queries of one pass through Protect. Their columns are bound by position.

    Attributes:
        transport: what Protect knows of the topics.
        names: of views and functions.
    """

    def __init__(self, plan: Plan, transport: Transport, told: Collection[str], several: bool = False, names: Names = UNNAMED) -> None:
        """Keep what the queries are made of.

        Args:
            plan: the compiled policy.
            transport: what Protect knows of the topics at both ends.
            told: segments whose records tell in their headers what made them.
            several: rows have their partition, and the source may read several topics.
            names: of views and functions.
        """
        self._plan, self.transport, self._told, self._several, self.names = plan, transport, frozenset(told), several, names

    @property
    def has_key(self) -> bool:
        """Whether the keys of raw records are asked for."""
        return keyed(self._records, self.transport)

    @property
    def headers(self) -> list[str]:
        """The headers of raw records that are asked for."""
        return header_names(self._records, self.transport)

    @property
    def has_timestamp(self) -> bool:
        """Whether the timestamp of raw records passes beside Protect."""
        return any(segment.record.timestamp for segment in self._plan.masked)

    @property
    def computes(self) -> bool:
        """Whether an argument of Protect is an expression, which the planner would compute once for each column of Protect."""
        return self.cuts or bool(self.headers) or (self._several and self.transport.partitioned)

    @property
    def cuts(self) -> bool:
        """Whether what the source holds are documents of several records, which are cut before Protect."""
        return self._plan.policy.each is not None and not self._plan.folded

    def raw(self) -> str:
        """The query that computes Protect's arguments, each under a name of its own."""
        payload, *others = self._arguments
        expressions = ["`each`" if self.cuts else payload, *others]
        arguments = ", ".join(f"{expression} AS argument{number}" for number, expression in enumerate(expressions))
        cut = f", LATERAL TABLE({self.names.elements}(payload)) AS e(`each`)" if self.cuts else ""
        return f"SELECT {arguments}{self._beside} FROM {self.names.source}{cut}"

    def protected(self, columns: Sequence[str], computed: bool = False) -> str:
        """The query that puts the raw stream through Protect, a function for each column; Kafka's timestamp passes beside it.

        Args:
            columns: their names; the function's name is ``names.function``, an underscore and the column's.
            computed: the arguments are those of the view ``names.raw``.
        """
        arguments = [f"argument{number}" for number in range(len(self._arguments))] if computed else self._arguments
        calls = ", ".join(f"{self.names.function}_{name}({', '.join(arguments)}) AS {name}" for name in columns)
        return f"SELECT {calls}{self._beside} FROM {self.names.raw if computed else self.names.source}"

    def view(self, name: str) -> str:
        """The query of a masked segment, of Protect's own audit events, or of the quarantine."""
        segment = self.masked(name)
        if segment is None:
            return f"SELECT {name} FROM {self.names.protected} WHERE {name} IS NOT NULL"
        number = self._plan.masked.index(segment)
        columns = [f"view{number}"]
        if segment.record.key is not None:
            columns.append(f"key{number}")
        if name in self._told:
            version = ("key_version", "ENCODE(CAST(key_version AS STRING), 'UTF-8')")
            told = [*self._columns()] if self.transport.live else [*self._constants()]
            told += [("grants", f"grants{number}")] if segment.of and self.transport.live else []
            columns.append(_headers([*told, version], [(part.header, f"header{number}_{place}")
                                                       for place, part in enumerate(segment.record.headers)]))
        if segment.record.timestamp:
            columns.append("`timestamp`")
        there = f"{columns[1]} IS NOT NULL" if name in self.transport.upserts else f"view{number} IS NOT NULL"
        return f"SELECT {', '.join(columns)} FROM {self.names.protected} WHERE {there}"

    def lines(self, name: str, stage: str) -> str:
        """The query of a stateful segment.

        Args:
            name: the segment's.
            stage: the view of its last stage, which sends chunks of lines.
        """
        separator = "'\n'" if self._plan.codec.rows.separator == "\n" else f"U&'\\{ord(self._plan.codec.rows.separator):04x}'"
        columns = ["ENCODE(u.line, 'UTF-8')", *([_headers(self._constants(), [])] if name in self._told else [])]
        return (f"SELECT {', '.join(columns)} FROM {quoted(stage)} AS v "
                f"CROSS JOIN UNNEST(SPLIT(DECODE(v.lines, 'UTF-8'), {separator})) AS u(line) WHERE v.lines IS NOT NULL")

    def columns(self, name: str) -> list[str]:
        """The columns of a segment's query, in order: the record, and what there is of Kafka's parts."""
        segment = self.masked(name)
        key = segment is not None and segment.record.key is not None
        timestamp = segment is not None and segment.record.timestamp
        return ["line", *["key"] * key, *["headers"] * (name in self._told), *["timestamp"] * timestamp]

    def masked(self, name: str) -> MaskedPlan | None:
        """The masked segment of that name."""
        return next((segment for segment in self._plan.masked if segment.name == name), None)

    @property
    def _beside(self) -> str:
        return ", `timestamp`" if self.has_timestamp else ""

    @property
    def _arguments(self) -> list[str]:
        # Of several topics, partitions of one number are told apart.
        number = f"ABS(MOD(HASH_CODE(`topic`), 2000000)) * {PARTITIONS} + `partition`" if self._several else "`partition`"
        partitions = [number, "`timestamp`"] if self.transport.partitioned else []
        origins = ["`partition`", "`offset`", *([] if self.transport.topic else ["`topic`"])] if self.transport.origins else []
        headers = [f"`headers`[{literal(name)}]" for name in self.headers]
        return ["payload", *partitions, *(["`key`"] if self.has_key else []), *headers, *origins]

    def _constants(self) -> Iterator[tuple[str, str]]:
        for header, value in (("policy_version", str(self._plan.policy.version)), ("policy_digest", self._plan.digest)):
            yield header, f"CAST(x'{value.encode().hex()}' AS BYTES)"

    def _columns(self) -> Iterator[tuple[str, str]]:
        """The same of records whose policy may change while the job runs."""
        yield "policy_version", "ENCODE(CAST(policy_version AS STRING), 'UTF-8')"
        yield "policy_digest", "policy_digest"

    @property
    def _records(self) -> list[RecordPlan]:
        return [segment.record for segment in self._plan.masked]


def _headers(always: list[tuple[str, str]] | Iterator[tuple[str, str]], present: list[tuple[str, str]]) -> str:
    """A map of headers; one of `present` is there where its value is. The connector passes over a null name."""
    pairs = [f"{literal(name)}, {value}" for name, value in always]
    pairs += [f"CASE WHEN {value} IS NOT NULL THEN {literal(name)} END, {value}" for name, value in present]
    return f"MAP[{', '.join(pairs)}]"
