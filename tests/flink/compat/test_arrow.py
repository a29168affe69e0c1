"""The exchange of batches with Flink, against PyFlink's own conversions; no Java virtual machine is started."""

import datetime
import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyflink.fn_execution import coders
from pyflink.fn_execution.ResettableIO import ResettableIO
from pyflink.table import DataTypes

from flink_masking.flink import compat
from flink_masking.flink.compat.arrow_columns import binary_array

VALUES = [b"a", None, b"", b"\xff\x00", b"x" * 300]


@pytest.fixture(autouse=True)
def exchanged(as_before: None) -> None:
    """The exchange in place."""
    compat.apply(compat.PROTECT)


def test_columns_of_bytes_arrive_without_objects() -> None:
    """A column of BYTES arrives as the values that Flink sent, in the memory that they came in."""
    sent = pa.RecordBatch.from_arrays([pa.array(VALUES, pa.binary())], names=["payload"])
    (column,) = coders.coder_impl.arrow_to_pandas("UTC", [DataTypes.BYTES()], [sent])
    assert binary_array(column).to_pylist() == VALUES
    assert binary_array(column).buffers()[2].address == sent.column(0).buffers()[2].address


def test_other_columns_arrive_as_pyflink_makes_them() -> None:
    """Columns of other types keep their places, and are what PyFlink makes of them; instants stay as they are sent."""
    now = datetime.datetime(2024, 3, 1, 12)
    sent = pa.RecordBatch.from_arrays([pa.array([1, 2]), pa.array([b"k", None], pa.binary()), pa.array([now, now], pa.timestamp("ms")),
                                       pa.array([now.date(), None], pa.date32())], names=["partition", "key", "time", "day"])
    types = [DataTypes.BIGINT(), DataTypes.BYTES(), DataTypes.TIMESTAMP_WITH_LOCAL_TIME_ZONE(3), DataTypes.DATE()]
    partition, key, time, day = coders.coder_impl.arrow_to_pandas("Europe/Berlin", types, [sent])
    assert partition.tolist() == [1, 2]
    assert binary_array(key).to_pylist() == [b"k", None]
    assert pa.Array.from_pandas(time).type == pa.timestamp("ms")
    assert [now, now] == [moment.to_pydatetime() for moment in time]
    assert [now.date(), None] == day.tolist()


@pytest.mark.parametrize("made_of", [lambda: VALUES, lambda: pd.arrays.ArrowExtensionArray(pa.array(VALUES, pa.binary()))],
                         ids=["objects", "arrow"])
def test_a_series_of_either_kind_is_read(made_of: Callable[[], Any]) -> None:
    """Whether the exchange is in place or not, a function reads the same values."""
    assert binary_array(pd.Series(made_of())).to_pylist() == VALUES


def test_an_empty_column_is_read() -> None:
    """A column without chunks is a column without values."""
    assert binary_array(pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([], pa.binary())))).to_pylist() == []


def test_results_of_arrow_leave_as_they_are() -> None:
    """A result that is an Arrow array becomes the column of the batch that goes to Flink; a pandas one goes PyFlink's way."""
    views, versions = pa.array(VALUES, pa.binary()), pa.array(range(5), pa.int32())
    schema = pa.schema([pa.field("view0", pa.binary()), pa.field("key_version", pa.int32())])
    types = [DataTypes.BYTES(), DataTypes.INT()]
    straight = coders.coder_impl.pandas_to_arrow(schema, "UTC", types, [views, versions])
    through = coders.coder_impl.pandas_to_arrow(schema, "UTC", types, [pd.Series(VALUES), pd.Series(range(5))])
    assert straight.column(0).buffers()[-1].address == views.buffers()[-1].address
    assert straight.equals(through)


def test_results_of_both_kinds_leave_together() -> None:
    """Beside somebody's Series and frames, of whatever type, an Arrow array still becomes the column as it is."""
    views, now = pa.array(VALUES, pa.binary()), datetime.datetime(2024, 3, 1, 12)
    pair = DataTypes.ROW([DataTypes.FIELD("a", DataTypes.INT()), DataTypes.FIELD("b", DataTypes.STRING())])
    types = [DataTypes.STRING(), DataTypes.BYTES(), DataTypes.TIMESTAMP_WITH_LOCAL_TIME_ZONE(3), DataTypes.BYTES(), pair]
    schema = pa.schema([pa.field("own", pa.string()), pa.field("view0", pa.binary()), pa.field("time", pa.timestamp("ms")),
                        pa.field("view1", pa.binary()), pa.field("row", pa.struct([("a", pa.int32()), ("b", pa.string())]))])
    own = pd.Series(["a", None, "", "ü", "e"])
    times = pd.Series([now] * 5).dt.tz_localize("UTC")
    rows = pd.DataFrame({"a": range(5), "b": list("vwxyz")})
    mixed = coders.coder_impl.pandas_to_arrow(schema, "Europe/Berlin", types, [own, views, times, views, rows])
    through = coders.coder_impl.pandas_to_arrow(schema, "Europe/Berlin", types, [own, pd.Series(VALUES), times, pd.Series(VALUES), rows])
    assert mixed.equals(through)
    assert mixed.column(3).buffers()[-1].address == views.buffers()[-1].address


def test_batches_are_read_where_they_lie() -> None:
    """PyFlink's coder reads one batch after the other, each from the bytes received; other streams of Arrow are opened as ever."""
    coder = coders.ArrowCoder(pa.schema([pa.field("payload", pa.binary())]), DataTypes.ROW([DataTypes.FIELD("payload", DataTypes.BYTES())]),
                              "UTC").get_impl()
    for values in (VALUES, [], VALUES[::-1]):
        received = _stream(values)
        (column,) = coder.decode(received)
        assert binary_array(column).to_pylist() == values
    received = _stream(VALUES)
    source = ResettableIO()
    source.set_input_bytes(received)
    batch, begin = pa.ipc.open_stream(source).read_next_batch(), pa.py_buffer(received).address
    assert begin < batch.column(0).buffers()[2].address < begin + len(received)
    assert not source.readable()
    assert pa.ipc.open_stream(io.BytesIO(received)).read_all().column(0).to_pylist() == VALUES


def _stream(values: list[bytes | None]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([pa.field("payload", pa.binary())])) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array(values, pa.binary())], names=["payload"]))
    return bytes(sink.getvalue().to_pybytes())


def test_it_is_put_in_place_once() -> None:
    """Every function of a worker may ask for it; the second time changes nothing."""
    first = coders.coder_impl.pandas_to_arrow, coders.coder_impl.arrow_to_pandas, pa.ipc.open_stream
    for patch in (compat.ARROW_RESULTS, compat.ARROW_COLUMNS, compat.ARROW_STREAMS):
        patch.install()
    assert (coders.coder_impl.pandas_to_arrow, coders.coder_impl.arrow_to_pandas, pa.ipc.open_stream) == first
