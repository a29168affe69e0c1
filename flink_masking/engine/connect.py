"""Records that stand beside their Kafka Connect schema: the schema of a view says what the view's values are."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled
from flink_masking.engine.rejections import Rejections
from flink_masking.records.codec import View
from flink_masking.records.connect import SCHEMA, Derived, Site, derive
from flink_masking.records.edits import DROP_VALUE, KEEP_VALUE, USE, USE_LITERAL, Edit, Replace
from flink_masking.records.spans import SpanTable
from flink_masking.records.trie import Paths

MOST = 256
"""Schemas after which all are derived anew: they come and go."""
_ANYTHING = Site(True, True, False)
"""Of values that the schema does not have, which nobody reads."""


class ConnectSchemas:
    """The schemas of a view."""

    def __init__(self, paths: Paths, view: View) -> None:
        """No schema is known yet.

        Args:
            paths: of the records, the member `SCHEMA` among them.
            view: that is written.
        """
        self._paths, self._view = paths, view
        self._known: dict[bytes, Derived | None] = {}

    def fit(self, table: SpanTable, edits: dict[str, Edit], rejections: Rejections) -> None:
        """Bring edits into a form that the derived schemas describe, and put in the edit of the schemas.

        A text that a column of another type cannot hold becomes null, as far as null may stand there. Records without a schema that can be
        derived, or with a value that no schema describes, are rejected.

        Args:
            table: n records.
            edits: changed in place.
            rejections: extended in place.
        """
        texts, of_value = _different(table.raw(SCHEMA))
        derived = [self._derived(text) for text in texts.to_pylist()]
        number = np.full(table.n, -1, np.int32)
        number[table.rows(SCHEMA)] = np.where([one is not None for one in derived], np.arange(len(derived)), -1)[of_value]
        if any(one is not None and one.changed for one in derived):
            made = pa.array([b"{}" if one is None else one.text for one in derived], pa.binary())
            edits[SCHEMA] = Replace(made[0] if len(derived) == 1 else made.take(pa.array(of_value)))
        rejections.add(number < 0, "refused_value", SCHEMA)
        for path, edit in edits.items():
            if isinstance(edit, Replace) and path != SCHEMA and table.count(path):
                place, rows = self._paths.ids[path], table.rows(path)
                sites = np.array([*((_ANYTHING if one is None else one.sites.get(place, _ANYTHING)) for one in derived), _ANYTHING], bool)
                edits[path], wrong = _fitted(edit, sites[number[rows]] if len(derived) > 1 else sites[:1].repeat(len(rows), 0))
                rejections.add(rows[wrong], "unwritable_value", path)

    def _derived(self, raw: bytes) -> Derived | None:
        if raw not in self._known:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[raw] = derive(raw, self._paths, self._view)
        return self._known[raw]


def _different(raw: pa.BinaryArray) -> tuple[pa.BinaryArray, np.ndarray]:
    """The different ones of n texts, and int32, n: which of them each is."""
    if len(raw) and pc.all(pc.equal(raw, raw[0])).as_py():  # one schema, as nearly always
        return raw[:1], np.zeros(len(raw), np.int32)
    encoded = raw.dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)


def _fitted(edit: Replace, sites: np.ndarray) -> tuple[Replace, np.ndarray]:
    """An edit of n values as their sites can hold it, and bool, n: values that they cannot hold at all.

    Args:
        edit: of the values.
        sites: bool, n × 3: `Site` of each value.
    """
    text, optional, whole = sites.T
    values, n = edit.values, len(sites)
    literal = pa.types.is_binary(values.type)
    if text.all() and not literal and edit.how is None and (optional.all() or not values.is_null().to_numpy(zero_copy_only=False).any()
                                                            if isinstance(values, pa.Array) else values.is_valid or optional.all()):
        return edit, np.zeros(n, bool)
    if isinstance(values, pa.Scalar):
        values = pa.array([values.as_py()], values.type).take(pa.array(np.zeros(n, np.int32)))
    how = np.full(n, USE, np.uint8) if edit.how is None else edit.how
    used = (how == USE) | (how == USE_LITERAL)
    is_null = values.is_null().to_numpy(zero_copy_only=False)
    literals = used & ~is_null & (literal | (how == USE_LITERAL))
    values = values.cast(pa.string())
    wrong = used & ~is_null & ~literals & ~text
    if (literals & whole).any():
        wrong |= literals & whole & pc.match_substring_regex(values, "[.eE]").fill_null(False).to_numpy(zero_copy_only=False)
    lost = ((wrong | (used & is_null)) & ~optional) | ((how == DROP_VALUE) & ~optional)
    made = nulled(values, wrong)
    codes = np.where(literals & ~text & ~wrong, USE_LITERAL, np.where(used, USE, how)).astype(np.uint8)
    return Replace(made, None if (codes == USE).all() else codes), lost & (how != KEEP_VALUE)
