"""Checks of the schemas that a policy gives: fields and schema must fit, and some schema must hold what the rules make."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flink_masking.documents.document import cut
from flink_masking.documents.faults import split_hint
from flink_masking.documents.findings import Findings
from flink_masking.errors import InputError, PolicyError
from flink_masking.policy.expand import Images
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.layout import layout
from flink_masking.policy.model import Policy
from flink_masking.policy.source import PolicySource
from flink_masking.policy.tree import repeats
from flink_masking.records.codec import FORMATS, Codec, Layout, View, codec_for
from flink_masking.records.paths import parse_path, selects
from flink_masking.registry.source import Schema

if TYPE_CHECKING:
    from flink_masking.records.trie import Paths


def check_schema(policy: Policy, views: dict[str, View], source: PolicySource, findings: Findings) -> None:
    """Compare the schemas that a policy gives with its fields and rules; faults go to `findings`."""
    named = policy.schema_files
    found = FORMATS.get(policy.format)
    if found is None or not found.framings or named is None:
        return
    for key, name in named.items() if isinstance(named, dict) else [(None, named)]:
        place = ("schema",) if key is None else ("schema", key)
        try:
            codec = _codec(policy, name, source)
        except (PolicyError, InputError) as error:
            findings.error(place, *split_hint(str(error)))
            continue
        for message, hint in schema_faults(policy, codec):
            findings.error(place, message, hint)
        for view in views.values():
            try:
                codec.derived(paths_of(policy), view)
            except InputError as error:
                findings.error(("segments", view.name), *split_hint(str(error)), at_key=True)


def check_key_schema(images: Images, views: dict[str, View], source: PolicySource, findings: Findings) -> None:
    """Compare the schemas that a policy gives for keys with the columns of the key; faults go to `findings`."""
    from flink_masking.records.trie import Paths

    paths = Paths(images.envelope.key)
    for key, name in _key_files(images):
        place = ("record", "key_schema") if key is None else ("record", "key_schema", key)
        try:
            codec = codec_for(images.key_format, Layout(schema=Schema(source.file(name))))
            for reason, path in codec.differences(paths):
                findings.error(place, f"'{cut(path)}' {_OF_KEYS[reason]}", f"key: the columns that {cut(name)} has")
            for view in views.values():
                codec.derived(paths, view)
        except (PolicyError, InputError) as error:
            findings.error(place, *split_hint(str(error)))


def derived_key_schemas(images: Images, views: dict[str, View], source: PolicySource) -> Iterator[tuple[str, str, str, bool]]:
    """As `derived_schemas`, of the keys of changed rows; the view is named as `View.subject` has it."""
    from flink_masking.records.trie import Paths

    paths = Paths(images.envelope.key)
    for name in dict.fromkeys(name for _, name in _key_files(images)):
        codec = codec_for(images.key_format, Layout(schema=Schema(source.file(name))))
        for view in views.values():
            if (made := codec.derived(paths, view)) is not None:
                yield name, view.subject, *made


def _key_files(images: Images) -> list[tuple[str | None, str]]:
    """The files with schemas of keys, by the identifier that they are given for."""
    named = images.envelope.key_schema
    return [*named.items()] if isinstance(named, dict) else [(None, named)] if named is not None else []


_OF_KEYS = {"unknown_field": "of the key's schema is no column of the key",
            "missing_field": "is a column of the key, and its schema has no such field",
            "type_mismatch": "of the key's schema holds more than one value"}


def schema_faults(policy: Policy, codec: Codec) -> Iterator[tuple[str, str]]:
    """What does not fit between fields and the schema that a codec has: the message and a hint."""
    for reason, path in codec.differences(paths_of(policy)):
        told = cut(path)
        if reason == "unknown_field" and policy.unknown_fields == "quarantine":
            yield (f"the field '{told}' of the schema is not declared: every record that has it would be quarantined",
                   "declare it under 'fields', or unknown_fields: drop")
        elif reason == "type_mismatch":
            yield (f"'{told}' is of another kind in the schema than declared",
                   "declare the members of a record, or the record with type: json")
        elif reason == "missing_field" and not policy.fields[path].optional and not repeats(path):
            yield (f"the schema has no field '{told}', and it is not optional",
                   "correct the path, or declare the field with 'optional: true'")


def derived_schemas(policy: Policy, views: dict[str, View], source: PolicySource) -> Iterator[tuple[str, str, str, bool]]:
    """For each given schema and view: file, segment, text of the view's schema, and whether it differs from the file's."""
    named = policy.schema_files
    if not FORMATS[policy.format].framings or named is None:
        return
    for name in dict.fromkeys(named.values() if isinstance(named, dict) else [named]):
        codec = _codec(policy, name, source)
        for view in views.values():
            if (made := codec.derived(paths_of(policy), view)) is not None:
                yield name, view.name, *made


def _codec(policy: Policy, name: str, source: PolicySource) -> Codec:
    found = layout(_with(policy, name), read=source.file)
    return codec_for(policy.format, Layout(schema=found.schema, message=found.message))


def _with(policy: Policy, name: str) -> Policy:
    return policy.model_copy(update={"schema_files": name, "framing": "none", "columns": None})


def paths_of(policy: Policy) -> "Paths":
    """The paths of all declared fields."""
    from flink_masking.records.trie import Paths

    opaque = [path for path, field in policy.fields.items() if field.type in OBJECT_TYPES]
    return Paths(policy.fields, opaque=opaque, selected=[path for path in policy.fields if selects(parse_path(path))])
