"""How the records of a view are written: fields of another type than that of the record, and the framing of the view's schema."""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from flink_masking.errors import InputError, RegistryError
from flink_masking.records.codec import Layout, Outcome, View
from flink_masking.records.framing import frame
from flink_masking.records.protobuf import framing
from flink_masking.records.protobuf import layout_kernels as layout
from flink_masking.records.protobuf.derived import Derivation, becomes_text
from flink_masking.records.protobuf.program import STRING, Field, Program
from flink_masking.records.protobuf.schemas import Messages, messages
from flink_masking.records.trie import Paths
from flink_masking.registry.source import Schema

_LENGTHS = {"id": 5, "content": 5, "global": 9, "guid": 17}
"""Bytes of a framing up to the end of the identifier."""
_KEPT = 256


class Typed:
    """The fields of a program as a view has them.

    Attributes:
        fields: for each entry what it is in the view.
        tags: int32: for each entry the tag that its values are written with.
        changed: bool: entries whose values become text.
    """

    def __init__(self, program: Program, outcomes: Mapping[int, Outcome]) -> None:
        """Look at every entry.

        Args:
            program: of the scan.
            outcomes: by path number.
        """
        self._program = program
        entries = program.arrays()[1].reshape(-1, layout.ENTRY)
        self.tags, self.fields = entries[:, layout.E_TAG].copy(), list[Field](program.fields)
        self.changed = np.zeros(len(self.tags), bool)
        for number, field in enumerate(program.fields):
            outcome = outcomes.get(int(entries[number, layout.E_PATH])) if entries[number, layout.E_PATH] > 0 else None
            if outcome is not None and becomes_text(field.type, outcome):
                self.changed[number] = True
                self.tags[number] = (int(self.tags[number]) & ~7) | layout.LENGTH
                self.fields[number] = field._replace(type=STRING, names={})

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Those of the program."""
        return self._program.arrays()


def by_number(view: View | None, paths: Paths) -> dict[int, Outcome]:
    """What a view makes of values, by path number; of those that are not named nothing changes its type."""
    if view is None:
        return {}
    return {paths.ids[path]: outcome for path, outcome in view.outcomes.items() if path and path in paths.ids}


class Derived:
    """Schemas of views, by the message of the records and what rules make of their values."""

    def __init__(self, layout_: Layout, message: Callable[[framing.Frame], tuple[Any, Messages] | None]) -> None:
        """Nothing is derived yet.

        Args:
            layout_: names what gives identifiers to schemas.
            message: the message and the schema that a framing names.
        """
        self._layout, self._message = layout_, message
        self._texts: dict[Any, tuple[str, bool] | InputError] = {}

    def text(self, message: Any, schema: Messages, paths: Paths, outcomes: Mapping[int, Outcome]) -> tuple[str, bool]:
        """The text of a view's schema, empty where it is that of the records; and whether it differs.

        Raises:
            InputError: no schema can hold what the rules make.
        """
        key = message, paths, tuple(outcomes.items())
        if key not in self._texts:
            if len(self._texts) >= _KEPT:
                self._texts.clear()
            try:
                derivation = Derivation(message, schema.own, schema.others, paths, outcomes)
                self._texts[key] = (_in_form(derivation.text(), schema), True) if derivation.changed else ("", False)
            except InputError as error:
                self._texts[key] = error
        found = self._texts[key]
        if isinstance(found, InputError):
            raise found
        return found

    def front(self, prefix: bytes, paths: Paths, outcomes: Mapping[int, Outcome], view: View) -> bytes:
        """The framing of a view's record, of the framing of the record.

        Raises:
            InputError: no schema can hold what the rules make.
            RegistryUnavailableError: the registry was away for longer than its patience.
            SchemaRefusedError: the registry refuses the schema.
            RegistryError: the schema of the view has no identifier.
        """
        parsed = framing.parse(prefix, self._layout.framing)
        assert not isinstance(parsed, int)  # it led to the program
        found = self._message(parsed)
        assert found is not None
        text, differs = self.text(*found, paths, outcomes)
        if not differs:
            return prefix
        outputs = self._layout.outputs
        identifier = None if outputs is None else outputs.identifier(view.subject, Schema(text, "PROTOBUF"), parsed.schema.kind)
        if identifier is None:
            raise RegistryError(f"view {view.subject}: its schema differs from the writer's and has no identifier. Hint: flink-masking "
                                "check shows it; register it, or use techniques that keep the type")
        return frame(identifier) + prefix[_LENGTHS[parsed.schema.kind] :]


def _in_form(text: str, like: Messages) -> str:
    """The text of a schema in the form of another one: as it is, or as the descriptor of its file in Base64."""
    if not like.encoded:
        return text
    return base64.b64encode(messages(text, ()).own.SerializeToString(deterministic=True)).decode()


def fronts(data: np.ndarray, offsets: np.ndarray, begins: np.ndarray, live: np.ndarray) -> Iterator[tuple[bytes, np.ndarray]]:
    """The different framings of the records that are live, and the rows of each."""
    rows = np.flatnonzero(live)
    while len(rows):
        start, width = int(offsets[rows[0]]), int(begins[rows[0]] - offsets[rows[0]])
        prefix = data[start : start + width]
        same = begins[rows] - offsets[rows] == width
        places = offsets[rows[same], None] + np.arange(width, dtype=np.int32)
        same[same] = (data[places] == prefix).all(axis=1)
        yield prefix.tobytes(), rows[same]
        rows = rows[~same]
