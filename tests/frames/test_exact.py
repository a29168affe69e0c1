"""Kept values of a frame are what was given, whatever their digits; frames that cannot be are refused without a value in the error."""

import datetime as dt
import json
import math
import zoneinfo
from decimal import Decimal

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings

from flink_masking import FlinkMaskingError, InputError, KeyRing, Protector
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  zip: {class: quasi, prefix: 5}
  kept: {class: plain}
  items[*]: {class: plain}
  deep.kept: {class: plain}
  deep.list[*].kept: {class: plain}
segments:
  view: {view: masked, rules: {id: drop, zip: drop, kept: keep, items: keep, deep: keep}}
  groups: {view: anonymized, quasi_identifiers: [zip], release: [kept], k: 2, max_delay: 1h}
"""
TIME = dt.datetime(2024, 1, 1, 10, 0, 0, 123456)
NANO = pd.Timestamp("2024-01-01T10:00:00.123456789")


@pytest.fixture(scope="module")
def protector():
    """One for all tests that end no input."""
    return Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral())


EXACT = {
    "decimal": (pa.decimal128(30, 2), [Decimal("12345678901234567890.12"), None, Decimal("-0.01")]),
    "small decimal": (pa.decimal128(38, 37), [Decimal("1E-37"), None]),
    "large decimal": (pa.decimal256(76, 10), [Decimal("1" * 60 + ".0123456789")]),
    "round decimal": (pa.decimal128(5, -3), [Decimal("12345E3")]),
    "int64": (pa.int64(), [2**53 + 1, None, 2**63 - 1, -(2**63)]),
    "uint64": (pa.uint64(), [2**64 - 1, None, 0]),
    "int8": (pa.int8(), [-128, 127]),
    "double": (pa.float64(), [1.7976931348623157e308, 5e-324, None, -0.0, 0.1 + 0.2, 1e22, 2.0**63]),
    "float": (pa.float32(), [float(np.float32(0.1)), float(np.float32(3.4e38)), 1e-45]),
    "half": (pa.float16(), [np.float16(65504), None, np.float16(0.1)]),
    "bool": (pa.bool_(), [True, None, False]),
    "timestamp": (pa.timestamp("us"), [TIME, None]),
    "nanoseconds": (pa.timestamp("ns"), [NANO, None]),
    "zone": (pa.timestamp("ns", "Asia/Tokyo"), [NANO.tz_localize("Asia/Tokyo"), None]),
    "seconds": (pa.timestamp("s"), [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59)]),
    "date": (pa.date32(), [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)]),
    "date64": (pa.date64(), [dt.date(2024, 1, 1), None]),
    "time": (pa.time64("us"), [dt.time(10, 0, 0, 123456), None, dt.time(23, 59, 59)]),
    "text": (pa.large_string(), ["2024-01-01", "12345678901234567890", "\x00\"\\\u2028", None, ""]),
    "null": (pa.null(), [None, None]),
    "categories": (pa.dictionary(pa.int8(), pa.uint64()), [2**64 - 1, None]),
}
FORMS = {"pandas": pa.Table.to_pandas, "pandas arrow": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype), "polars": pl.from_arrow,
         "arrow": lambda table: table}


def array(kind, values):
    """A column; dictionaries are made of their values."""
    return pa.array(values, kind.value_type).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(values, kind)


def shown(frame, name):
    """A column as Arrow has it, and its values."""
    if isinstance(frame, pl.DataFrame):
        column = frame.to_arrow(compat_level=pl.CompatLevel.oldest())[name]
    else:
        column = frame[name] if isinstance(frame, pa.Table) else pa.chunked_array([pa.array(frame[name], from_pandas=True)])
    return column.type, column.to_pylist()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", EXACT)
def test_kept_values_are_exact(protector, name, form):
    """Values alone, in lists and in structures are what they were, with their type; also beside a blanked value of the same column."""
    kind, values = EXACT[name]
    if form == "pandas" and kind == pa.uint64():  # of which pandas makes floats beside null before the frame is given
        values = [value for value in values if value is not None]
    column = array(kind, values)
    columns = {"id": ["a"] * len(column), "kept": column}
    if form == "arrow" and not pa.types.is_dictionary(kind):
        columns |= {"items": pa.array([[one] for one in values], pa.list_(kind)),
                    "deep": pa.array([{"kept": one, "list": [{"kept": one}]} for one in values],
                                     pa.struct([("kept", kind), ("list", pa.list_(pa.struct([("kept", kind)])))]))}
    table = pa.table(columns)
    try:
        frame = FORMS[form](table)
        before = shown(frame, "kept")
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pytest.skip("the library has no such type")
    found = protector.protect_frame(frame, "view")
    assert len(found.quarantine) == 0
    after = shown(found.views["view"], "kept")
    assert list(map(repr, after[1])) == list(map(repr, before[1]))
    assert after[0] == before[0] or pa.types.is_dictionary(kind)
    for nested in ("items", "deep"):
        if nested in columns:
            made = found.views["view"][nested].to_pylist()
            assert json.dumps(made, default=str) == json.dumps(table[nested].to_pylist(), default=str)


@pytest.mark.parametrize("objects", [
    [Decimal("12345678901234567890.12"), None], [2**53 + 1, None], [2**63 - 1, -5], [TIME, None], [dt.date(2024, 1, 1), None],
    [True, None, False], [1, 2.5, None], [np.float32(0.1)], [[Decimal("0.10")], None], [[2**53 + 1, None]],
])
def test_kept_objects_of_pandas_are_exact(protector, objects):
    """A column of Python objects has the same ones again; whole numbers beside None do not become floats."""
    name = "items" if isinstance(objects[0], list) else "kept"
    frame = pd.DataFrame({"id": ["a"] * len(objects), name: pd.Series(objects, dtype=object)})
    made = protector.protect_frame(frame, "view").views["view"][name].tolist()
    for one, again in zip(objects, made, strict=True):
        assert pd.isna(again) if one is None else (list(again) if isinstance(one, list) else again) == one


@pytest.mark.parametrize("dtype", ["Int64", "UInt64", "Float64", "boolean", "string", "Int8"])
def test_nullable_types_of_pandas_come_back(protector, dtype):
    """Values of nullable columns do not pass through floats."""
    values = {"boolean": [True, None], "string": ["x", None], "Int8": [-3, None], "Float64": [0.1, None]}.get(dtype, [2**62 + 1, None])
    frame = pd.DataFrame({"id": ["a", "b"], "kept": pd.array(values, dtype)})
    pd.testing.assert_series_equal(protector.protect_frame(frame, "view").views["view"]["kept"], frame["kept"])


def test_numbers_that_are_set_free_are_exact():
    """Anonymized rows are not read as floats either: a column with a number that no float is has decimals."""
    protector = Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral())
    values = [Decimal("12345678901234567890.12"), Decimal("0.50")]
    frame = pa.table({"id": ["a", "b"], "zip": ["94110"] * 2, "kept": values})
    found = protector.protect_frame(frame, "groups", last=True).released["groups"]
    assert sorted(found["kept"].to_pylist()) == sorted(values)
    assert found["zip"].to_pylist() == ["94110"] * 2


@pytest.mark.parametrize("values", [[12345678901234567890, "ada@example.org"], [2**63, -1, True], [1.5, {"x": 1}], [[1], 2.5, None]])
def test_values_of_several_kinds_are_text(values):
    """A column of which the view has values of several kinds becomes their JSON text, digits and all."""
    from flink_masking.frames.tables import table

    lines = pa.array([json.dumps({"a": one}).encode() for one in values], pa.binary())
    made = table([lines], {}, ["a"])["a"].to_pylist()
    assert [one if isinstance(value, str) or one is None else json.loads(one) for one, value in zip(made, values, strict=True)] == values


@pytest.mark.parametrize(("numbers", "kind"), [
    (["0.30000000000000004", "1e+22", "-0", "5e-300"], pa.float64()), (["0.30000000000000004", "12", None], pa.float64()),
    (["1.5", "9007199254740993"], pa.decimal128(17, 1)), (["18446744073709551615", "1"], pa.uint64()),
    (["0.3000000000000000444"], pa.decimal128(19, 19)), (["123456789012345678901234567890"], pa.decimal128(30, 0)),
])
def test_numbers_of_a_view_are_what_is_written(numbers, kind):
    """Columns of which no type is known have floats where every number is one, and else a type that holds all digits; nested ones, too."""
    from flink_masking.frames.tables import table

    written = [one or "null" for one in numbers]
    made = table([pa.array([f'{{"a":{one}}}'.encode() for one in written], pa.binary())], {}, [])["a"]
    wanted = [one if one is None else Decimal(one) for one in numbers]
    assert made.type == kind
    assert [one if one is None else Decimal(repr(one) if isinstance(one, float) else one) for one in made.to_pylist()] == wanted
    deep = table([pa.array([f'{{"a":[{{"b":{one}}}]}}'.encode() for one in written], pa.binary())], {}, [])["a"].to_pylist()
    told = [json.loads(one, parse_float=Decimal) if isinstance(one, str) else one for one in deep]
    assert [None if one[0]["b"] is None else Decimal(str(one[0]["b"])) for one in told] == wanted


def test_lists_of_nulls_are_lists_of_nulls():
    """Lists in which a rule leaves nothing but nulls have as many as before."""
    policy = POLICY.replace("items: keep", "items: nullify")
    frame = pa.table({"id": ["a", "b", "c"], "items": [["x", "y"], ["z"], []], "kept": [None] * 3})
    found = Protector(PolicySource("policy.yaml", policy), KeyRing.ephemeral()).protect_frame(frame, "view").views["view"]
    assert found["items"].to_pylist() in ([[None, None], [None], []], [None] * 3)


def test_a_blanked_value_leaves_the_others_exact():
    """A column in which detection blanks a value becomes text with every digit of the others; columns beside it keep their types."""
    policy = POLICY.replace("kept: keep, items", "kept: keep, other: keep, items").replace("  items", "  other: {class: plain}\n  items", 1)
    frame = pa.table({"id": ["a", "b"], "kept": pa.array([4111111111111111, 2**63 - 1], pa.uint64()),
                      "other": pa.array([Decimal("12345678901234567890.12"), None], pa.decimal128(30, 2))})
    found = Protector(PolicySource("policy.yaml", policy), KeyRing.ephemeral()).protect_frame(frame, "view").views["view"]
    assert found["kept"].to_pylist() in (["***", str(2**63 - 1)], frame["kept"].to_pylist())
    assert found["other"].equals(frame["other"])


SECRET = "SECRETSECRET"
NUMBER = 987654321987654321
DAY64 = pa.Array.from_buffers(pa.date64(), 1, [None, pa.py_buffer(np.array([NUMBER // 10**6], np.int64))])


@pytest.mark.parametrize("column", [
    DAY64, pa.array([NUMBER], pa.timestamp("s")), pa.array([2**31 - 1], pa.date32()), pa.array([[2**31 - 1]], pa.list_(pa.date32())),
    pa.array([NUMBER], pa.duration("s")), pa.array([SECRET.encode()]), pa.array([SECRET.encode()], pa.binary(len(SECRET))),
    pa.array([[(NUMBER, SECRET)]], pa.map_(pa.int64(), pa.string())), pa.array([SECRET], pa.string_view()),
    pa.RunEndEncodedArray.from_arrays([1], [SECRET]), pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([SECRET])]),
    pa.Array.from_buffers(pa.time64("us"), 1, [None, pa.py_buffer(np.array([NUMBER], np.int64))]),
    pd.Series([2**70 + NUMBER, None], dtype=object), pd.Series([1.5, True], dtype=object), pd.Series([NANO], dtype=object),
    pd.Series([dt.date(2024, 1, 1), dt.datetime(2024, 1, 1, 5)], dtype=object),
    pd.Series([TIME, TIME.replace(tzinfo=dt.UTC)], dtype=object),
    pd.Series([{"a": 1.5}, {"a": True}]), pd.Series([SECRET, 1]), pd.Series([SECRET.encode(), SECRET]), pd.Series([{NUMBER: 1}]),
    pd.Series([object()]), pd.Series([TIME], dtype=pd.DatetimeTZDtype("us", zoneinfo.ZoneInfo("posix/UTC"))),
    pd.Series([dt.datetime(1500, 1, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo"))], dtype=object),
    pd.Series([TIME.replace(tzinfo=zoneinfo.ZoneInfo("posix/UTC"))], dtype=object),
    pd.Series(pd.interval_range(0, 1)), pd.Series(pd.interval_range(0, 1))[:0], pd.Series(pd.period_range("2024", "2024", freq="Y")),
    pd.Series(pd.arrays.SparseArray([NUMBER])), pd.Series([complex(NUMBER)]), pd.Series([dt.timedelta(NUMBER % 10**6)]),
    pd.Series([Decimal("Infinity")]), pd.Series([Decimal(10) ** 80 + NUMBER]), pd.Series(["\ud800" + SECRET]),
    pl.Series([NUMBER], dtype=pl.Int128), pl.Series([object()], dtype=pl.Object), pl.Series([SECRET.encode()]),
    pl.Series([dt.timedelta(1)]),
], ids=lambda one: str(getattr(one, "type", None) or one.dtype))
def test_what_has_no_form_is_refused(column):
    """The error is one of the library's, says what to do, and quotes no value; no row has been protected before it."""
    protector = Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral())
    frame = {pd.Series: pd.DataFrame, pl.Series: pl.DataFrame}.get(type(column), pa.table)({"kept": column})
    with pytest.raises(InputError, match="Hint: ") as raised:
        protector.protect_frame(frame)
    assert raised.value.__cause__ is None and raised.value.__context__ is None
    assert not any(part in str(raised.value) for part in (SECRET, str(NUMBER), str(NUMBER)[:12], "2147483647"))


