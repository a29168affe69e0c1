"""What a codec has to know of a policy: types of fields for formats that have text only, and the columns."""

from collections.abc import Callable
from typing import Literal

from flink_masking.policy.envelope import Framing
from flink_masking.policy.expand import Images
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.tree import repeats
from flink_masking.records.codec import FORMATS, Layout
from flink_masking.records.paths import format_path, parse_path
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.source import GivenSchemas, IdKind, Schema, SchemaId, SchemaSource

_KINDS: dict[str, IdKind] = {"confluent": "id", "apicurio4": "content", "apicurio8": "global", "single_object": "fingerprint",
                             "none": "fingerprint"}


def layout(policy: Policy, schemas: SchemaSource | None = None, read: Callable[[str], str] | None = None,
           outputs: OutputSchemas | None = None, folded: bool = False) -> Layout:
    """The layout of a policy's records.

    Args:
        policy: the policy.
        schemas: those that records name by identifiers.
        read: reads a file that the policy names; needed for formats with schemas.
        outputs: gives identifiers to schemas of views.
        folded: see `Layout`.

    Raises:
        PolicyError: a schema's file cannot be read.
    """
    if FORMATS[policy.format].schemas or policy.described:
        if policy.columns:  # the schema of a file with records, which have no framing there
            return Layout(schema=Schema(policy.columns[0]), folded=folded)
        required = frozenset(format_path(parse_path(path)) for path, field in policy.fields.items() if not field.optional
                             and not repeats(path))
        first, found = _given(policy.schema_files, policy.framing, schemas, read)
        return Layout(framing=policy.framing, schema=first, schemas=found, outputs=outputs, folded=folded, message=policy.message or "",
                      required=required)
    kinds = {path: kind for path, field in policy.fields.items() if (kind := kind_of_values(field)) is not None}
    if FORMATS[policy.format].single:
        return Layout(tuple(policy.fields))
    return Layout(policy.columns or (), kinds) if FORMATS[policy.format].header else Layout()


def key_layout(images: Images, schemas: SchemaSource | None = None, read: Callable[[str], str] | None = None,
               outputs: OutputSchemas | None = None) -> Layout:
    """The layout of the keys of changed rows.

    Args:
        images: of the policy.
        schemas: those that keys name by identifiers.
        read: reads a file that the policy names.
        outputs: gives identifiers to schemas of views' keys.

    Raises:
        PolicyError: a schema's file cannot be read.
    """
    named, framing = images.envelope.key_schema, images.key_framing
    if not FORMATS[images.key_format].schemas and framing == "none" and named is None:
        return Layout()
    first, found = _given(named, framing, schemas, read)
    return Layout(framing=framing, schema=first, schemas=found, outputs=outputs)


def _given(named: str | dict[str, str] | None, framing: Framing, schemas: SchemaSource | None,
           read: Callable[[str], str] | None) -> tuple[Schema | None, GivenSchemas]:
    """The first schema that is given, and a source of all of them and those behind it."""
    files = named if isinstance(named, dict) else {}
    texts = {name: Schema(read(name)) for name in ([named] if isinstance(named, str) else files.values())} if read else {}
    given = {_identifier(framing, key): texts[name] for key, name in files.items() if name in texts}
    return next(iter(texts.values()), None), GivenSchemas(given, schemas)


def _identifier(framing: str, key: str) -> SchemaId:
    """What a key of ``schema`` stands for: a number as the framing has it, anything else is a GUID."""
    return SchemaId(_KINDS[framing], int(key)) if key.isdecimal() else SchemaId("guid", key.lower())


def kind_of_values(field: Field) -> Literal["number", "boolean"] | None:
    """What a field's values are, where they are no text."""
    if field.type == "boolean":
        return "boolean"
    untyped = field.type is None and field.prefix is None and field.values is None and field.pattern is None
    bounded = field.domain is not None and not isinstance(field.domain[0], str)
    measured = field.role == "measure" or bounded or field.bounds is not None or field.scale is not None
    return "number" if field.type in ("number", "integer") or (untyped and measured) else None
