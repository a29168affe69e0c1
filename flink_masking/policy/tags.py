"""The section ``tags`` of a policy: which tags of a schema or data contract stand for which class of field."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator

from flink_masking.policy.fields import Model, Name, Role

LOCK = "contract.lock.yaml"
"""The lock file's default name."""
NO_CLASS = "none"
"""Maps a tag that says nothing about a field's class."""


class TaggedClass(Model):
    """What a tag says of the fields that carry it.

    Attributes:
        role: written ``class``: their class.
        type: their type, as under ``fields``.
    """

    role: Role = pydantic.Field(alias="class")
    type: Name | None = None


def _tagged(value: Any) -> Any:
    if value is None or value == NO_CLASS:
        return None
    return {"class": value} if isinstance(value, str) else value


TagMeaning = Annotated[TaggedClass | None, BeforeValidator(_tagged)]
"""A class by its name alone or with a type; None: written ``none``."""


class Tags(Model):
    """Where the tags of fields come from and what they mean; `flink-masking contract pull` writes the lock file.

    Attributes:
        source: registry, the latest version of a subject; schema, a file with an Avro, Protobuf or JSON schema; odcs, a data contract of
            the Open Data Contract Standard; dbt, a manifest.json.
        name: the subject, by default the stream's name and ``-value``; the message of a Protobuf schema; the schema object of a data
            contract; the model or source of dbt.
        file: of the sources that are files, its name relative to the policy.
        lock: name of the lock file relative to the policy; a job reads it and never the source.
        map: classes by tag. ``PII`` also stands for ``PII.email`` where that is not named; ``none``: the tag says nothing. Of a field's
            tags the one with the most dots counts, of several the first that is named here.
        attributes: attributes of fields that are read as tags, with the tag's name: ``pii: PII`` makes ``"pii": true`` the tag PII and
            ``"pii": "email"`` the tag PII.email.
        untagged: class of the fields that have no tags but such as are mapped to none; without it they are not declared, as is a field
            whose tags the map does not name.
    """

    source: Literal["registry", "schema", "odcs", "dbt"]
    name: Name | None = None
    file: Name | None = None
    lock: Name = LOCK
    map: dict[Name, TagMeaning] = pydantic.Field(min_length=1)
    attributes: dict[Name, Name] = pydantic.Field(default_factory=dict)
    untagged: Role | None = None

    @pydantic.model_validator(mode="after")
    def _file_or_not(self) -> "Tags":
        if (self.source == "registry") == (self.file is not None):
            where = "has a file, and the source registry has none" if self.file is not None else f"has no file for the source {self.source}"
            raise ValueError(f"{where}. Hint: source: registry with name: SUBJECT, or source: schema, odcs or dbt with file: NAME")
        return self

    def meaning(self, tags: Iterable[str]) -> tuple[str, TaggedClass] | None:
        """The tag of the map that a field goes by and what it means; None where no tag is mapped to a class.

        Args:
            tags: of the field.
        """
        named = {key for tag in tags if (key := best(tag, self.map)) is not None}
        order = [*self.map]
        for key in sorted(named, key=lambda one: (-one.count("."), order.index(one))):
            if (found := self.map[key]) is not None:
                return key, found
        return None

    def unmapped(self, tags: Iterable[str]) -> list[str]:
        """The tags that the map does not name, each once, sorted."""
        return sorted({tag for tag in tags if best(tag, self.map) is None})


def best(tag: str, named: Mapping[str, Any]) -> str | None:
    """The name that stands for a tag: itself, or the longest one that it goes on from with a dot; None where there is none.

    >>> best("PII.email.work", {"PII": 1, "PII.email": 2})
    'PII.email'
    """
    while tag not in named:
        tag, dot, _ = tag.rpartition(".")
        if not dot:
            return None
    return tag
