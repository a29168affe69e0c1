"""protect_frame: frames of pandas and polars and Arrow tables, as the records that their rows are."""

import json

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given

from flink_masking import InputError, KeyRing, Protector
from flink_masking.frames.texts import records
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: orders
subject: customer
fields:
  customer: {class: identifier}
  email: {class: direct, type: email}
  zip: {class: quasi, prefix: 5}
  amount: {class: measure, bounds: [0, 10000], scale: 2}
  count: {class: plain}
  paid: {class: plain}
  at: {class: plain}
  address.city: {class: plain}
  address.street: {class: direct}
  "tags[*]": {class: plain}
segments:
  analytics:
    view: masked
    rules:
      customer: {technique: pseudonym, domain: customer}
      email: {technique: partial, keep_first: 1, keep_after: "@"}
      zip: {technique: generalize, prefix: 3}
      amount: keep
      count: keep
      paid: keep
      at: keep
      address.city: keep
      address.street: drop
      "tags[*]": keep
  bare:
    view: masked
    rules: {amount: keep, customer: drop, email: drop, zip: drop, count: drop, paid: drop, at: drop, address: drop, tags: drop}
  groups: {view: anonymized, quasi_identifiers: [zip], release: [amount], k: 2, max_delay: 1h}
"""
COLUMNS = {
    "customer": ["C1", "C2", "C1"],
    "email": ["ada@example.org", None, 'q"\\\n\x01é@e.org'],
    "zip": ["94110", "94110", "94110"],
    "amount": [1.5, None, 3.25],
    "count": [1, 2**53 + 1, -3],
    "paid": [True, False, None],
    "at": [pd.Timestamp("2024-01-01 10:00:00.123"), None, pd.Timestamp("2024-01-03")],
    "address": [{"city": "X", "street": "S 1"}, None, {"city": None, "street": "S"}],
    "tags": [["a", "b"], [], None],
}


@pytest.fixture(scope="module")
def protector():
    """One for all tests that end no input."""
    return Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral())


def frames():
    """The same rows in each kind of frame."""
    table = pa.table({name: pa.array(values, from_pandas=True) for name, values in COLUMNS.items()})
    return {"arrow": table, "polars": pl.from_arrow(table), "pandas": table.to_pandas()}


def as_table(frame):
    """The rows of any kind of frame."""
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pl.DataFrame):
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.mark.parametrize("kind", ["arrow", "polars", "pandas"])
def test_a_view_is_what_records_give(protector, kind):
    """Values of the view are those that protect() makes of the same records, and kept columns have the type that they had."""
    frame = frames()[kind]
    found = protector.protect_frame(frame, "analytics")
    view = found.views["analytics"]
    assert type(view) is type(frame) and list(found.views) == ["analytics"]
    rows = [json.loads(line) for line in protector.protect(records(frames()["arrow"].to_batches()[0])).views["analytics"].to_pylist()]
    made = as_table(view)
    for name in ("customer", "email", "zip", "amount", "count", "paid", "tags"):
        assert [row.get(name) for row in rows] == made[name].to_pylist(), name
    before = as_table(frame)
    assert {name for name in ("amount", "count", "at", "tags") if made.schema.field(name).type != before.schema.field(name).type} == set()
    assert made["at"].to_pylist() == before["at"].to_pylist()
    assert made["address"].to_pylist() == [{"city": "X"}, None, {"city": None}]


@pytest.mark.parametrize("kind", ["arrow", "polars", "pandas"])
def test_nothing_passes_by_default(protector, kind):
    """A column that no field declares sends its rows to quarantine, its values are nowhere, and only the rules' columns are in a view."""
    frame = frames()[kind]
    surplus = pa.array(["SECRET", "SECRET", "SECRET"])
    made = {"arrow": lambda: frame.append_column("surplus", surplus),
            "polars": lambda: frame.with_columns(surplus=pl.Series(["SECRET"] * 3)),
            "pandas": lambda: frame.assign(surplus="SECRET")}[kind]()
    found = protector.protect_frame(made)
    assert len(found.views["analytics"]) == len(found.views["bare"]) == 0
    quarantine = as_table(found.quarantine)
    assert quarantine["row"].to_pylist() == [0, 1, 2] and set(quarantine["reason"].to_pylist()) == {"unknown_field"}
    assert "SECRET" not in str(quarantine.to_pydict()) + str(found.audit)
    assert list(as_table(protector.protect_frame(frame).views["bare"]).column_names) == ["amount"]


def test_quarantined_rows_leave_and_the_index_stays(protector):
    """A row that cannot be protected is not in the view; the others keep their labels of a range."""
    frame = frames()["pandas"].assign(zip=["94110", 5, "94112"]).astype({"zip": object})
    frame["zip"] = ["94110", "x" * 70, "94112"]
    frame["amount"] = [1.0, 2.0, 3.0]
    frame["email"] = ["a@b.org", "no address", "c@d.org"]
    found = protector.protect_frame(frame)
    rows = found.quarantine["row"].tolist()
    view = found.views["analytics"]
    assert view.index.tolist() == [row for row in range(3) if row not in rows]
    assert view["amount"].tolist() == [float(row + 1) for row in view.index]


