"""Identifiers of the schemas that views are written with, where they differ from the schema of the records."""

from collections.abc import Mapping
from typing import Protocol

from flink_masking.registry.source import Schema, SchemaId


class OutputSchemas(Protocol):
    """Gives identifiers to schemas of views."""

    def identifier(self, view: str, schema: Schema) -> SchemaId | None:
        """The identifier of a view's schema; None where it has none.

        Raises:
            RegistryUnavailableError: it cannot be told now; the same call may succeed later.
            RegistryError: the schema is refused.
        """


class KnownOutputs:
    """Identifiers in memory, by the text of the schema."""

    def __init__(self, identifiers: Mapping[str, SchemaId]) -> None:
        """Take them over."""
        self._identifiers = dict(identifiers)

    def identifier(self, view: str, schema: Schema) -> SchemaId | None:
        """See `OutputSchemas`."""
        return self._identifiers.get(schema.text)
