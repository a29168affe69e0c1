"""What a frame is: one of pandas, one of polars, or an Arrow table; and how an Arrow table becomes a frame of the same kind."""

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.errors import InputError
from flink_masking.frames import pandas_frames, polars_frames


@dataclass
class Frame:
    """A frame that was given.

    Attributes:
        table: its columns, and those of its index that have a name; one chunk each where that is less than 2 GiB.
        kind: pandas, polars or arrow.
        index: names of the columns that were the index.
        labels: the index where it has no name: the labels of rows, which are no data; None where there is none.
        dtypes: types of a pandas frame by column.
    """

    table: pa.Table
    kind: str
    index: list[str] = field(default_factory=list)
    labels: Any = None
    dtypes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any, keep_index: bool = False) -> "Frame":
        """Recognise a frame.

        Args:
            given: a frame of pandas or polars, or an Arrow table.
            keep_index: the index of a pandas frame holds labels that may be shown, though it is no plain range.

        Raises:
            TypeError: something else.
            InputError: a column that Arrow cannot hold exactly, two columns of one name, or an index that could hold data.
        """
        pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
        if isinstance(given, pa.Table):
            found = cls(given, "arrow")
        elif polars is not None and isinstance(given, polars.DataFrame):
            found = cls(polars_frames.table_of(given), "polars")
        elif pandas is not None and isinstance(given, pandas.DataFrame):
            table, index, labels, dtypes = pandas_frames.table_of(given, keep_index)
            found = cls(table, "pandas", index, labels, dtypes)
        else:
            raise TypeError(f"a frame of pandas or polars or an Arrow table is needed, not {type(given).__name__}. "
                            "Hint: protect() takes records")
        names = found.table.column_names
        if len(set(names)) < len(names):
            raise InputError("a column has the name of another. Hint: rename one")
        found.table = _combined(found.table)
        return found

    def again(self, table: pa.Table, scope: str, rows: np.ndarray | None = None) -> Any:
        """A frame of the same kind, of which every value is in the table, and every label that of one of its rows.

        Args:
            table: its columns.
            scope: the stream and segment.
            rows: numbers of the given frame's rows that these are, for its index; None: rows of another origin.
        """
        if self.kind != "pandas":
            return self.plain(table, scope)
        made = pandas_frames.frame_of(table, self.dtypes)
        if self.index and all(name in made.columns for name in self.index):
            return made.set_index(self.index)
        if self.labels is not None and rows is not None and len(rows) == len(made):
            made.index = pandas_frames.labels_of(self.labels, rows)
        return made

    def plain(self, table: pa.Table, scope: str) -> Any:
        """A frame of the same kind, whose columns are not those of the given one whatever their names."""
        if self.kind == "arrow":
            return table
        return polars_frames.frame_of(table, scope) if self.kind == "polars" else pandas_frames.frame_of(table, {})


def _combined(table: pa.Table) -> pa.Table:
    try:
        return table.combine_chunks()
    except pa.ArrowException as error:
        failure = InputError(f"the chunks of a column cannot be put together ({type(error).__name__}). Hint: fewer rows at once")
    raise failure  # here, because the reason may quote values