@pytest.mark.parametrize("frame", [
    pd.DataFrame([[1, 2]], columns=["kept", "kept"]), pd.DataFrame([[1]], columns=[1]), pd.DataFrame([[1]], columns=[("a", "b")]),
    pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), pd.DataFrame([[1]], columns=[None]),
    pd.DataFrame({"kept": [1]}, index=pd.Index([1], name="kept")), pd.DataFrame({"kept": [1]}, index=pd.Index([1], name=0)),
    pd.DataFrame({"kept": [1]}, index=pd.MultiIndex.from_arrays([[1], [2]], names=["id", None])),
    pd.DataFrame({"kept": [1]}, index=pd.MultiIndex.from_arrays([[1], [2]], names=["id", "id"])),
    pa.table([[1], [2]], names=["kept", "kept"]), pd.DataFrame([[1]], columns=["\ud800"]),
])
def test_names_that_are_none_are_refused(protector, frame):
    """Columns without a name of their own, and levels of an index that are a column already, are refused."""
    with pytest.raises(InputError, match="Hint: "):
        protector.protect_frame(frame)


@pytest.mark.parametrize("make", [pa.table, pl.DataFrame, pd.DataFrame])
@pytest.mark.parametrize("columns", [{}, {"kept": []}, {"id": ["a", "b"]}, {"id": []}, {"zip": ["x"]}])
def test_frames_without_rows_or_kept_columns(make, columns):
    """Frames without columns, without rows, or of which a view shows no column give frames."""
    frame = make(columns)
    found = Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral()).protect_frame(frame, last=True)
    assert type(found.views["view"]) is type(frame) and set(found.views["view"].columns if make is not pa.table else []) <= {"kept"}


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(2**64), 2**64), st.floats(), st.text(max_size=5), st.binary(max_size=5),
    st.decimals(), st.datetimes(), st.datetimes(timezones=st.timezones()), st.dates(), st.times(), st.timedeltas(), st.complex_numbers(),
    st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)).map(pd.Timestamp), st.just(pd.NaT), st.just(pd.NA),
    st.integers(-(2**63), 2**63 - 1).map(np.int64), st.floats(width=32).map(np.float32), st.sets(st.integers(), max_size=2))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) |
                      st.dictionaries(st.text(max_size=3) | st.sampled_from(["kept", "list"]), inner, max_size=3), max_leaves=4)


