"""Schemas of views registered under subjects of their own, when they are first needed."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flink_masking.errors import RegistryUnavailableError, SchemaRefusedError
from flink_masking.patience import persist
from flink_masking.registry.cache import ABSENT_SECONDS
from flink_masking.registry.client import Placed, RegistryClient
from flink_masking.registry.locked import digest
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import IdKind, Schema, SchemaId

_log = logging.getLogger(__name__)


class RegisteredOutputs:
    """Gives each schema of a view the identifier that it has under the view's subject; see `OutputSchemas`. Safe between threads.

    What is not registered yet is registered, where the options allow it and the registry finds it compatible. A refusal is kept for
    seconds, so that a flood of records is no flood of requests, and a subject that was corrected is found.
    """

    def __init__(self, client: RegistryClient, options: RegistryOptions, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        Args:
            client: of the registry.
            options: subjects of the views, patience, whether schemas may be registered, entries that are kept.
            clock: monotonic seconds.
        """
        self._client, self._options, self._clock = client, options, clock
        self._subjects = dict(options.subjects)
        self._known: OrderedDict[tuple[str, str, IdKind], SchemaId] = OrderedDict()
        self._refused: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()
        self._lock = threading.RLock()

    def identifier(self, view: str, schema: Schema, kind: IdKind = "id") -> SchemaId:
        """The identifier of a view's schema, which is registered if need be; for the rest see `OutputSchemas`."""
        key = view, schema.text, kind
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
            until, told = self._refused.get(key[:2], (float("-inf"), ""))
            if self._clock() < until:
                raise SchemaRefusedError(told)
            try:
                found = self._known[key] = persist(lambda: self._identified(self.register(view, schema), self.subject(view), kind),
                                                   lambda error: isinstance(error, RegistryUnavailableError), self._options.patience)
            except SchemaRefusedError as error:
                self._refused[key[:2]] = self._clock() + ABSENT_SECONDS, str(error)
                _log.warning("%s", error)
                raise
            finally:
                for kept in (self._known, self._refused):
                    while len(kept) > self._options.entries:
                        kept.popitem(last=False)
            return found

    def subject(self, view: str) -> str:
        """The subject of a view's schemas.

        Raises:
            SchemaRefusedError: none is named.
        """
        if view not in self._subjects:
            raise SchemaRefusedError(f"view {view}: its schema differs from that of the records, and no subject is named to register it "
                                     f"under. Hint: registry.subjects: {{{view}: SUBJECT}} in the deployment, or techniques that keep the "
                                     "type")
        return self._subjects[view]

    def fits(self, view: str, schema: Schema) -> Placed | None:
        """Ask whether a schema is registered, or may be; nothing is changed.

        Returns:
            Where it is registered; None where it is not yet.

        Raises:
            RegistryUnavailableError: the registry is away.
            SchemaRefusedError: the subject does not take it, none is named, or nothing may be registered.
            RegistryError: the registry cannot be used.
        """
        subject = self.subject(view)
        found = self._client.placed(subject, schema) or self._laid_out_otherwise(subject, schema)
        if found is None and not self._options.register:
            raise SchemaRefusedError(f"view {view}: its schema is not registered under subject {subject}, and the job registers none. "
                                     "Hint: register what flink-masking check prints, or registry.register: true")
        if found is None and not self._client.compatible(subject, schema):
            raise SchemaRefusedError(f"view {view}: its schema is not compatible with the latest version of subject {subject}. Hint: "
                                     "flink-masking check prints it where the policy names a schema; use a technique that keeps the "
                                     f"type, another subject (registry.subjects: {{{view}: SUBJECT}}), or another compatibility level")
        return found

    def register(self, view: str, schema: Schema) -> Placed:
        """Register a schema under its view's subject, unless it is there; for the errors see `fits`."""
        if (found := self.fits(view, schema)) is not None:
            return found
        subject = self.subject(view)
        number = self._client.register(subject, schema)
        _log.info("view %s: its schema is registered under subject %s with id %d", view, subject, number)
        found = self._client.placed(subject, schema)
        if found is None:
            raise RegistryUnavailableError(f"registry {self._options.shown}: subject {subject} does not show a schema that was just "
                                           "registered. Hint: the same call may succeed later")
        return found

    def _laid_out_otherwise(self, subject: str, schema: Schema) -> Placed | None:
        """Where the same schema is registered with other spaces or line breaks, which some registries take for another one."""
        wanted = digest(schema)
        same = next((one.schema for one in reversed(self._client.versions(subject)) if digest(one.schema) == wanted), None)
        return None if same is None else self._client.placed(subject, same)

    def _identified(self, placed: Placed, subject: str, kind: IdKind) -> SchemaId:
        """The identifier of a kind; of a registry without GUIDs the id, which every reader of GUIDs takes as well."""
        if kind == "guid" and placed.guid is not None:
            return SchemaId("guid", placed.guid)
        if kind in ("content", "global"):
            content, whole = self._client.native_ids(subject, placed.version)
            return SchemaId("content", content) if kind == "content" else SchemaId("global", whole)
        return SchemaId("id", placed.id)


def open_outputs(options: RegistryOptions) -> RegisteredOutputs:
    """Connect to a registry; in a worker's ``open()``, because logins do not travel between processes.

    Args:
        options: of the deployment.

    Raises:
        RegistryError: a reference leads nowhere, or a certificate cannot be read.
    """
    return RegisteredOutputs(RegistryClient(options), options)
