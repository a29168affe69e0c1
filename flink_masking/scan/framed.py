"""Records that name their schema in front, as they are in a topic: what a scan has to know of them besides the format."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from flink_masking.errors import InputError
from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.trie import Paths
from flink_masking.registry.source import IdKind, Schema, SchemaId


@dataclass(frozen=True)
class Framed:
    """How framed records of a sample are read.

    Attributes:
        layout: framing, and where schemas are had.
        names: paths of all values that the schemas of the sample have.
        whole: those of them that are objects or arrays as a whole in one of the schemas.
    """

    layout: Layout
    names: tuple[str, ...]
    whole: tuple[str, ...]

    @property
    def schemas(self) -> "Trial":
        """The schemas of the records, and placeholder identifiers for those of views, for a trial run whose results nobody gets."""
        return Trial(self.layout)


def framed(format: str, layout: Layout, batches: Iterable[pa.BinaryArray]) -> Framed:
    """Find out what the schemas that a sample names have.

    Args:
        format: of the records, one with schemas.
        layout: framing, and where schemas are had.
        batches: of the sample.

    Raises:
        InputError: no record of it names a schema that is known.
        RegistryError: the registry cannot be used.
    """
    codec, nothing = codec_for(format, layout), Paths((), deny=False)
    for batch in batches:
        codec.scan(batch, nothing)
    names, whole = codec.leaves()
    if not names:
        raise InputError(f"no record of the sample begins with the framing {layout.framing} and a schema that the registry knows. Hint: "
                         "--framing, or registry.url in the deployment")
    return Framed(layout, names, whole)


class Trial:
    """See `Framed.schemas`."""

    def __init__(self, layout: Layout) -> None:
        """Take over where schemas are had."""
        self._layout = layout
        self._made: dict[str, int] = {}

    def schema(self, identifier: SchemaId) -> Schema | None:
        """See `flink_masking.registry.source.SchemaSource`."""
        return None if self._layout.schemas is None else self._layout.schemas.schema(identifier)

    def identifier(self, view: str, schema: Schema, kind: IdKind = "id") -> SchemaId | None:
        """See `flink_masking.registry.outputs.OutputSchemas`."""
        number = self._made.setdefault(schema.text, len(self._made) + 1)
        return SchemaId(kind, str(uuid.UUID(int=number)) if kind == "guid" else number)