def test_an_index_cannot_carry_data_past_the_rules(protector):
    """An index with a name is a column with a rule; one that could hold data and has no name is refused, unless it is said to be labels."""
    frame = frames()["pandas"]
    view = protector.protect_frame(frame.set_index("customer"), "analytics").views["analytics"]
    assert view.index.name == "customer" and "C1" not in view.index
    named = protector.protect_frame(frame.set_index(pd.Index(["SECRET"] * 3, name="surplus")))
    assert len(named.views["analytics"]) == 0
    with pytest.raises(InputError, match="could hold data"):
        protector.protect_frame(frame.set_index(np.array(["SECRET"] * 3)))
    chosen = frame[frame["amount"] > 2]
    with pytest.raises(InputError, match="keep_index=True"):
        protector.protect_frame(chosen)
    assert protector.protect_frame(chosen, keep_index=True).views["analytics"].index.tolist() == [2]


def test_null_and_nan_are_null(protector):
    """NaN of pandas and polars is null in the view; a nullable integer column stays one."""
    frame = frames()["pandas"].assign(amount=[np.nan, 1.0, 2.0], count=pd.array([1, None, 3], "Int64"))
    view = protector.protect_frame(frame).views["analytics"]
    assert np.isnan(view["amount"].iloc[0]) and str(view["count"].dtype) == "Int64"
    assert view["count"].isna().tolist() == [False, True, False]
    polars = frames()["polars"].with_columns(amount=pl.Series([float("nan"), 1.0, float("inf")]))
    assert protector.protect_frame(polars).views["analytics"]["amount"].to_list() == [None, 1.0, None]


def test_types_of_pandas_come_back(protector):
    """Categories, text columns and small integers that a view keeps have their types again."""
    frame = frames()["pandas"].assign(count=np.array([1, 2, 3], np.int16), paid=pd.array([True, None, False], "boolean"))
    frame["address"] = [{"city": "X", "street": "S"}] * 3
    view = protector.protect_frame(frame).views["analytics"]
    assert (view["count"].dtype, str(view["paid"].dtype)) == (np.int16, "boolean")


def test_groups_are_released_as_a_frame():
    """Anonymized rows come when their group is large enough, or at the end; with last=True what may not leave is suppressed."""
    protector = Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral())
    found = protector.protect_frame(frames()["polars"], "groups", last=True)
    rows = found.released["groups"]
    assert isinstance(rows, pl.DataFrame) and found.views == {}
    assert rows["amount"].to_list().count(1.5) <= 1 and set(rows.columns) <= {"zip", "amount"} | set(rows.columns)
    assert "ada" not in str(rows.to_dicts()) and len(rows) == 3


@pytest.mark.parametrize(("frame", "error", "said"), [
    ([1, 2], TypeError, "not list"),
    (pd.DataFrame({"customer": [b"\xff"]}), InputError, "no form in JSON"),
    (pd.DataFrame({"customer": ["SECRET", 1]}), InputError, "no one type"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), InputError, "a column"),
    (pd.DataFrame([[1, 2]]), InputError, "is no text"),
])
def test_what_is_no_frame_of_records_is_refused(protector, frame, error, said):
    """The error says what is wrong and quotes no value."""
    with pytest.raises(error) as raised:
        protector.protect_frame(frame)
    assert said in str(raised.value) and "Hint" in str(raised.value) and "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_an_empty_frame_gives_empty_views(protector):
    """No rows in, no rows out, in the kept columns."""
    found = protector.protect_frame(frames()["pandas"].iloc[:0])
    assert len(found.views["analytics"]) == 0 and "amount" in found.views["analytics"]


VALUES = st.one_of(st.none(), st.text(max_size=8))
ROWS = st.lists(st.fixed_dictionaries({
    "text": VALUES, "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
    "real": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "deep": st.none() | st.fixed_dictionaries({"a": VALUES, "b": st.none() | st.lists(VALUES, max_size=3)}),
    "list": st.none() | st.lists(st.none() | st.fixed_dictionaries({"c": st.booleans()}), max_size=3)}), max_size=5)
SCHEMA = pa.schema([("text", pa.string()), ("whole", pa.int64()), ("real", pa.float64()),
                    ("deep", pa.struct([("a", pa.string()), ("b", pa.list_(pa.string()))])),
                    ("list", pa.list_(pa.struct([("c", pa.bool_())])))])  # fmt: skip


@given(ROWS, st.integers(0, 4))
def test_rows_are_the_json_that_they_mean(rows, skipped):
    """Any values, nested and null, and slices of a batch, are read back from the text as what they were."""
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA).slice(skipped)
    assert [json.loads(line) for line in records(batch).to_pylist()] == batch.to_pylist()
