"""A view's frame holds no value that its rows do not show: not in dictionaries, types, names, metadata or the index."""

import io
import pickle

import hypothesis.strategies as st
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings

from flink_masking import KeyRing, Protector
from flink_masking.policy.source import PolicySource
from flink_masking.vault.memory import MemoryVault

TECHNIQUES = {
    "pseudonym": "{technique: pseudonym, domain: d}",
    "redact": "redact",
    "nullify": "nullify",
    "drop": "drop",
    "partial": "{technique: partial, keep_first: 1}",
    "substitute": "{technique: substitute, as: city}",
    "encrypt": "{technique: encrypt, domain: d}",
    "encrypt_deterministic": "{technique: encrypt_deterministic, domain: d}",
    "fpe": "{technique: fpe, domain: d, alphabet: alphanumeric}",
    "tokenize": "{technique: tokenize, domain: d}",
    "generalize": "{technique: generalize, prefix: 2}",
}
SHOWN = ["low", "mid", "high"]
"""Values of the kept column, by rank."""
FRAMES = ["pandas", "pandas text", "pandas arrow", "pandas index", "polars", "polars enum", "arrow", "arrow dictionary", "arrow struct"]


@pytest.fixture(scope="module")
def protectors():
    """Those made so far, by technique."""
    return {}


def protector(made, technique):
    """The Protector whose views mask `secret`, which stands alone and in a structure, with a technique and keep `grade`."""
    if technique not in made:
        rule = TECHNIQUES[technique]
        policy = f"""\
version: 1
stream: s
subject: id
fields:
  id: {{class: identifier}}
  secret: {{class: direct}}
  day: {{class: quasi}}
  zip: {{class: quasi, prefix: 5}}
  grade: {{class: plain}}
  deep.secret: {{class: direct}}
  deep.grade: {{class: plain}}
segments:
  view:
    view: masked
    rules:
      id: drop
      secret: {rule}
      day: {{technique: generalize, date: month, on_error: quarantine}}
      zip: drop
      grade: keep
      deep.secret: {rule}
      deep.grade: keep
  groups: {{view: anonymized, quasi_identifiers: [zip], release: [grade], k: 2, max_delay: 1h}}
"""
        made[technique] = Protector(PolicySource("policy.yaml", policy), KeyRing.ephemeral(), MemoryVault())
    return made[technique]


def framed(kind, columns):
    """The same columns in a kind of frame in which masked columns have dictionaries and everything that can hold a remark holds one."""
    if kind == "pandas":
        frame = pd.DataFrame(columns).assign(**{name: pd.Categorical(columns[name]) for name in ("secret", "grade")})
    elif kind == "pandas text":
        frame = pd.DataFrame(columns).astype({"secret": "string", "grade": pd.CategoricalDtype([*SHOWN, "UNSHOWNNEVER"], ordered=True)})
    elif kind == "pandas arrow":
        frame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
        frame["secret"] = frame["secret"].astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
    elif kind == "pandas index":
        frame = pd.DataFrame(columns).assign(secret=pd.Categorical(columns["secret"])).set_index(["secret", "grade"])
    elif kind.startswith("polars"):
        values = [one for one in dict.fromkeys(columns["secret"]) if one is not None]
        types = ("secret", pl.Enum(values)), ("grade", pl.Enum([*SHOWN[::-1], "UNSHOWNNEVER"]))
        return pl.DataFrame(columns).with_columns(pl.col(name).cast(one if "enum" in kind else pl.Categorical) for name, one in types)
    else:
        table = pa.table(columns)
        if kind == "arrow dictionary":
            for name in ("secret", "grade"):
                at = table.column_names.index(name)
                table = table.set_column(at, pa.field(name, pa.dictionary(pa.int32(), pa.string()), metadata={"note": "UNSHOWNNOTE"}),
                                         table[name].cast(pa.string()).dictionary_encode())
        return table.replace_schema_metadata({"note": "UNSHOWNNOTE"})
    frame.attrs["note"] = "UNSHOWNNOTE"
    frame.columns.name = "UNSHOWNNOTE"
    return frame


def outside(frame):
    """Every byte in which a frame can leave: as it is pickled, as Arrow IPC with its metadata, and as it is described."""
    out = io.BytesIO()
    if isinstance(frame, pl.DataFrame):
        frame.write_ipc(out)
        kinds = [kind for kind in frame.dtypes if kind in (pl.Categorical, pl.Enum)]
        described = [list(kind.categories if kind == pl.Enum else kind.categories.to_series()) for kind in kinds]
    else:
        table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame)
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
        described = [table.schema.to_string(show_field_metadata=True), getattr(frame, "attrs", None), getattr(frame, "columns", None)]
    return out.getvalue() + pickle.dumps(frame) + repr(described).encode()


ROW = st.fixed_dictionaries({"id": st.integers(0, 9).map("UNSHOWNID{}".format), "broken": st.booleans(),
                             "secret": st.none() | st.integers(10**5, 10**6).map("UNSHOWN{}".format),
                             "grade": st.none() | st.sampled_from(SHOWN)})


