"""Reads the fields and tags of a stream from where a policy says, as a lock file keeps them."""

import os
import tempfile
from pathlib import Path

from flink_masking.data_contract import avro, dbt, json_schema, odcs, protobuf
from flink_masking.data_contract.found import Found
from flink_masking.documents.document import Document, cut
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError, PolicyError
from flink_masking.policy.files import read_below
from flink_masking.policy.lock import LockedField, SchemaLock, SchemaVersion
from flink_masking.policy.model import Policy
from flink_masking.policy.source import PolicySource
from flink_masking.policy.structure import build
from flink_masking.policy.tags import Tags
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.locked import digest
from flink_masking.registry.source import Schema

KINDS = {".avsc": "AVRO", ".proto": "PROTOBUF", ".desc": "PROTOBUF", ".json": "JSON"}
"""Kinds of schemas by the ending of their file's name."""


def tagged_policy(source: PolicySource) -> tuple[Policy, Tags]:
    """A policy, its structure checked, and its section ``tags``; the lock file need not be there yet.

    Raises:
        PolicyFaults: its structure has faults.
        PolicyError: it has no tags.
    """
    policy, faults = build(Document(source.name, source.text))
    if policy is None:
        raise PolicyFaults(source.name, faults)
    if policy.tags is None:
        raise PolicyError(f"{source.name}: the policy has no section 'tags'. Hint: tags: {{source: registry, map: {{PII: direct}}}}")
    return policy, policy.tags


def subject(tags: Tags, stream: str) -> str:
    """The subject that a stream's schema is registered under."""
    return tags.name or f"{stream}-value"


def pull(tags: Tags, stream: str, folder: Path, registry: RegistryClient | None = None) -> SchemaLock:
    """The fields and tags as the source has them now.

    Args:
        tags: of the policy.
        stream: of the policy.
        folder: of the policy, which files lie below.
        registry: for the source registry.

    Raises:
        InputError: the file cannot be read, is of another form, or the registry has no such subject.
        RegistryError, RegistryUnavailableError: the registry cannot be used, or is away.
    """
    if tags.source == "registry":
        if registry is None:
            raise InputError("the policy's tags are in a registry, and none is named. Hint: --registry URL, or --deployment FILE with the "
                             "section registry")
        return _of_subject(tags, subject(tags, stream), registry)
    name = tags.file or ""
    try:
        text = read_below(folder, name)
    except InputError as error:
        raise InputError(f"{cut(name)}: {error}. Hint: tags.file names a file below the policy's folder") from None
    found = Found(tags.attributes)
    if tags.source == "odcs":
        return SchemaLock("odcs", odcs.fields(text, name, tags.name, found), "ODCS", found.fields)
    if tags.source == "dbt":
        return SchemaLock("dbt", dbt.fields(text, name, tags.name, found), "DBT", found.fields)
    kind = KINDS.get(Path(name).suffix)
    if kind is None:
        raise InputError(f"{cut(name)}: the ending does not tell the kind of schema. Hint: one of {', '.join(KINDS)}")
    schema = Schema(text, kind)
    called = _gather(schema, tags.name, found) or name
    return SchemaLock("schema", called, kind, found.fields, (SchemaVersion(digest=digest(schema)),))


def _of_subject(tags: Tags, name: str, registry: RegistryClient) -> SchemaLock:
    """All versions of a subject: the fields of the latest, and what only earlier ones have, which records may still hold."""
    versions = registry.versions(name)
    if not versions:
        raise InputError(f"the registry has no subject '{cut(name)}'. Hint: tags.name: SUBJECT; by default the stream's name and -value")
    fields: dict[str, LockedField] = {}
    for one in reversed(versions):
        found = Found(tags.attributes, one.tags)
        _gather(one.schema, None, found)
        for path, field in found.fields.items():
            fields.setdefault(path, field if one is versions[-1] else field.model_copy(update={"removed": True}))
    known = tuple(SchemaVersion(digest=digest(one.schema), id=one.id, version=one.version) for one in versions)
    return SchemaLock("registry", name, versions[-1].schema.kind or "AVRO", fields, known)


def _gather(schema: Schema, name: str | None, found: Found) -> str:
    match schema.kind:
        case "PROTOBUF":
            return protobuf.fields(schema, name, found)
        case "JSON":
            json_schema.fields(schema.text, schema.references, found)
        case _:
            avro.fields(schema.text, schema.references, found)
    return ""


def merged(old: SchemaLock | None, new: SchemaLock, accept_lost: bool) -> SchemaLock:
    """The lock file to write: tags that the source has lost stay as such, and versions that it no longer has stay known.

    Args:
        old: the lock file before; None where there was none.
        new: from the source.
        accept_lost: lost tags go.
    """
    if old is None:
        return new
    fields = {}
    for path, field in new.fields.items():
        before = old.fields.get(path)
        lost = () if before is None or accept_lost else tuple(sorted({*before.effective} - {*field.tags}))
        fields[path] = field.model_copy(update={"lost": lost})
    digests = {one.digest for one in new.versions}
    kept = (one for one in old.versions if one.digest not in digests)
    return SchemaLock(new.source, new.name, new.format, fields, (*kept, *new.versions))


def read_lock(path: Path) -> SchemaLock | None:
    """A lock file; None where there is none. A broken one is not passed over: nobody could tell which tags were lost since.

    Raises:
        PolicyError: it is no lock file.
        OSError: it cannot be read.
    """
    try:
        return SchemaLock.parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, PolicyError):
        failure = PolicyError(f"{path}: this is no lock file of this version. Hint: restore it from version control; or remove it, pull, "
                              "and review all of it")
    raise failure


def write_lock(path: Path, lock: SchemaLock) -> None:
    """Put a lock file in place, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(lock.text())
        Path(name).chmod(0o644 if not path.exists() else path.stat().st_mode & 0o777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
