"""Fields as sources tell them, gathered by path."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flink_masking.errors import InputError
from flink_masking.policy.lock import LockedField
from flink_masking.records.paths import MAX_KEY, Step, Wild, format_path

TAGS = "confluent:tags"
"""The attribute of a field, or the keyword of a property, that holds its tags."""
MOST_FIELDS, DEEPEST = 10_000, 64
ELEMENT, MEMBER, EITHER = Wild.ELEMENT, Wild.KEY, Wild.MAYBE
"""Steps to the elements of an array, the members of a map, and what is one value or an array of them."""
Steps = tuple[Step, ...]
WHOLE = "json"
"""The type of a field that a policy takes as a whole."""
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
        self._met: dict[Steps, LockedField] = {}

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
        if len(self._met) >= MOST_FIELDS:
            raise InputError(f"the schema has more than {MOST_FIELDS:,} fields. Hint: divide it")
        if any(isinstance(step, str) and not 0 < len(step.encode()) <= MAX_KEY for step in steps):
            raise InputError(f"the schema has a field without a name, or with one of more than {MAX_KEY} bytes. Hint: rename it")
        stated = {name: value for name, value in stated.items() if value is not None}
        _put(self._met, steps, LockedField(type=type_, optional=optional, tags=tuple(sorted({*tags})), **stated))

    @property
    def fields(self) -> dict[str, LockedField]:
        """The fields by path.

        What is a value or an array of such values has the path ``[*]?``. What is a scalar or holds members, which no path says, is one
        field of type json with the tags of all members.
        """
        return {format_path(steps): field for steps, field in _whole(_either(self._met)).items()}

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


def _put(fields: dict[Steps, LockedField], steps: Steps, field: LockedField) -> None:
    """Add a field, or unite it with the one at its place."""
    before = fields.get(steps)
    if before is not None:
        types = list(dict.fromkeys([*before.type.split(" | "), *field.type.split(" | ")]))
        field = field.model_copy(update={"type": " | ".join(types), "optional": before.optional or field.optional,
                                         "tags": tuple(sorted({*before.tags, *field.tags})),
                                         "role": field.role or before.role, "holds": field.holds or before.holds})
    fields[steps] = field


def _either(fields: Mapping[Steps, LockedField]) -> dict[Steps, LockedField]:
    """Fields with ``[*]?`` where something is an array in one branch of a union and none in another."""
    arrays = {steps[:end] for steps in fields for end in range(len(steps)) if steps[end] in (ELEMENT, EITHER)}
    others = {steps[:end] for steps in fields for end in range(len(steps)) if steps[end] not in (ELEMENT, EITHER)} | fields.keys()
    both = arrays & others
    found: dict[Steps, LockedField] = {}
    for steps, field in fields.items():
        path: list[Step] = []
        for end, step in enumerate(steps):
            if steps[:end] in both:
                path += [EITHER] if step in (ELEMENT, EITHER) else [EITHER, step]
            else:
                path.append(step)
        _put(found, (*path, EITHER) if steps in both else tuple(path), field)
    return found


def _whole(fields: Mapping[Steps, LockedField]) -> dict[Steps, LockedField]:
    """Fields without those that lie in one that can be a scalar, too, which becomes a field of type json."""
    found: dict[Steps, LockedField] = {}
    for steps, field in fields.items():
        top = next((steps[:end] for end in range(1, len(steps)) if steps[:end] in fields), None)
        if top is None:
            _put(found, steps, field)
        else:
            _put(found, top, LockedField(type="object", tags=field.tags, holds=WHOLE))
    return found


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


