"""What is known of records whose JSON Schema is known: the schema of each view, and which values it cannot hold."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.codec import Outcome, Result, View
from flink_masking.records.edits import USE, USE_LITERAL, Edit, Replace
from flink_masking.records.inferred import inferred
from flink_masking.records.json.derived import KEPT, Derivation
from flink_masking.records.json.schema import Document, text_of
from flink_masking.records.json.walk import Walk, takes
from flink_masking.records.kinds import Kind
from flink_masking.records.nodes import Trie
from flink_masking.records.paths import parse_path, selects
from flink_masking.records.span_kernels import UNDECLARED_NODE
from flink_masking.records.spans import SpanTable
from flink_masking.records.trie import UNDECLARED, Paths

REFUSED = "***"
"""What stands in place of a value that a rule could not take."""


class Holding:
    """The schema of a view of records with one writer's schema.

    Attributes:
        changed: whether it differs from the writer's.
        text: of the schema.
    """

    def __init__(self, document: Document, trie: Trie, outcomes: Mapping[str, Outcome], renamed: Sequence[str]) -> None:
        """Derive it.

        Args:
            document: the writer's schema.
            trie: of the declared paths.
            outcomes: by path.
            renamed: paths ending in ``*`` whose keys get other names.
        """
        by_node, loose = dict[int, Outcome](), set[int]()
        for path, outcome in outcomes.items():
            if path == UNDECLARED:
                by_node[UNDECLARED_NODE] = outcome
                continue
            places = trie.places(path)
            if selects(parse_path(path)):
                loose.update(places if outcome != KEPT else ())
            else:
                by_node.update(dict.fromkeys(places, outcome))
        keyed = {node for path in renamed for node in trie.places(path)}
        self.schema = Derivation(document, trie, by_node, keyed, loose).schema
        self.changed = self.schema is not document.given
        self.text = text_of(self.schema)
        top = self.schema if self.changed else document.top
        walk = Walk(top, trie)
        self._takes: dict[int, tuple[bool, bool, bool]] = {}
        for node, found in walk.found.items():
            if (number := trie.path(node)) >= 0 and node not in walk.open:
                told = [any(takes(top, one, value) for one in found) for value in (REFUSED, None)]
                text = any(_text(one) for one in found) or by_node.get(node, KEPT).result in (Result.TEXT, Result.KIND)
                known = self._takes.get(number, (False, False, False))
                self._takes[number] = known[0] or text, known[1] or told[0], known[2] or told[1]

    def lost(self, number: int, edit: Edit, kinds: np.ndarray) -> np.ndarray | None:
        """Which new values of a path the schema does not have; None where it has them all.

        Args:
            number: of the path.
            edit: n values, or a scalar.
            kinds: int32, n, of the values before.

        Returns:
            Bool, n.
        """
        text, refused, null = self._takes.get(number, (True, True, True))
        if not isinstance(edit, Replace) or (text and refused and null) or not len(kinds):
            return None
        values = edit.values
        if isinstance(values, pa.Scalar):
            values = pa.array([values.as_py()], values.type).take(pa.array(np.zeros(len(kinds), np.int32)))
        used = np.ones(len(kinds), bool) if edit.how is None else (edit.how == USE) | (edit.how == USE_LITERAL)
        plain = pa.types.is_string(values.type) & (np.ones(len(kinds), bool) if edit.how is None else edit.how == USE)
        there = values.is_valid().to_numpy(zero_copy_only=False)
        lost = used & ~there & (kinds != Kind.NULL) & (not null)
        if not text:
            lost |= plain & there
        elif not refused and pa.types.is_string(values.type):
            lost |= plain & pc.equal(values, REFUSED).fill_null(False).to_numpy(zero_copy_only=False)
        return lost if lost.any() else None


def _text(schema: Mapping[str, object]) -> bool:
    named = schema.get("type")
    return "string" in named if isinstance(named, list) else named in (None, "string")


def outcomes_of(edits: Sequence[Edit | None], paths: Paths, view: View | None) -> dict[str, Outcome]:
    """Outcomes by path: those of the view, and where there is none what follows from the edits."""
    if view is not None:
        return dict(view.outcomes)
    found = inferred(edits, paths, None)
    return {path: found[number] for path, number in paths.ids.items()}


def lost_values(holding: Holding, table: SpanTable, edits: Sequence[Edit], rows: np.ndarray | None) -> dict[str, np.ndarray]:
    """By path the rows with a new value that the schema of the view does not have.

    Args:
        holding: the schema.
        table: of the records.
        edits: by path number.
        rows: bool, n records: those of this schema; None: all.
    """
    found: dict[str, np.ndarray] = {}
    for path, number in table.paths.ids.items():
        if path == UNDECLARED:
            continue
        lost = holding.lost(number, edits[number], table.kinds_of(number))
        if lost is not None:
            places = np.unique(table.rows_numbered(number)[lost])
            places = places if rows is None else places[rows[places]]
            if len(places):
                found[path] = places
    return found
