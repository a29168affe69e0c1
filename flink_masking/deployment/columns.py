"""The section ``columns`` of a deployment: views whose sink is a table of typed columns, such as a database's, instead of one of records.

A view's records are JSON; each column is the value at a path. With a key the sink is an upsert table: a record replaces the row of its
key, so that records that are sent again after a restart change nothing.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flink_masking.deployment.sql_text import literal, quoted
from flink_masking.errors import FlinkMaskingError, JobError
from flink_masking.policy.layout import kind_of_values
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import MaskedSegment
from flink_masking.records.codec import FORMATS
from flink_masking.records.paths import parse_path
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action

_TYPE = re.compile(r"STRING|BOOLEAN|SMALLINT|INT|BIGINT|FLOAT|DOUBLE|DATE|DECIMAL\([1-9]\d?(, ?\d{1,2})?\)|TIMESTAMP(\(\d\))?")
_FIELDS = {"BOOLEAN": ("boolean",), "DATE": ("date",), "TIMESTAMP": ("datetime",)}
"""Beginnings of types and the types of fields that they hold; all others hold numbers."""
_TYPES = "STRING, BOOLEAN, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p, s), DATE, TIMESTAMP(p)"


def _checked_type(value: Any) -> Any:
    text = value.strip().upper() if isinstance(value, str) else value
    if isinstance(text, str) and not _TYPE.fullmatch(text):
        raise ValueError(f"is no type of a column. Hint: {_TYPES}")
    return text


class Column(BaseModel):
    """A column of a sink.

    Attributes:
        type: in Flink SQL.
        path: of the value in the view's records; the column's name where it is omitted.
        key: whether it is part of the key by which rows are replaced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: Annotated[str, BeforeValidator(_checked_type)]
    path: str | None = None
    key: bool = False