def alike(before, after):
    """Whether a value of a view is what was given; NaN and infinity are null."""
    if isinstance(before, dict):
        return before.keys() <= after.keys() and all(alike(before.get(name), one) for name, one in after.items())
    if isinstance(before, list | tuple | set | np.ndarray):
        return len(before) == len(after) and all(map(alike, before, after))
    if before is None or before is pd.NaT or before is pd.NA or (isinstance(before, float | np.floating) and not math.isfinite(before)):
        return after is None or bool(pd.isna(after))
    if isinstance(before, Decimal) and not before.is_finite():
        return after is None or bool(pd.isna(after))
    if isinstance(after, str) and not isinstance(before, str):
        return True  # of a column with values of several kinds
    return isinstance(before, bool) == isinstance(after, bool | np.bool_) and bool(before == after)


@given(st.sampled_from(["kept", "items", "deep"]), st.lists(VALUES, max_size=3) | SCALARS.flatmap(
    lambda one: st.lists(st.just(one) | st.none() | SCALARS.filter(lambda other: type(other) is type(one)), max_size=3)),
    st.sampled_from([pd.DataFrame, pl.DataFrame, pa.table]))
@settings(max_examples=100)
def test_any_values_are_exact_or_refused(protector, name, values, make):
    """Whatever objects a column holds, a view shows them as they are, or the frame is refused without a value in the error."""
    try:
        frame = make({"id": ["a"] * len(values), name: pd.Series(values, dtype=object) if make is pd.DataFrame else values})
        before = values if make is pd.DataFrame else frame[name].to_list() if make is pl.DataFrame else frame[name].to_pylist()
    except (Exception, pl.exceptions.PanicException):  # what the libraries themselves refuse, each in its own way
        return
    try:
        found = protector.protect_frame(frame, "view")
    except FlinkMaskingError as error:
        told = str(error)
        assert not any(isinstance(one, str | int | float | Decimal) and len(str(one)) > 5 and str(one) in told for one in values)
        return
    view, lost = found.views["view"], set(found.quarantine["row"].to_pylist() if make is pa.table else found.quarantine["row"].to_list()
                                          if make is pl.DataFrame else found.quarantine["row"].tolist())
    rows = [one for number, one in enumerate(before) if number not in lost]
    assert len(view) == len(rows)
    if name in (view.column_names if make is pa.table else view.columns):
        made = view[name].tolist() if make is pd.DataFrame else view[name].to_pylist() if make is pa.table else view[name].to_list()
        assert all(map(alike, rows, made)), (rows, made)


