"""Codes of one quasi-identifier for a batch, whatever it holds: a scalar, a place, an array of labels."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.dimensions import Dimension, GeoDimension, LabelsDimension
from flink_masking.arrow import nulled
from flink_masking.engine.view import RecordView
from flink_masking.records.kinds import NUMERIC, TEXT, Kind
from flink_masking.techniques.generalize.places import geohash_cells
from flink_masking.techniques.masks import Context, Mask
from flink_masking.techniques.masks import Values as MaskValues
from flink_masking.techniques.rewriting import is_empty


def code_quasi_identifier(view: RecordView, path: str, dimension: Dimension,
                          derive: Mask | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The codes of a field, a code a row; where they are in the domain; where the field is missing, null or an empty array.

    Args:
        view: of the batch.
        path: of the field.
        dimension: that it is generalised in.
        derive: makes the numbers of the dimension from the values; None: they are the values.
    """
    if isinstance(dimension, LabelsDimension):
        values = view.values(path)
        code, ok, absent = dimension.encode_sets(values.text, values.kinds, values.rows, view.n)
        return code, _kept(ok, view.broken(path)), absent
    column = view.column(path)
    absent, text = column.absent, column.text
    kinds = np.where(absent, Kind.NULL, column.kinds).astype(np.int32)
    if derive is not None:
        text, kinds = _derived(derive, text, kinds)
    if isinstance(dimension, GeoDimension):
        cells = geohash_cells(dimension.length)(MaskValues(text, kinds, np.arange(view.n, dtype=np.int32)), Context(b""))
        refused = np.zeros(view.n, np.bool_) if cells.refused is None else cells.refused
        text, kinds = cells.values, np.where(refused | absent, Kind.NULL, Kind.STRING).astype(np.int32)
    code, ok = dimension.encode(text, kinds)
    return code, _kept(ok & ~absent, view.unusable(path)), absent


def _derived(derive: Mask, text: pa.StringArray, kinds: np.ndarray) -> tuple[pa.StringArray, np.ndarray]:
    """Numbers that are made of values, as text, and their kinds: null where there is none."""
    made = derive(MaskValues(text, kinds, np.arange(len(kinds), dtype=np.int32)), Context(b""))
    bad = (kinds == Kind.NULL) | is_empty(text) | ~np.isin(kinds, list(TEXT | NUMERIC))
    if made.refused is not None:
        bad |= made.refused
    numbers = pc.cast(pc.cast(nulled(made.values, bad), pa.int64()), pa.string())
    return numbers, np.where(bad, Kind.NULL, Kind.NUMBER).astype(np.int32)


def _kept(ok: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """Which of these rows keep the field's contract, too."""
    if len(broken):
        ok = ok.copy()
        ok[broken] = False
    return ok
