"""What a frame is: one of pandas, one of polars, or an Arrow table; and how an Arrow table becomes a frame of the same kind."""

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.errors import InputError

_ROWS = "__index_level_{}__"


@dataclass
class Frame:
    """A frame that was given.

    Attributes:
        table: its columns, and those of its index that have a name.
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
            InputError: a column that Arrow cannot hold, two columns of one name, or an index that could hold data.
        """
        pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
        if isinstance(given, pa.Table):
            found = cls(given, "arrow")
        elif polars is not None and isinstance(given, polars.DataFrame):
            found = cls(given.to_arrow(compat_level=polars.CompatLevel.oldest()), "polars")
        elif pandas is not None and isinstance(given, pandas.DataFrame):
            found = _of_pandas(given, keep_index)
        else:
            raise TypeError(f"a frame of pandas or polars or an Arrow table is needed, not {type(given).__name__}. "
                            "Hint: protect() takes records")
        names = found.table.column_names
        if len(set(names)) < len(names):
            raise InputError("two columns have the same name. Hint: rename one")
        return found

    def again(self, table: pa.Table, rows: np.ndarray | None = None) -> Any:
        """A frame of the same kind.

        Args:
            table: its columns.
            rows: numbers of the given frame's rows that these are, for its index; None: rows of another origin.
        """
        if self.kind == "arrow":
            return table
        if self.kind == "polars":
            return sys.modules["polars"].from_arrow(table)
        made = table.to_pandas()
        for name in made.columns:
            dtype = self.dtypes.get(name)
            if dtype is not None and made[name].dtype != dtype and _goes_back(made[name], dtype):
                made[name] = made[name].astype(dtype)
        if self.index and all(name in made.columns for name in self.index):
            return made.set_index(self.index)
        if self.labels is not None and rows is not None:
            made.index = self.labels.take(rows)
        return made


def _of_pandas(given: Any, keep_index: bool) -> Frame:
    pandas = sys.modules["pandas"]
    index, named = given.index, [name for name in given.index.names if name is not None]
    if not named and not isinstance(index, pandas.RangeIndex) and not keep_index:
        raise InputError("the index is no plain range and has no name, so that it could hold data that no rule is for. Hint: name it as "
                         "the field that it is, reset_index(drop=True), or keep_index=True where it holds numbers of rows")
    if named and len(named) < index.nlevels:
        raise InputError("a level of the index has no name. Hint: name it as the field that it is, or reset_index()")
    if not all(isinstance(name, str) for name in [*given.columns, *named]):
        raise InputError("a column's name is no text. Hint: frame.columns = frame.columns.astype(str)")
    flat = given.reset_index() if named else given
    try:
        table = pa.Table.from_pandas(flat, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        failure = InputError(f"a column holds values that Arrow has no one type for ({type(error).__name__}). Hint: values of one kind in "
                             "each column")
    else:
        return Frame(table.replace_schema_metadata(None), "pandas", named, None if named else index, dict(flat.dtypes))
    raise failure  # here, because the reason quotes values


def _goes_back(values: Any, dtype: Any) -> bool:
    """Whether values of a column can have a type again without losing one."""
    if str(dtype) == "category":
        return True
    if values.dtype.kind in "iuf" and str(dtype) in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"):
        return bool((values.dropna() % 1 == 0).all())
    if str(dtype) in ("Float32", "Float64"):
        return values.dtype.kind in "iuf"
    if str(dtype) == "boolean":
        return bool(values.dropna().map(lambda one: isinstance(one, bool | np.bool_)).all())
    return str(dtype).startswith("string") and bool(values.dropna().map(lambda one: isinstance(one, str)).all())