REFUSED = [pa.duration("ns"), pa.binary(), pa.binary(3), pa.string_view(), pa.month_day_nano_interval()]
LEAVES = st.sampled_from([pa.null(), pa.bool_(), pa.int8(), pa.uint64(), pa.float16(), pa.float64(), pa.decimal128(38, 3), pa.string(),
                          pa.large_string(), pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "Europe/Paris"), pa.date32(),
                          pa.date64(), pa.time32("ms"), pa.time64("ns"), pa.dictionary(pa.int8(), pa.string())])
ANY = st.recursive(LEAVES | st.sampled_from(REFUSED), lambda inner: st.one_of(
    inner.map(pa.list_), inner.map(pa.large_list), inner.map(lambda kind: pa.list_(kind, 2)),
    inner.map(lambda kind: pa.map_(pa.string(), kind)), inner.map(lambda kind: pa.struct([("kept", kind)]))), max_leaves=4)
LISTS = st.sampled_from([pa.list_, pa.large_list, lambda kind: pa.list_(kind, 2)])
COLUMNS = st.one_of(
    st.tuples(st.just("kept"), LEAVES), st.tuples(st.just("items"), st.builds(lambda form, kind: form(kind), LISTS, LEAVES)),
    st.tuples(st.just("deep"), st.builds(lambda form, one, other: pa.struct([("kept", one), ("list", form(pa.struct([("kept", other)])))]),
                                         LISTS, LEAVES, LEAVES)),
    st.tuples(st.sampled_from(["kept", "items", "deep"]), ANY))


