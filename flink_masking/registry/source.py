"""Where codecs get schemas from: a registry, files, or memory; one protocol for all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

IdKind = Literal["id", "guid", "content", "global", "fingerprint"]


class SchemaId(NamedTuple):
    """What a record says of its schema.

    Attributes:
        kind: ``id`` and ``guid`` of the Confluent API, ``content`` and ``global`` of Apicurio, ``fingerprint`` of Avro's single objects.
        value: the number; of a GUID 32 hexadecimal digits with hyphens.
    """

    kind: IdKind
    value: int | str


@dataclass(frozen=True)
class Schema:
    """A schema as it was registered.

    Attributes:
        text: JSON of Avro and JSON Schema, or a ``.proto`` file.
        kind: ``AVRO``, ``PROTOBUF``, ``JSON``; empty where the source does not say.
        references: texts of the schemas that it refers to, by the name that it gives them, directly or through others; each after those
            that it needs itself.
    """

    text: str
    kind: str = ""
    references: Mapping[str, str] = field(default_factory=dict)


class SchemaSource(Protocol):
    """Looks schemas up; an answer is kept, so that asking again costs nothing."""

    def schema(self, identifier: SchemaId) -> Schema | None:
        """The schema with an identifier; None where there is none of this identifier.

        Raises:
            RegistryUnavailableError: the source was away for longer than its patience.
            RegistryError: the source cannot be used.
        """


class KnownSchemas:
    """Schemas in memory, by their identifiers."""

    def __init__(self, schemas: Mapping[SchemaId, Schema]) -> None:
        """Take them over."""
        self._schemas = dict(schemas)

    def schema(self, identifier: SchemaId) -> Schema | None:
        """See `SchemaSource`."""
        return self._schemas.get(identifier)


class GivenSchemas:
    """Schemas that are given by their identifiers, and behind them a source of all others."""

    def __init__(self, given: Mapping[SchemaId, Schema], behind: SchemaSource | None) -> None:
        """Take them over; without a source there are no others."""
        self._given, self._behind = dict(given), behind

    def schema(self, identifier: SchemaId) -> Schema | None:
        """See `SchemaSource`."""
        found = self._given.get(identifier)
        return self._behind.schema(identifier) if found is None and self._behind is not None else found