def _short(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


SinkColumns = Annotated[dict[str, Annotated[Column, BeforeValidator(_short)]], Field(min_length=1)]
"""Columns of a sink by name, in their order; a text alone is the type."""


def definitions(columns: Mapping[str, Column]) -> str:
    """The columns as the inside of CREATE TABLE."""
    parts = [f"{quoted(name)} {column.type}{' NOT NULL' if column.key else ''}" for name, column in columns.items()]
    if keys := [quoted(name) for name, column in columns.items() if column.key]:
        parts.append(f"PRIMARY KEY ({', '.join(keys)}) NOT ENFORCED")
    return ", ".join(parts)


def selection(columns: Mapping[str, Column], view: str) -> str:
    """The query that makes the columns of a view's records.

    Args:
        columns: of the sink.
        view: name of a view with the column ``line`` (BYTES), JSON objects.
    """
    return f"SELECT {', '.join(_expression(name, column) for name, column in columns.items())} FROM {quoted(view)}"


def _expression(name: str, column: Column) -> str:
    # An object or array where a scalar was announced is an error, and never a null that nobody notices.
    steps = "".join("['" + str(step).replace("\\", "\\\\").replace("'", "\\'") + "']" for step in parse_path(column.path or name))
    text = f"JSON_VALUE(DECODE(line, 'UTF-8'), {literal(f'lax ${steps}')} NULL ON EMPTY ERROR ON ERROR)"
    if column.type.startswith("TIMESTAMP"):
        text = f"REPLACE(REPLACE({text}, 'T', ' '), 'Z', '')"
    return f"CAST({text} AS {column.type}) AS {quoted(name)}"


def check_columns(sinks: Mapping[str, Mapping[str, Column]], loaded: LoadedPolicy) -> None:
    """Check that the views have what their columns name, and that no two records that differ in the raw key share a row.

    Args:
        sinks: columns by segment.
        loaded: the policy.

    Raises:
        JobError: no such segment, records that are no JSON, a path that the view does not show, or a key that is not fit for one.
    """
    for name, columns in sinks.items():
        segment = loaded.policy.segments.get(name)
        if segment is None:
            raise JobError(f"columns.{name}: the policy has no such segment. Hint: segments are {', '.join(loaded.policy.segments)}")
        if isinstance(segment, MaskedSegment):
            if loaded.policy.format != "json":
                raise JobError(f"columns.{name}: its records are {loaded.policy.format}, and columns are made of JSON. Hint: omit "
                               f"columns.{name}, and let the database read records of {loaded.policy.format} from a topic")
            if loaded.policy.framing != "none":
                raise JobError(f"columns.{name}: its records have framing in front, and columns are made of JSON alone. Hint: omit "
                               f"columns.{name}, or framing")
            if segment.record is not None:
                raise JobError(f"columns.{name}: key, headers and timestamp of Kafka have no place in a table of columns. Hint: omit "
                               f"segments.{name}.record")
        elif FORMATS[loaded.policy.format].rows == "" and loaded.policy.format != "json":
            raise JobError(f"columns.{name}: its rows are {loaded.policy.format}, and columns are made of JSON. Hint: omit columns.{name}")
        for column, written in columns.items():
            _check_column(f"columns.{name}.{column}", column, written, name, loaded)


def _check_column(place: str, name: str, column: Column, segment: str, loaded: LoadedPolicy) -> None:
    path = column.path or name
    failure: JobError | None = None
    try:
        steps = parse_path(path)
    except FlinkMaskingError as error:
        failure = JobError(f"{place}: {error}")
    if failure is not None:
        raise failure
    if not all(isinstance(step, str) for step in steps):
        raise JobError(f"{place}: a column holds one value, and {path} leads to several. Hint: a path without [*], * and selectors")
    if not isinstance(loaded.policy.segments[segment], MaskedSegment):
        return
    rule = loaded.covering(segment, path)
    if rule is None or rule.technique.action is Action.DROP:
        raise JobError(f"{place}: the view does not show {path}. Hint: a rule for it in segments.{segment}, or omit the column")
    if column.type != "STRING":
        _check_type(place, path, column.type, rule, loaded)
    if not column.key:
        return
    if rule.technique.action is Action.KEEP and rule.path != loaded.declared(path):
        raise JobError(f"{place}: {path} has no rule of its own. Hint: a rule for the key in segments.{segment}")
    promises = rule.promises
    if not (promises.injective and promises.deterministic):
        fit = registry.those(lambda made: made.injective and made.deterministic and bool(made.purposes))
        why = "can map two keys to one value" if promises.deterministic else "maps a key to a different value each time"
        raise JobError(f"{place}: rows are replaced by this key, and '{rule.technique.name}' {why}. Hint: {', '.join(fit)}")
    field = loaded.policy.fields.get(loaded.declared(path))
    if field is None or field.optional or rule.params.on_error != "quarantine":
        raise JobError(f"{place}: a record without this key, or with *** in its place, would stop the job or replace another's row. Hint: "
                       f"optional: false for the field {path}, and on_error: quarantine in its rule")


def _check_type(place: str, path: str, type_: str, rule: Rule, loaded: LoadedPolicy) -> None:
    """Check that a view's values are of a column's type whatever the records hold: one that is not would stop the job."""
    field = loaded.policy.fields.get(loaded.declared(path))
    wanted = next((types for start, types in _FIELDS.items() if type_.startswith(start)), ("number",))
    held = None if field is None else kind_of_values(field) or field.type
    if held not in wanted:
        raise JobError(f"{place}: {path} is not declared as what a {type_} holds. Hint: type: {wanted[0]} in fields, or a STRING column")
    if rule.technique.action is None and rule.promises.result == "text" and not rule.promises.always_null:
        raise JobError(f"{place}: '{rule.technique.name}' makes text of {path}, which no {type_} holds. Hint: a STRING column")
    if rule.params.on_error == "redact":
        raise JobError(f"{place}: a value that breaks its contract becomes ***, which no {type_} holds. Hint: on_error: quarantine, or "
                       f"nullify, in the rule for {path}")