@st.composite
def arrays(draw, kind, size):
    """Values of a type from any bits, with nulls."""
    valid = pa.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), pa.bool_())
    if pa.types.is_dictionary(kind):
        return draw(arrays(kind.value_type, size)).dictionary_encode()
    if pa.types.is_struct(kind):
        parts = [draw(arrays(kind.field(number).type, size)) for number in range(kind.num_fields)]
        return pa.StructArray.from_arrays(parts, [kind.field(number).name for number in range(kind.num_fields)], mask=pc.invert(valid))
    if pa.types.is_nested(kind):
        fixed = pa.types.is_fixed_size_list(kind)
        ends = np.cumsum([0] + [2 if fixed else draw(st.integers(0, 2)) for _ in range(size)])
        if pa.types.is_map(kind):
            keys = pa.array([f"k{number}" for number in range(ends[-1])], pa.string())
            return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, draw(arrays(kind.item_type, int(ends[-1]))))
        items = draw(arrays(kind.value_type, int(ends[-1])))
        if fixed:
            return pa.FixedSizeListArray.from_arrays(items, 2)
        return (pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray).from_arrays(ends, items)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.array(draw(st.lists(st.none() | st.text(max_size=4), min_size=size, max_size=size)), kind)
    if kind in (pa.null(), pa.binary(), pa.string_view(), pa.month_day_nano_interval()) or pa.types.is_fixed_size_binary(kind):
        return pa.nulls(size, kind)
    if pa.types.is_temporal(kind) and kind not in REFUSED:
        wide = 4 if kind.bit_width == 32 else 8
        days = st.integers(-900, 900).map(lambda day: 86_400_000 * day)
        others = st.integers(0, 86_399_999) if pa.types.is_time(kind) else st.integers(-700_000, 2_900_000)
        inside = days if pa.types.is_date64(kind) else others
        inside = inside | st.integers(-(2**31), 2**31 - 1) if draw(st.integers(0, 9)) == 0 else inside
        counts = draw(st.lists(inside, min_size=size, max_size=size))
        bits = np.array(counts, f"i{wide}").tobytes()
    else:
        bits = draw(st.binary(min_size=16 * size, max_size=16 * size))
        bits = bits if not pa.types.is_decimal(kind) else b"".join(bits[16 * at : 16 * at + 8] + b"\0" * 8 for at in range(size))
    made = pa.Array.from_buffers(kind, size, [None, pa.py_buffer(bits)])
    if pa.types.is_float16(kind):
        return pa.array(made.to_numpy(zero_copy_only=False), kind)
    return pc.if_else(valid, made, pa.nulls(size, kind))


