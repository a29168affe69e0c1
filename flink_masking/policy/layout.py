"""What a codec has to know of a policy: types of fields for formats that have text only, and the columns."""

from typing import Literal

from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.records.codec import FORMATS, Layout
from flink_masking.registry.source import SchemaSource


def layout(policy: Policy, schemas: SchemaSource | None = None) -> Layout:
    """The layout of a policy's records.

    Args:
        policy: the policy.
        schemas: those that records name by identifiers.
    """
    kinds = {path: kind for path, field in policy.fields.items() if (kind := _kind(field)) is not None}
    return Layout(policy.columns or (), kinds) if FORMATS[policy.format].header else Layout()


def _kind(field: Field) -> Literal["number", "boolean"] | None:
    """What a field's values are, where they are no text."""
    if field.type == "boolean":
        return "boolean"
    untyped = field.type is None and field.prefix is None and field.values is None and field.pattern is None
    bounded = field.domain is not None and not isinstance(field.domain[0], str)
    measured = field.role == "measure" or bounded or field.bounds is not None or field.scale is not None
    return "number" if field.type in ("number", "integer") or (untyped and measured) else None
