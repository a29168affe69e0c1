"""Identifiers of the schemas that views are written with, where they differ from the schema of the records."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from flink_masking.registry.source import IdKind, Schema, SchemaId


@runtime_checkable
class OutputSchemas(Protocol):
    """Gives identifiers to schemas of views, whatever their format."""

    def identifier(self, view: str, schema: Schema, kind: IdKind = "id") -> SchemaId | None:
        """The identifier of a view's schema; None where it has none.

        Args:
            view: the segment, or `flink_masking.records.codec.View.subject` for the keys of its records.
            schema: text and kind; it refers to no others.
            kind: of the identifier that the raw records have; the view's is of the same kind where that can be.

        Raises:
            RegistryUnavailableError: it cannot be told now; the same call may succeed later.
            SchemaRefusedError: the schema is refused: no record may be written with it.
            RegistryError: the registry cannot be used.
        """


class KnownOutputs:
    """Identifiers in memory, by the text of the schema."""

    def __init__(self, identifiers: Mapping[str, SchemaId]) -> None:
        """Take them over."""
        self._identifiers = dict(identifiers)

    def identifier(self, view: str, schema: Schema, kind: IdKind = "id") -> SchemaId | None:
        """See `OutputSchemas`."""
        return self._identifiers.get(schema.text)
