"""How the records of a view are written: for every writer schema the view's schema, its identifier and the types at each site."""

from collections.abc import Sequence

import numpy as np

from flink_masking.errors import InputError, RegistryError, SchemaRefusedError
from flink_masking.records.avro.output import KEPT, Derivation, SiteTable
from flink_masking.records.avro.program import Image, Program
from flink_masking.records.avro.schema import Type, fingerprint, to_text
from flink_masking.records.avro.splice_kernels import NONE, S_TEXT, SITE
from flink_masking.records.codec import Layout, Outcome
from flink_masking.records.framing import frame
from flink_masking.registry.source import IdKind, Schema, SchemaId


class Written:
    """See the module.

    Attributes:
        table: int64, `SITE` numbers for each site of the image.
        frames: int64, two numbers for each program, see `splice_kernels`.
        types: for each site, the type that its values are written as.
        branches: for each site, its branch.
        schemas: for each program the schema of the view.
        refused: programs whose records cannot be written: nothing can hold the results, or the registry refuses the schema.
    """

    def __init__(self, image: Image, outcomes: Sequence[Outcome], layout: Layout | None, name: str) -> None:
        """Nothing is derived yet.

        Args:
            image: of the programs.
            outcomes: by path number.
            layout: names what gives identifiers to schemas; None where records are not framed anew.
            name: of the view.
        """
        self._image, self._outcomes, self._layout, self._name = image, outcomes, layout, name
        self.types: list[Type] = []
        self.branches: list[int] = []
        self.schemas: list[Type] = []
        self.table, self.frames = np.zeros((0, SITE), np.int64), np.zeros((0, 2), np.int64)
        self._held: list[object] = []
        self._textual: dict[int, bool] = {}
        self._unframed: set[int] = set()
        self._underivable: set[int] = set()
        self.refused: frozenset[int] = frozenset()

    def extend(self, used: set[int] | None = None) -> None:
        """Derive for the programs that were added since, and see that those in use have identifiers.

        Raises:
            InputError: see `Derivation`, where there is one schema only.
            RegistryUnavailableError: the registry was away for longer than its patience.
            RegistryError: a view's schema has no identifier.
        """
        framed = self._layout is not None and self._layout.framing != "none"
        tables, frames = [self.table], [self.frames]
        for number in range(len(self.schemas), len(self._image.programs)):
            program = self._image.programs[number]
            derivation, outcomes = None, self._outcomes
            try:
                derivation = Derivation(program.schema, self._image.trie, outcomes)
            except InputError:
                if not framed:
                    raise
            if derivation is None:
                self._underivable.add(number)
                outcomes = [KEPT] * len(outcomes)
                derivation = Derivation(program.schema, self._image.trie, outcomes)
            made = SiteTable(self._image.sites[program.sites], derivation, outcomes)
            self._held.append(made)
            self.types += made.types
            self.branches += made.branches
            self.schemas.append(derivation.schema)
            tables.append(made.table)
            frames.append(np.zeros((1, 2), np.int64))
            of_guid = program.identifier is not None and program.identifier.kind == "guid"  # may stand in a header, which views do not have
            if framed and (derivation.schema is not program.schema or of_guid):
                self._unframed.add(number)
        if len(tables) > 1:
            self.table, self.frames = np.concatenate(tables), np.concatenate(frames)
            self._textual.clear()
        refused = set(self._underivable)
        for number in (self._unframed - refused) & (used or set()):
            try:
                written = np.frombuffer(self._frame(self._image.programs[number], self.schemas[number]) + bytes(64), np.uint8)
            except SchemaRefusedError:
                refused.add(number)
                continue
            self._held.append(written)
            self.frames[number] = written.ctypes.data, len(written) - 64
            self._unframed = self._unframed - {number}
        self.refused = frozenset(refused)

    def _frame(self, program: Program, schema: Type) -> bytes:
        assert self._layout is not None
        if self._layout.framing == "single_object":
            return frame(SchemaId("fingerprint", fingerprint(schema)))
        if schema is program.schema and program.identifier is not None:
            return frame(program.identifier)
        kind: IdKind = program.identifier.kind if program.identifier is not None else "id"
        outputs, text = self._layout.outputs, Schema(to_text(schema), "AVRO")
        found = None if outputs is None else outputs.identifier(self._name, text, kind)
        if found is None:
            raise RegistryError(f"view {self._name}: its schema differs from the writer's and has no identifier. Hint: flink-masking check "
                                "shows it; register it, or use techniques that keep the type")
        return frame(found)

    def holds_text(self, path: int) -> bool:
        """Whether all sites of a path can hold text as it comes."""
        if path not in self._textual:
            self._textual[path] = bool((self.table[self._image.of_path(path), S_TEXT] != NONE).all())
        return self._textual[path]