@pytest.mark.parametrize("technique", TECHNIQUES)
@given(st.lists(ROW, min_size=1, max_size=6), st.sampled_from(FRAMES))
@settings(max_examples=30, phases=[Phase.generate])
def test_no_masked_value_is_in_a_view(protectors, technique, rows, kind):
    """Of a masked column, and of rows in quarantine, no value is in any byte of a view or a release."""
    grades = [f"UNSHOWNGRADE{number}" if row["broken"] and "enum" not in kind and "text" not in kind else row["grade"]
              for number, row in enumerate(rows)]
    columns = {"id": [row["id"] for row in rows], "secret": [row["secret"] for row in rows],
               "day": ["UNSHOWNNODAY" if row["broken"] else "2024-01-01" for row in rows], "zip": ["94110"] * len(rows), "grade": grades,
               "deep": [{"secret": row["secret"], "grade": row["grade"]} for row in rows]}
    found = protector(protectors, technique).protect_frame(framed(kind, columns))
    assert len(found.quarantine) == sum(row["broken"] for row in rows)
    for frame in (found.views["view"], found.released["groups"], found.quarantine):
        assert b"UNSHOWN" not in outside(frame)



KEYS = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  by_name.*: {class: plain}
segments:
  view: {view: masked, rules: {id: drop, by_name.*: keep}, keys: {by_name.*: {technique: pseudonym, domain: name}}}
"""


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_names_of_members_that_are_data_are_not_in_a_type(kind):
    """A kept structure whose keys are masked, or whose members nobody declares, does not bring their names along in its type."""
    masked = Protector(PolicySource("policy.yaml", KEYS), KeyRing.ephemeral())
    columns = {"id": ["a", "b"], "by_name": [{"UNSHOWNADA": 1, "UNSHOWNBEN": 2}, {"UNSHOWNADA": 3, "UNSHOWNBEN": None}]}
    found = masked.protect_frame(kind(columns)).views["view"]
    assert len(found) == 2 and b"UNSHOWN" not in outside(found)
    surplus = protector({}, "drop").protect_frame(kind({"id": ["a"], "deep": [{"grade": "low", "UNSHOWNKEY": 1}]})).views["view"]
    assert len(surplus) == 0 and b"UNSHOWN" not in outside(surplus)


def test_labels_of_other_rows_are_not_in_an_index():
    """An index that may be shown is one of the view's rows: its levels and categories hold no labels of rows in quarantine."""
    columns = {"id": ["a", "b"], "secret": ["c", "d"], "day": ["2024-01-01", "none"], "grade": SHOWN[:2]}
    labels = pd.CategoricalIndex(["first", "UNSHOWN2"])
    for index in (labels, pd.MultiIndex.from_arrays([labels, ["x", "UNSHOWN3"]]), pd.Index(["first", "UNSHOWN4"])):
        frame = pd.DataFrame(columns, index=index)
        view = protector({}, "drop").protect_frame(frame, keep_index=True).views["view"]
        assert len(view) == 1 and "first" in view.index[0] and b"UNSHOWN" not in outside(view)


def test_kept_categories_are_categories_of_what_is_shown():
    """A kept column of categories has the type and the order that it had, over the values that the view shows."""
    columns = {"id": ["a", "b", "c"], "grade": ["high", "low", None]}
    shown = protector({}, "drop")
    ordered = pd.DataFrame(columns).astype({"grade": pd.CategoricalDtype(SHOWN, ordered=True)})
    assert shown.protect_frame(ordered).views["view"]["grade"].dtype == pd.CategoricalDtype(["low", "high"], ordered=True)
    enum = pl.DataFrame(columns).with_columns(pl.col("grade").cast(pl.Enum(SHOWN)))
    assert shown.protect_frame(enum).views["view"].schema["grade"] == pl.Enum(["low", "high"])
    views = [shown.protect_frame(pl.DataFrame(columns).cast({"grade": pl.Categorical})).views["view"] for _ in range(2)]
    assert pl.concat(views)["grade"].to_list() == columns["grade"] * 2
    assert isinstance(views[0].schema["grade"], pl.Categorical)
    table = shown.protect_frame(pa.table(columns).set_column(1, "grade", pa.array(columns["grade"]).dictionary_encode())).views["view"]
    assert table["grade"].chunk(0).dictionary.to_pylist() == ["high", "low"]


def test_the_quarantine_has_columns_of_its_own():
    """A given column with the name of one of the quarantine's lends it no type."""
    frame = pd.DataFrame({"reason": pd.Categorical(["UNSHOWN1"]), "row": ["UNSHOWN2"]}).set_index("row")
    quarantine = protector({}, "drop").protect_frame(frame).quarantine
    assert quarantine["reason"].tolist() == ["unknown_field"] and quarantine["row"].tolist() == [0]
    assert b"UNSHOWN" not in outside(quarantine)
