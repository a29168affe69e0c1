"""The text of a policy and of the files that it names, as one value that a job carries to its workers."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flink_masking.documents.document import Document, cut
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError, PolicyError
from flink_masking.policy.files import LARGEST, read_below, read_text
from flink_masking.policy.tags import LOCK


@dataclass(frozen=True)
class PolicySource:
    """A policy as text, with the files that it names; plain strings, so it can be pickled.

    Attributes:
        name: where it was read from, for faults.
        text: the YAML.
        files: contents of the files that the policy names, by the name written there.
        unreadable: why a file that the policy names could not be read, by its name; `load` makes a fault of it, with its line.
        columns: those of the input's header, in place of what the policy names; None: what the policy names.
        folded: the input's records have their line breaks written otherwise, see `flink_masking.records.codec.folded`.
    """

    name: str
    text: str
    files: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    folded: bool = False

    @classmethod
    def read(cls, path: str | Path) -> "PolicySource":
        """Read a policy and the files that it names (hierarchies, schemas and its lock file, which lie below the policy's folder).

        Broken YAML is no error here: `load` reports it.

        Raises:
            InputError: the policy itself cannot be read.
        """
        path = Path(path)
        try:
            text = read_text(path)
        except InputError as error:
            failure = InputError(f"{path}: {error}. Hint: check the name; a policy is a YAML file")
        else:
            return cls.of_text(path, text)
        raise failure

    @classmethod
    def of_text(cls, path: str | Path, text: str) -> "PolicySource":
        """A text as the policy at a path, which need not exist, with the files that it names, read from the path's folder.

        A file that cannot be read is no error here, and neither is broken YAML: `load` reports both.
        """
        path = Path(path)
        try:
            document = Document(str(path), text).value
            named = sorted({*_file_names(document), *_lock_names(document)})
        except PolicyFaults:
            named = []
        files: dict[str, str] = {}
        unreadable: dict[str, str] = {}
        size = 0
        for name in named:
            try:
                content = read_below(path.parent, name)
            except InputError as error:
                unreadable[name] = str(error)
                continue
            size += len(content.encode())
            if size > LARGEST:
                unreadable[name] = f"the files that the policy names are larger than {LARGEST:,} bytes together"
            else:
                files[name] = content
        return cls(str(path), text, files, unreadable)

    def file(self, name: str) -> str:
        """The contents of a file that the policy names.

        Raises:
            PolicyError: it did not come with the policy, or could not be read.
        """
        if name not in self.files:
            reason = self.unreadable.get(name, "the file did not come with the policy")
            raise PolicyError(f"{cut(name)}: {reason}. Hint: files that a policy names lie below its folder, and names are relative to it")
        return self.files[name]

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over the text and the files; the name does not count."""
        total = hashlib.sha256()
        for part in (self.text, *(part for item in sorted(self.files.items()) for part in item)):
            data = part.encode()
            total.update(len(data).to_bytes(8, "big") + data)
        return total.hexdigest()


def _lock_names(document: Any) -> Iterator[str]:
    """The lock file that a policy with tags has."""
    tags = document.get("tags") if isinstance(document, dict) else None
    if isinstance(tags, dict):
        name = tags.get("lock", LOCK)
        if isinstance(name, str) and name:
            yield name


def _file_names(value: Any, top: bool = True) -> Iterator[str]:
    """The files that a policy names: the text under every key ``hierarchy``, and the schemas of its records and of their keys."""
    if top and isinstance(value, dict):
        record = value.get("record")
        for named in (value.get("schema"), record.get("key_schema") if isinstance(record, dict) else None):
            yield from (name for name in (named.values() if isinstance(named, dict) else [named]) if isinstance(name, str) and name)
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "hierarchy" and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _file_names(inner, False)
    elif isinstance(value, list):
        for inner in value:
            yield from _file_names(inner, False)