@given(st.data(), COLUMNS, st.integers(0, 4), st.integers(0, 2), st.integers(1, 2))
@settings(max_examples=150)
def test_any_columns_are_exact_or_refused(protector, data, given_column, size, skipped, chunks):
    """Whatever types and bits a column has, also a slice of one, a view shows its values as they are, or the frame is refused."""
    name, kind = given_column
    column = data.draw(arrays(kind, size)).slice(skipped)
    frame = pa.table({"id": pa.array(["a"] * len(column) * chunks, pa.string()), name: pa.chunked_array([column] * chunks)})
    try:
        found = protector.protect_frame(frame, "view")
    except FlinkMaskingError as error:
        assert "cannot be written" not in str(error)
        return
    view, lost = found.views["view"], set(found.quarantine["row"].to_pylist())
    assert all(column.validate(full=True) is None for column in view.columns)
    if name in view.column_names:
        before = [one for number, one in enumerate(frame[name].to_pylist()) if number not in lost]
        assert all(map(alike, map(plain, before), map(plain, view[name].to_pylist())))


def plain(value):
    """A value with maps as dicts."""
    if isinstance(value, list):
        return dict(value) if value and isinstance(value[0], tuple) else [plain(one) for one in value]
    return {name: plain(one) for name, one in value.items()} if isinstance(value, dict) else value
