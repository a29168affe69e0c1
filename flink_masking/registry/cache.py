"""Schemas of a source, each asked for once: a bounded cache, and patience with a registry that is away."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flink_masking.errors import RegistryUnavailableError
from flink_masking.patience import SECONDS, persist
from flink_masking.registry.source import Schema, SchemaId, SchemaSource

ENTRIES = 1_000
"""Schemas that a process keeps at most."""
ABSENT_SECONDS = 10.0
"""How long it is remembered that an identifier does not exist; it may be given to a schema later."""


class SchemaCache:
    """A source of schemas in front of another one; safe between threads.

    A schema never changes under its identifier, so what was found is kept for as long as there is room. That an identifier does not exist
    is kept for seconds, so that a flood of wrong records is no flood of requests.
    """

    def __init__(self, source: SchemaSource, patience: float = SECONDS, entries: int = ENTRIES,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        Args:
            source: of the schemas.
            patience: seconds for which a source that is away is waited for, at each call.
            entries: schemas that are kept; the ones used longest ago go first.
            clock: monotonic seconds.
        """
        self._source, self._patience, self._entries, self._clock = source, patience, max(1, entries), clock
        self._kept: OrderedDict[SchemaId, Schema] = OrderedDict()
        self._absent: OrderedDict[SchemaId, float] = OrderedDict()
        self._lock = threading.Lock()

    def schema(self, identifier: SchemaId) -> Schema | None:
        """The schema with an identifier; None where there is none.

        Raises:
            RegistryUnavailableError: the source was away for longer than the patience.
            RegistryError: the source cannot be used.
        """
        with self._lock:
            if (kept := self._kept.get(identifier)) is not None:
                self._kept.move_to_end(identifier)
                return kept
            if self._clock() < self._absent.get(identifier, float("-inf")):
                return None
        found = persist(lambda: self._source.schema(identifier), lambda error: isinstance(error, RegistryUnavailableError), self._patience)
        with self._lock:
            if found is None:
                self._absent[identifier] = self._clock() + ABSENT_SECONDS
                self._absent.move_to_end(identifier)
            else:
                self._absent.pop(identifier, None)
                self._kept[identifier] = found
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)
            while len(self._absent) > self._entries:
                self._absent.popitem(last=False)
        return found
