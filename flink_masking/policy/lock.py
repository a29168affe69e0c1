"""The lock file of a stream's schema: the fields, types and tags that a policy was reviewed with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic

from flink_masking.documents.document import Document
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import PolicyError
from flink_masking.policy.fields import Flag, Model, Role, Whole
from flink_masking.records.paths import parse_path

FORMAT = 1
"""Version of the file's own form."""
_HEAD = "# The schema and tags that the policy was reviewed with. Made by flink-masking contract pull: commit it, and do not edit it.\n"
_HINT = "make it anew with flink-masking contract pull"


class LockedField(Model):
    """A field of the schema.

    Attributes:
        type: as the schema names it.
        optional: a record may lack it, or it may be null.
        tags: sorted.
        lost: tags that the source no longer has; they count until `contract pull --accept-lost-tags` removes them.
        removed: only earlier versions of the schema have it.
        role: written ``class``: the class that a data contract states itself (``flinkMasking.class``).
        holds: the type that it states (``flinkMasking.type``).
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    type: str
    optional: Flag = True
    tags: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    removed: Flag = False
    role: Role | None = pydantic.Field(default=None, alias="class")
    holds: str | None = None

    @property
    def effective(self) -> tuple[str, ...]:
        """The tags that count."""
        return tuple(sorted({*self.tags, *self.lost}))


class SchemaVersion(Model):
    """A version of the schema.

    Attributes:
        digest: SHA-256 of the schema, hex; see `flink_masking.registry.locked.digest`.
        id: of the registry; None for a file.
        version: of the subject.
    """

    digest: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")
    id: Whole | None = None
    version: Whole | None = None


class _Form(Model):
    lock: int
    source: str
    name: str
    format: str
    versions: tuple[SchemaVersion, ...] = ()
    fields: dict[str, LockedField]


@dataclass(frozen=True)
class SchemaLock:
    """A lock file.

    Attributes:
        source: as in ``tags``.
        name: of the subject, message, schema object or model.
        format: AVRO, PROTOBUF, JSON, ODCS or DBT.
        fields: by path, sorted.
        versions: of the schema, the earliest first.
    """

    source: str
    name: str
    format: str
    fields: Mapping[str, LockedField]
    versions: tuple[SchemaVersion, ...] = field(default=())

    @classmethod
    def parse(cls, text: str, name: str) -> "SchemaLock":
        """Read a lock file.

        Args:
            text: its contents.
            name: of the file, for errors.

        Raises:
            PolicyError: it is no lock file of this form.
        """
        try:
            form = _Form.model_validate(Document(name, text).value)
            for path in form.fields:
                parse_path(path)
        except (PolicyFaults, pydantic.ValidationError, PolicyError):
            failure = PolicyError(f"{name}: this is no lock file. Hint: {_HINT}")
        else:
            if form.lock == FORMAT:
                return cls(form.source, form.name, form.format, form.fields, form.versions)
            failure = PolicyError(f"{name}: a lock file of another version of flink-masking. Hint: {_HINT}")
        raise failure

    def text(self) -> str:
        """The file, the same for the same schema: a line a field, sorted by path."""
        lines = [_HEAD, f"lock: {FORMAT}\nsource: {_scalar(self.source)}\nname: {_scalar(self.name)}\nformat: {_scalar(self.format)}\n"]
        if self.versions:
            lines.append("versions:\n")
            lines += [f"  - {_mapping(one.model_dump(exclude_none=True))}\n" for one in self.versions]
        lines.append("fields:\n" if self.fields else "fields: {}\n")
        for path in sorted(self.fields):
            written = self.fields[path].model_dump(exclude_defaults=True, by_alias=True)
            lines.append(f"  {_scalar(path)}: {_mapping(written)}\n")
        return "".join(lines)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _mapping(values: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in values.items()) + "}"
