"""The functions for Flink SQL as vectorised functions of Flink: they carry their name, and find all else on the worker."""

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, UserDefinedScalarFunctionWrapper, udf

from flink_masking.engine.record import Transport
from flink_masking.errors import InputError
from flink_masking.flink import compat
from flink_masking.flink.columns import column_functions
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.errors import without_values
from flink_masking.flink.parts import parts_of
from flink_masking.flink.subtask import place
from flink_masking.flink.task_manager import end_with_task_manager
from flink_masking.sql.call import Call
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.session import Session
from flink_masking.sql.views import KEY_VERSION, ViewSet, view_columns

Argument = Any
"""A literal, or a pandas Series where the argument is a column."""


class ValueFunction(VersionChecked, ScalarFunction):  # type: ignore[misc]
    """One function of the table: values in, texts out, a batch at a time. Pickled it is a name."""

    def __init__(self, name: str) -> None:
        """Keep the function's name."""
        self._name = name

    def open(self, function_context: FunctionContext) -> None:
        """Read the job's parameters; keys and vault are opened when a rule needs them."""
        function = FUNCTIONS[self._name]
        with without_values(self._name):
            where = place(function_context) if function.back else (1, 0)
            self._call = Call(function, Session(function_context.get_job_parameter), os.urandom, where)

    def is_deterministic(self) -> bool:
        """Whether the technique is deterministic."""
        return FUNCTIONS[self._name].deterministic

    def eval(self, value: Argument, *arguments: Argument) -> "pd.Series[Any]":
        """Mask a batch.

        Args:
            value: n values.
            arguments: literals, evaluated once; a column where the function takes one.

        Returns:
            n texts.
        """
        with without_values(self._name):
            column = _arrow(value, self._name)
            return _series(self._call(column, *(_arrow(a, self._name) if isinstance(a, pd.Series) else a for a in arguments)))


class ProtectUdf(VersionChecked, ScalarFunction):  # type: ignore[misc]
    """``protect(payload, segment)``: raw records to what a masked segment of the policy shows of them, NULL where one is rejected."""

    def open(self, function_context: FunctionContext) -> None:
        """Open the keys and compile the policy on the worker."""
        self._views = _views(function_context)

    def is_deterministic(self) -> bool:
        """A policy may be random."""
        return False

    def eval(self, payload: Argument, segment: str) -> "pd.Series[Any]":
        """Protect a batch.

        Args:
            payload: n raw records, text or bytes.
            segment: the name of a masked segment.
        """
        with without_values("protect"):
            if not isinstance(segment, str):
                raise InputError("protect: segment is no text. Hint: write protect(payload, 'analytics') with a literal")
            return _series(self._views.view(_records(payload), segment).cast(pa.string()))


@dataclass
class ViewsColumns:
    """All masked segments of the policy at once, with audit and quarantine: the columns that a whole job is made of.

    Attributes:
        segments: how many masked segments the policy is said to have.
        parts: how many keys and headers leave for Kafka; None: no segment is in Kafka.
    """

    segments: int
    parts: int | None

    def open(self, context: FunctionContext) -> None:
        """Open the keys and compile the policy on the worker."""
        self._views = _views(context, self.segments, self.parts)
        compat.apply(compat.SQL)

    def close(self) -> None:
        """Close the vault, if one is open."""
        self._views.close()

    def __call__(self, payload: Argument, *parts: Argument) -> list[pa.Array]:
        """Protect a batch of raw records, with what there is of Kafka's parts."""
        with without_values("protect"):
            return list(self._views.rows(_records(payload), parts_of(parts, self._views.records, self._views.transport)).values())


def _views(context: FunctionContext, segments: int | None = None, parts: int | None = None) -> ViewSet:
    end_with_task_manager()
    with without_values("protect"):
        session = Session(context.get_job_parameter)
        transport = session.transport() if segments is not None else Transport()
        return ViewSet(session.policy(), session.ring, session.vault_if_named(), os.urandom, lambda: time.time_ns() // 1_000_000, segments,
                       parts, transport, session.schemas(), session.outputs())


def value_function(name: str) -> UserDefinedScalarFunctionWrapper:
    """The function of that name in the table, ready to be registered."""
    body = ProtectUdf() if FUNCTIONS[name].takes == "record" else ValueFunction(name)
    return udf(body, result_type=DataTypes.STRING(), func_type="pandas", deterministic=body.is_deterministic(), name=name)


def view_functions(segments: int, parts: int | None = None) -> dict[str, UserDefinedScalarFunctionWrapper]:
    """A function for each of so many views, audit and quarantine, keys and headers for Kafka, all BYTES, and with these the key version."""
    types = {name: DataTypes.INT() if name == KEY_VERSION else DataTypes.BYTES() for name in view_columns(segments, parts)}
    return column_functions(ViewsColumns(segments, parts), types, f"views_{segments}_{parts}")


def _arrow(value: Argument, name: str) -> pa.Array:
    """A column as Arrow; its type is what its cells are."""
    _column(value, name)
    if value.dtype == np.dtype(object):
        if isinstance(next((cell for cell in value if cell is not None), None), bytes):
            raise InputError(f"{name}: a column of BYTES is no text. Hint: DECODE(column, 'UTF-8')")
        try:
            return pa.Array.from_pandas(value, type=pa.string())
        except pa.ArrowException:
            pass
    try:
        column = pa.Array.from_pandas(value)
    except pa.ArrowException:
        raise InputError(f"{name}: a column of a type that is no text, number or time. Hint: CAST it AS STRING") from None
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _column(value: Argument, name: str) -> None:
    """Refuse a literal in the place of a column: a batch does not say how many rows it would stand for."""
    if not isinstance(value, pd.Series):
        raise InputError(f"{name}: the value is a literal. Hint: the first argument is a column; write a constant itself into the query")


def _records(payload: Argument) -> pa.BinaryArray:
    _column(payload, "protect")
    return pa.Array.from_pandas(payload, type=pa.binary())


def _series(texts: pa.StringArray) -> "pd.Series[Any]":
    return pd.Series(texts.to_numpy(zero_copy_only=False), dtype=object, copy=False)
