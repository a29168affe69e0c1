"""Results of vectorised functions as Arrow arrays, without a pandas Series of Python objects between."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from flink_masking.flink.compat.coder import replace_conversion
from flink_masking.flink.compat.patch import Patch, applied


class ToFlink:
    """Results to an Arrow batch, in place of ``pyflink.table.utils.pandas_to_arrow``; each result that is a Series goes PyFlink's way."""

    def __init__(self, before: Any) -> None:
        """Keep PyFlink's own function."""
        self._before = before

    def __call__(self, schema: pa.Schema, timezone: Any, field_types: Sequence[Any], results: Sequence[Any]) -> pa.RecordBatch:
        """The batch that goes to Flink."""
        others = [i for i, result in enumerate(results) if not isinstance(result, pa.Array)]
        converted: Iterator[pa.Array] = iter(())
        if others:  # functions of one operator may be of this library and of others
            rest = pa.schema([schema.field(i) for i in others])
            converted = iter(self._before(rest, timezone, [field_types[i] for i in others], [results[i] for i in others]).columns)
        columns = [result if isinstance(result, pa.Array) else next(converted) for result in results]
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def result(column: pa.Array) -> Any:
    """A column as a function of this process may return it: as it is, or as a Series where PyFlink takes nothing else."""
    if applied(ARROW_RESULTS):
        return column
    if pa.types.is_integer(column.type):
        return pd.Series(column.to_numpy(zero_copy_only=False), copy=False)
    return pd.Series(column.to_pylist(), dtype=object)


def _install() -> None:
    replace_conversion("pandas_to_arrow", "bcabfa1b4c7bdaaf", ToFlink, _takes_arrow)


def _takes_arrow(coder: Any) -> bool:
    try:
        sent = coder.encode([pa.array([b"x"])])
    except (AttributeError, TypeError, RuntimeError):  # what PyFlink's own way makes of it
        return False
    return bool(pa.ipc.open_stream(sent).read_all().column(0).to_pylist() == [b"x"])


ARROW_RESULTS = Patch("arrow-results", "results are converted to Python objects and back: a third less throughput", _install)
