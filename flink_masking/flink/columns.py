"""Computes several columns in one batch function and forwards each without copying rows.

A function may return a row, but every query that takes a field out of a row first copies the row whole, once for each sink: for views
of 200 bytes this was a third of all that Flink's own threads did (measured with Java Flight Recorder). Flat columns are passed on as
they are. The planner keeps the functions of one view together, because none is deterministic and each is mentioned twice by its sink;
the worker calls them one after the other with the same batch.
"""

import threading
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
from pyflink.table.types import DataType
from pyflink.table.udf import FunctionContext, ScalarFunction, UserDefinedScalarFunctionWrapper, udf

from flink_masking.errors import JobError
from flink_masking.flink.compat.arrow_results import result
from flink_masking.flink.compat.versions import VersionChecked

_LOCAL = threading.local()


class BatchFunction(Protocol):
    """Computes all columns of a batch."""

    def open(self, context: FunctionContext) -> None:
        """Acquire resources, once on each worker."""
        ...

    def close(self) -> None:
        """Release the resources."""
        ...

    def __call__(self, *arguments: "pd.Series[Any]") -> list[pa.Array]:
        """The columns of a batch, in order."""
        ...


def column_functions(maker: BatchFunction, types: Mapping[str, DataType],
                     token: str | None = None) -> dict[str, UserDefinedScalarFunctionWrapper]:
    """A function for each column that a maker makes, by the names of the columns.

    Contract: they are called with the same arguments, in one query. The arguments are columns of a table: the planner computes an
    expression once for each function that takes it, so that each would be given a column of its own.

    Args:
        maker: can be pickled.
        types: name and type of each column, in the maker's order.
        token: what the columns of one maker find each other by; by default no other call's.
    """
    token = token or uuid.uuid4().hex
    return {name: udf(Column(maker, token, number), result_type=kind, func_type="pandas", deterministic=False)
            for number, (name, kind) in enumerate(types.items())}


class SharedBatch:
    """A batch function on a worker with its open columns and the current batch."""

    def __init__(self, maker: BatchFunction) -> None:
        """Begin without a batch."""
        self.maker = maker
        self.open: set[int] = set()
        self._batch: Any = None
        self._columns: list[pa.Array] = []
        self._given = 0
        self._first: int | None = None

    def column(self, number: int, arguments: "tuple[pd.Series[Any], ...]") -> pa.Array:
        """A column of a batch, which is made when its first column is asked for, and forgotten with its last.

        Raises:
            JobError: the columns are called with batches of their own. Each would be evaluated for itself, with nonces, random values and
                an audit that do not belong together.
        """
        if self._batch is not arguments[0]:
            if self._first not in (None, number):
                raise JobError("protect: the columns of one batch are evaluated separately. Hint: use all of them in one query, over "
                               "columns of a table and not over expressions")
            self._first = number
            self._columns, self._batch, self._given = self.maker(*arguments), arguments[0], 0
        column = self._columns[number]
        self._given += 1
        if self._given == len(self.open):
            self._columns, self._batch = [], None
        return column


class Column(VersionChecked, ScalarFunction):  # type: ignore[misc]
    """One column of several. Those of one operator find each other by their token, in the thread that opens them."""

    def __init__(self, maker: BatchFunction, token: str, number: int) -> None:
        """Keep what the worker needs; nothing is opened yet.

        Args:
            maker: makes all columns.
            token: the same for all columns of one maker.
            number: of this column.
        """
        self._maker, self._token, self._number = maker, token, number

    def open(self, function_context: FunctionContext) -> None:
        """Share the batch function of columns opened before, or open it as the first of them."""
        makers: dict[str, SharedBatch] = _LOCAL.__dict__.setdefault("makers", {})
        opened = makers.get(self._token)
        if opened is None or not opened.open or self._number in opened.open:  # the first column of an instance of the operator
            self._maker.open(function_context)
            opened = makers[self._token] = SharedBatch(self._maker)
        opened.open.add(self._number)
        self._opened = opened

    def close(self) -> None:
        """Close the batch function with the last column."""
        opened = getattr(self, "_opened", None)
        if opened is not None and self._number in opened.open:
            opened.open.discard(self._number)
            if not opened.open:
                opened.maker.close()

    def is_deterministic(self) -> bool:
        """False, so that the planner does not evaluate columns separately."""
        return False

    def eval(self, *arguments: "pd.Series[Any]") -> Any:
        """This column of a batch, in the form that PyFlink takes in this process."""
        return result(self._opened.column(self._number, arguments))
