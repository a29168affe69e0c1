"""Schemas that a lock file knows: records of others are drift."""

import hashlib
import json
import threading
from collections.abc import Collection

from flink_masking.registry.source import Schema, SchemaId, SchemaSource

MOST = 1_000
"""Identifiers of unknown schemas that are remembered, and told once each."""


def digest(schema: Schema) -> str:
    """SHA-256 of a schema, hex; the same however a registry lays out its JSON or ends its lines.

    >>> digest(Schema('{"type": "string"}')) == digest(Schema('{ "type":"string" }', "AVRO"))
    True
    """
    total = hashlib.sha256()
    for text in (*schema.references.values(), schema.text):
        try:
            text = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
        except (ValueError, RecursionError):
            text = "\n".join(line.strip() for line in text.splitlines() if line.strip())
        data = text.encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


class LockedSchemas:
    """A source of schemas in front of another one that notes schemas which a lock file does not know; safe between threads."""

    def __init__(self, source: SchemaSource, known: Collection[str], strict: bool) -> None:
        """Start with nothing noted.

        Args:
            source: of the schemas.
            known: digests of the lock file's versions.
            strict: unknown schemas are not given out, so that their records go to quarantine.
        """
        self._source, self._known, self._strict = source, frozenset(known), strict
        self._seen: dict[SchemaId, bool] = {}
        self._drift: list[SchemaId] = []
        self._lock = threading.Lock()

    def schema(self, identifier: SchemaId) -> Schema | None:
        """The schema with an identifier; None where there is none, or where the lock file does not know it and the contract is strict.

        Raises:
            RegistryUnavailableError, RegistryError: as the source.
        """
        found = self._source.schema(identifier)
        if found is None:
            return None
        with self._lock:
            known = self._seen.get(identifier)
        if known is None:
            known = digest(found) in self._known
            with self._lock:
                if identifier not in self._seen and not known and len(self._drift) < MOST:
                    self._drift.append(identifier)
                if len(self._seen) < MOST:
                    self._seen[identifier] = known
        return None if self._strict and not known else found

    @property
    def unknown(self) -> int:
        """Identifiers of unknown schemas that were met so far."""
        with self._lock:
            return sum(not known for known in self._seen.values())

    def drift(self) -> list[SchemaId]:
        """Identifiers of the unknown schemas that were asked for since the last call, each told once."""
        with self._lock:
            found, self._drift = self._drift, []
        return found
