"""Fields as sources tell them, gathered by path."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flink_masking.errors import InputError
from flink_masking.policy.lock import LockedField
from flink_masking.records.paths import MAX_KEY, Step, Wild, format_path

TAGS = "confluent:tags"
"""The attribute of a field, or the keyword of a property, that holds its tags."""
MOST_FIELDS, DEEPEST = 20_000, 64
_WORD = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")


class Found:
    """Fields by path; a field that is met twice, as in two branches of a union, is one with the tags of both."""

    def __init__(self, attributes: Mapping[str, str], beside: Mapping[str, Iterable[str]] = {}) -> None:
        """Begin without fields.

        Args:
            attributes: attributes that are read as tags, with the tag's name.
            beside: tags by full name of a field, with wildcards, as a registry holds them beside a schema.
        """
        self._attributes = attributes
        self._beside = [(_pattern(name), tuple(tags)) for name, tags in beside.items()]
        self.fields: dict[str, LockedField] = {}

    def add(self, steps: tuple[Step, ...], type_: str, optional: bool, tags: Iterable[str], **stated: Any) -> None:
        """Note a field.

        Args:
            steps: its path.
            type_: in the words of the schema.
            optional: it may be missing or null.
            tags: of it and of all that it lies in.
            stated: class and type that a contract states, by the names of `LockedField`.

        Raises:
            InputError: more fields than `MOST_FIELDS`, or a key that is longer than a path's.
        """
        if len(self.fields) >= MOST_FIELDS:
            raise InputError(f"the schema has more than {MOST_FIELDS:,} fields. Hint: divide it")
        if any(isinstance(step, str) and not 0 < len(step.encode()) <= MAX_KEY for step in steps):
            raise InputError(f"the schema has a field without a name, or with one of more than {MAX_KEY} bytes. Hint: rename it")
        path = format_path(steps)
        before = self.fields.get(path)
        known = () if before is None else (*before.tags,)
        named = type_ if before is None or type_ in before.type.split(" | ") else f"{before.type} | {type_}"
        optional = optional or (before is not None and before.optional)
        stated = {name: value for name, value in stated.items() if value is not None}
        self.fields[path] = LockedField(type=named, optional=optional, tags=tuple(sorted({*known, *tags})), **stated)

    def tags(self, attributes: Mapping[str, Any], name: str = "") -> list[str]:
        """The tags of a field.

        Args:
            attributes: all that is written beside its name.
            name: its full name, for tags beside the schema.
        """
        tags = [*words(attributes.get(TAGS))]
        for attribute, tag in self._attributes.items():
            tags += tags_of(attributes.get(attribute), tag)
        return tags + [tag for pattern, beside in self._beside if pattern.fullmatch(name) for tag in beside]


def words(value: Any) -> Iterator[str]:
    """The tags in a value of a schema: a text or a list of them; whatever else stands there is no tag."""
    for one in value if isinstance(value, list | tuple) else [value]:
        if isinstance(one, str) and _WORD.fullmatch(one.strip()):
            yield one.strip()


def tags_of(value: Any, tag: str) -> list[str]:
    """An attribute as tags: true is the tag, a text or number goes on from it with a dot, a list is all of them; else nothing.

    >>> tags_of("email", "PII"), tags_of(True, "PII"), tags_of(False, "PII")
    (['PII.email'], ['PII'], [])
    """
    if value is None or value is False:
        return []
    if value is True:
        return [tag]
    if isinstance(value, int | float):
        return [f"{tag}.{value}"]
    return [f"{tag}.{word}" for word in words(value)]


def _pattern(name: str) -> re.Pattern[str]:
    """A full name with ``*`` (within a part), ``**`` (any parts) and ``?`` as a regular expression."""
    parts = re.split(r"(\*\*|\*|\?)", name.lstrip("."))
    wild = {"**": ".*", "*": "[^.]*", "?": "[^.]"}
    return re.compile("".join(wild.get(part, re.escape(part)) for part in parts), re.DOTALL)


ELEMENT, MEMBER, EITHER = Wild.ELEMENT, Wild.KEY, Wild.MAYBE
"""Steps to the elements of an array, the members of a map, and what is one value or an array of them."""
