"""Columns that are made at once, as a worker opens and calls them; no Java virtual machine is started."""

import gc
import pickle
import weakref
from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyflink.table import DataTypes

from flink_masking.errors import JobError
from flink_masking.flink import compat
from flink_masking.flink.columns import Column, column_functions

CALLS: Counter[str] = Counter()


class Numbering:
    """Two columns: the batch's payloads, and how many batches its instance had seen before."""

    def open(self, context: Any) -> None:
        """Begin to count."""
        CALLS["opened"] += 1
        self.batches = 0

    def close(self) -> None:
        """Told."""
        CALLS["closed"] += 1

    def __call__(self, *arguments: "pd.Series[Any]") -> list[pa.Array]:
        """Count."""
        CALLS["made"] += 1
        self.batches += 1
        return [pa.array(arguments[0]), pa.array([self.batches - 1] * len(arguments[0]))]


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """Nothing was called yet, and PyFlink takes Arrow arrays."""
    compat.apply([compat.ARROW_RESULTS])
    CALLS.clear()


def worker_columns() -> list[Column]:
    """The functions as a worker unpickles them: each on its own."""
    functions = column_functions(Numbering(), {"text": DataTypes.BYTES(), "number": DataTypes.INT()})
    return [pickle.loads(pickle.dumps(function._func)) for function in functions.values()]


def test_a_batch_is_made_once_for_all_its_columns() -> None:
    """Every column of a batch comes from the same evaluation, and the next batch, though equal, from another."""
    columns = worker_columns()
    for column in columns:
        column.open(None)
    for number in range(3):
        batch = pd.Series(["a", "b"])
        assert [column.eval(batch).to_pylist() for column in columns] == [["a", "b"], [number, number]]
    assert CALLS == {"opened": 1, "made": 3}


def test_the_maker_closes_with_its_last_column() -> None:
    """Closed once, after all columns; opened anew by columns that come later."""
    columns = worker_columns()
    for again in (1, 2):
        for column in columns:
            column.open(None)
        assert columns[1].eval(pd.Series(["a"])).to_pylist() == [0]
        columns[0].close()
        assert CALLS["closed"] == again - 1
        columns[1].close()
        columns[1].close()
        assert CALLS["closed"] == CALLS["opened"] == again


def test_instances_of_an_operator_share_nothing() -> None:
    """Two instances in one process, opened one after the other and called by turns, count for themselves."""
    functions = column_functions(Numbering(), {"text": DataTypes.BYTES(), "number": DataTypes.INT()})
    first, second = ([pickle.loads(pickle.dumps(f._func)) for f in functions.values()] for _ in range(2))
    for column in (*first, *second):
        column.open(None)
    one, other = pd.Series(["a"]), pd.Series(["b"])
    assert [first[0].eval(one).to_pylist(), second[0].eval(other).to_pylist()] == [["a"], ["b"]]
    assert [first[1].eval(one).to_pylist(), second[1].eval(other).to_pylist()] == [[0], [0]]
    assert CALLS == {"opened": 2, "made": 2}


def test_a_batch_is_forgotten_with_its_last_column() -> None:
    """No raw record stays in memory until the next batch comes."""
    columns = worker_columns()
    for column in columns:
        column.open(None)
    batch = pd.Series(["a"])
    for column in columns:
        column.eval(batch)
    assert batch is not columns[0]._opened._batch and not columns[0]._opened._columns


def test_columns_with_batches_of_their_own_are_refused() -> None:
    """Where each column is called with a batch of its own, the job fails and releases no columns that do not belong together."""
    columns = worker_columns()
    for column in columns:
        column.open(None)
    columns[0].eval(pd.Series(["a"]))
    with pytest.raises(JobError, match="the columns of one batch are evaluated separately"):
        columns[1].eval(pd.Series(["a"]))


def test_a_batch_is_forgotten_without_the_columns_that_nobody_reads() -> None:
    """A query that leaves columns out leaves no raw record in memory either."""
    first = worker_columns()[0]
    first.open(None)
    batch = pd.Series(["a"])
    kept = weakref.ref(batch)
    first.eval(batch)
    del batch
    gc.collect()
    assert kept() is None
