"""The schemas of views that follow from a schema of the records, or of their keys."""

from collections.abc import Iterator
from typing import NamedTuple

from flink_masking.errors import InputError
from flink_masking.policy.check_schema import paths_of
from flink_masking.policy.load import LoadedPolicy
from flink_masking.records.codec import FORMATS, Layout, codec_for
from flink_masking.registry.source import Schema

KINDS = {"avro": "AVRO", "protobuf": "PROTOBUF", "json": "JSON"}
"""What registries call the schemas of a format."""
_BY_FILE = ("none", "single_object")
"""Framings that name no schema of a registry."""


class ViewSchema(NamedTuple):
    """A schema of a view that differs from the one that it was derived from.

    Attributes:
        view: the segment, or for keys `flink_masking.records.codec.View.subject`.
        schema: of the view; it holds all that it needs.
    """

    view: str
    schema: Schema


def names_schemas(loaded: LoadedPolicy, keys: bool = False) -> bool:
    """Whether records, or the keys of changed rows, name their schemas by identifiers of a registry."""
    policy, images = loaded.policy, loaded.images
    if not keys:
        return bool(FORMATS[policy.format].framings) and policy.framing not in _BY_FILE
    if images is None or not images.envelope.key or images.key_text or not FORMATS[images.key_format].framings:
        return False
    return images.key_framing not in _BY_FILE


def of_records(loaded: LoadedPolicy, schema: Schema) -> Iterator[ViewSchema]:
    """The schemas of masked views that differ from a schema of the records.

    Raises:
        InputError: it is no schema, or nothing can hold what the rules make.
    """
    policy = loaded.policy
    try:
        codec = codec_for(policy.format, Layout(schema=schema, message=policy.message or ""))
    except InputError:
        if FORMATS[policy.format].messages and policy.message is None:  # of several messages, which the framing of records tells
            return
        raise
    for view in loaded.views.values():
        if (made := codec.derived(paths_of(policy), view)) is not None and made[1]:
            yield ViewSchema(view.subject, Schema(made[0], KINDS[policy.format]))


def of_keys(loaded: LoadedPolicy, schema: Schema) -> Iterator[ViewSchema]:
    """The same for the keys of changed rows."""
    from flink_masking.records.trie import Paths

    assert loaded.images is not None
    codec = codec_for(loaded.images.key_format, Layout(schema=schema))
    for view in loaded.key_views.values():
        if (made := codec.derived(Paths(loaded.images.envelope.key), view)) is not None and made[1]:
            yield ViewSchema(view.subject, Schema(made[0], KINDS[loaded.images.key_format]))


def given(loaded: LoadedPolicy, keys: bool = False) -> Iterator[tuple[str, Schema]]:
    """The schemas of records, or of keys, that the policy gives: file and schema."""
    named = loaded.policy.schema_files if not keys else loaded.images.envelope.key_schema if loaded.images is not None else None
    kind = KINDS[loaded.policy.format if not keys or loaded.images is None else loaded.images.key_format]
    for file in dict.fromkeys(named.values() if isinstance(named, dict) else [named] if named is not None else []):
        yield file, Schema(loaded.source.file(file), kind)
