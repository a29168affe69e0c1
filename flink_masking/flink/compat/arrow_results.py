"""Results of vectorised functions as Arrow arrays, without a pandas Series of Python objects between."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from flink_masking.flink.compat.patch import Mismatch, Patch, applied, require_source


class ToFlink:
    """Results to an Arrow batch, in place of ``pyflink.table.utils.pandas_to_arrow``; results that are Series go PyFlink's own way."""

    def __init__(self, before: Any) -> None:
        """Keep PyFlink's own function."""
        self._before = before

    def __call__(self, schema: pa.Schema, timezone: Any, field_types: Sequence[Any], results: Sequence[Any]) -> pa.RecordBatch:
        """The batch that goes to Flink."""
        if all(isinstance(result, pa.Array) for result in results):
            return pa.RecordBatch.from_arrays(list(results), schema=schema)
        return self._before(schema, timezone, field_types, results)


def result(column: pa.Array) -> Any:
    """A column as a function of this process may return it: as it is, or as a Series where PyFlink takes nothing else."""
    if applied(ARROW_RESULTS):
        return column
    if pa.types.is_integer(column.type):
        return pd.Series(column.to_numpy(zero_copy_only=False), copy=False)
    return pd.Series(column.to_pylist(), dtype=object)


def _install() -> None:
    from pyflink.fn_execution import coders
    from pyflink.table import utils

    coder = coders.coder_impl
    if isinstance(coder.pandas_to_arrow, ToFlink):
        return
    require_source(utils.pandas_to_arrow, "bcabfa1b4c7bdaaf")
    if coder.pandas_to_arrow is not utils.pandas_to_arrow:
        raise Mismatch("PyFlink's coder converts results in another way")
    coder.pandas_to_arrow = ToFlink(coder.pandas_to_arrow)
    if not _in_use():
        coder.pandas_to_arrow = utils.pandas_to_arrow
        raise Mismatch("PyFlink's compiled coder does not call it")


def _in_use() -> bool:
    """Whether the coder, which is compiled and cannot be read, takes an Arrow array."""
    from pyflink.fn_execution import coders
    from pyflink.table import DataTypes

    row = DataTypes.ROW([DataTypes.FIELD("value", DataTypes.BYTES())])
    coder = coders.ArrowCoder(pa.schema([pa.field("value", pa.binary())]), row, "UTC").get_impl()
    try:
        sent = coder.encode([pa.array([b"x"])])
    except (AttributeError, TypeError, RuntimeError):  # what PyFlink's own way makes of it
        return False
    return bool(pa.ipc.open_stream(sent).read_all().column(0).to_pylist() == [b"x"])


ARROW_RESULTS = Patch("arrow-results", "results are converted to Python objects and back: a third less throughput", _install)
