"""Questions to a schema registry: schemas by their identifiers with all that they refer to, subjects, compatibility."""

import urllib.parse
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from flink_masking.errors import RegistryError, SchemaRefusedError
from flink_masking.registry.cache import SchemaCache
from flink_masking.registry.connection import Answer, Connection
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import Schema, SchemaId

MOST_REFERENCES = 200
"""Schemas that one schema may refer to, directly and through others."""
MOST_VERSIONS = 500
"""Versions of a subject that are asked for."""
_NOT_THERE = range(40_400, 40_500)
"""Codes of the Confluent API for a subject, version or schema that does not exist; a plain 404 says that the address is wrong."""
_OTHER_FORM = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading an answer of another form raises."""


class Registered(NamedTuple):
    """A version of a subject.

    Attributes:
        id: of the schema, as the Confluent framing carries it.
        version: within the subject.
        schema: with all that it refers to.
        tags: what the registry holds in ``metadata.tags``: tags by path.
    """

    id: int
    version: int
    schema: Schema
    tags: Mapping[str, tuple[str, ...]]


class Placed(NamedTuple):
    """Where a schema is registered under a subject.

    Attributes:
        id: as the Confluent framing carries it.
        version: within the subject.
        guid: None where the registry has none.
    """

    id: int
    version: int
    guid: str | None


class RegistryClient:
    """A registry; each call sends its requests, nothing is kept."""

    def __init__(self, options: RegistryOptions, patience: float = 0.0) -> None:
        """Read logins and certificates.

        Args:
            options: of the registry.
            patience: seconds for which each request is repeated while the registry is away; 0 where the caller repeats whole questions.

        Raises:
            RegistryError: they cannot be used.
        """
        self._connection, self._shown = Connection(options, patience), options.shown
        self._native = options.api == "apicurio"
        self._confluent = "/apis/ccompat/v7" if self._native else ""

    def schema(self, identifier: SchemaId) -> Schema | None:
        """The schema with an identifier, with all that it refers to; None where the registry has none of this identifier.

        Args:
            identifier: ``id`` and ``guid`` of the Confluent API; ``content`` and ``global`` of Apicurio.

        Raises:
            RegistryUnavailableError: the registry is away.
            RegistryError: it refuses the login, or is no registry of this API.
        """
        if identifier.kind == "guid":
            return self._of_confluent(self._asked("GET", f"/schemas/guids/{_escaped(str(identifier.value))}"))
        if identifier.kind == "id" or not self._native:
            return self._of_confluent(self._asked("GET", f"/schemas/ids/{int(identifier.value)}"))
        return self._of_apicurio(f"/apis/registry/v3/ids/{identifier.kind}Ids/{int(identifier.value)}", "")

    def latest(self, subject: str) -> Registered | None:
        """The latest version of a subject; None where it has none.

        Raises:
            RegistryUnavailableError, RegistryError: as `schema`.
        """
        return self._registered(self._asked("GET", f"/subjects/{_escaped(subject)}/versions/latest"))

    def versions(self, subject: str) -> list[Registered]:
        """All versions of a subject, the earliest first; none where there is no such subject.

        Raises:
            RegistryUnavailableError, RegistryError: as `schema`; the latter also for more than `MOST_VERSIONS`.
        """
        numbers = self._asked("GET", f"/subjects/{_escaped(subject)}/versions")
        if numbers is None:
            return []
        if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
            raise self._unclear()
        if len(numbers) > MOST_VERSIONS:
            raise RegistryError(f"registry {self._shown}: a subject has more than {MOST_VERSIONS} versions. Hint: delete those that no "
                                "record has")
        found = [self._registered(self._asked("GET", f"/subjects/{_escaped(subject)}/versions/{number}")) for number in sorted(numbers)]
        return [one for one in found if one is not None]

    def _registered(self, found: Any) -> Registered | None:
        """The version of a subject in an answer."""
        schema = self._of_confluent(found)
        if schema is None or found is None:
            return None
        tags = (found.get("metadata") or {}).get("tags") or {}
        try:
            told = {str(path): tuple(map(str, named)) for path, named in tags.items()}
            return Registered(int(found["id"]), int(found["version"]), schema, told)
        except _OTHER_FORM:
            raise self._unclear() from None

    def register(self, subject: str, schema: Schema, references: Sequence[tuple[str, str, int]] = ()) -> int:
        """Register a schema under a subject; what is registered already keeps its id.

        Args:
            subject: such as ``orders-value``.
            schema: its text and kind.
            references: name, subject and version of each schema that it refers to.

        Returns:
            Its id.

        Raises:
            RegistryUnavailableError: the registry is away.
            SchemaRefusedError: the registry refuses the schema, as one that is invalid or not compatible.
        """
        answer = self._connection.ask("POST", f"{self._confluent}/subjects/{_escaped(subject)}/versions", _body(schema, references))
        found = answer.json()
        if answer.status != 200:
            raise SchemaRefusedError(f"registry {self._shown}: subject {subject}: the schema is refused ({_told(answer)}). Hint: see the "
                                     "subject's compatibility level, and flink-masking check")
        try:
            return int(found["id"])
        except _OTHER_FORM:
            raise self._unclear() from None

    def placed(self, subject: str, schema: Schema) -> Placed | None:
        """Where a schema is registered under a subject; None where it is not.

        Raises:
            RegistryUnavailableError, RegistryError: as `schema`.
        """
        answer = self._connection.ask("POST", f"{self._confluent}/subjects/{_escaped(subject)}", _body(schema, ()))
        found = answer.json()
        if answer.status == 404 and _missing(found):
            return None
        if answer.status != 200:
            raise RegistryError(f"registry {self._shown}: subject {subject}: the schema cannot be looked up ({_told(answer)}). Hint: see "
                                "whether it is valid by itself, and the path in registry.url")
        try:
            guid = found.get("guid")
            return Placed(_number(found["id"], 32), int(found["version"]), str(uuid.UUID(guid)) if guid else None)
        except _OTHER_FORM:
            raise self._unclear() from None

    def native_ids(self, subject: str, version: int) -> tuple[int, int]:
        """Content id and global id of a version of a subject, by Apicurio's own API.

        Raises:
            RegistryUnavailableError, RegistryError: as `schema`; the latter also where the deployment names another API.
        """
        if not self._native:
            raise RegistryError(f"registry {self._shown}: records name schemas by identifiers of Apicurio's own API. Hint: registry.api: "
                                "apicurio, and the server's address without a path")
        found = self._connection.ask("GET", f"/apis/registry/v3/groups/default/artifacts/{_escaped(subject)}/versions/{version}").json()
        try:
            return _number(found["contentId"], 32), _number(found["globalId"], 64)
        except _OTHER_FORM:
            raise self._unclear() from None

    def compatible(self, subject: str, schema: Schema, references: Sequence[tuple[str, str, int]] = ()) -> bool:
        """Whether a schema may follow the latest version of a subject, by the subject's compatibility level; True for a new subject.

        Raises:
            RegistryUnavailableError: the registry is away.
            RegistryError: the registry does not take it for a schema.
        """
        answer = self._connection.ask("POST", f"{self._confluent}/compatibility/subjects/{_escaped(subject)}/versions/latest",
                                      _body(schema, references))
        found = answer.json()
        if answer.status == 404 and _missing(found):
            return True
        if answer.status != 200 or not isinstance(found, dict) or not isinstance(found.get("is_compatible"), bool):
            raise RegistryError(f"registry {self._shown}: subject {subject}: the schema cannot be compared ({_told(answer)}). Hint: see "
                                "whether it is valid by itself")
        return bool(found["is_compatible"])

    def subjects(self) -> list[str]:
        """The names of all subjects.

        Raises:
            RegistryUnavailableError, RegistryError: as `schema`.
        """
        found = self._asked("GET", "/subjects")
        if not isinstance(found, list):
            raise self._unclear()
        return [str(name) for name in found]

    def _asked(self, method: Literal["GET"], path: str) -> Any:
        """The answer of the Confluent API; None for what does not exist."""
        answer = self._connection.ask(method, self._confluent + path)
        found = answer.json()
        if answer.status == 404 and _missing(found):
            return None
        if answer.status != 200 or found is None:
            raise RegistryError(f"registry {self._shown}: no answer of the Confluent API ({_told(answer)}). Hint: the path in "
                                "registry.url; Apicurio Registry has this API at /apis/ccompat/v7. GUIDs need a server that knows them")
        return found

    def _of_confluent(self, found: Any) -> Schema | None:
        """The schema in an answer, with what it refers to."""
        if found is None:
            return None
        try:
            files: dict[str, str] = {}
            self._gather(found, files)
            return Schema(_schema_of(found), str(found.get("schemaType") or "AVRO"), files)
        except _OTHER_FORM:
            raise self._unclear() from None

    def _gather(self, found: Any, files: dict[str, str]) -> None:
        """Add what a schema refers to, the innermost first, so that each stands behind what it needs."""
        for reference in found.get("references") or ():
            name = str(reference["name"])
            if name in files:
                continue
            if len(files) >= MOST_REFERENCES:
                raise RegistryError(f"registry {self._shown}: a schema refers to more than {MOST_REFERENCES} others. Hint: bundle them")
            files[name] = ""  # a circle ends here
            place = f"/subjects/{_escaped(str(reference['subject']))}/versions/{int(reference['version'])}"
            inner = self._asked("GET", place)
            if inner is None:
                raise RegistryError(f"registry {self._shown}: a schema refers to a version of a subject that is not there. Hint: "
                                    "restore it")
            self._gather(inner, files)
            del files[name]
            files[name] = _schema_of(inner)

    def _of_apicurio(self, place: str, name: str) -> Schema | None:
        """The schema at a place of Apicurio's own API."""
        answer = self._connection.ask("GET", place)
        if answer.status == 404 and isinstance(found := answer.json(), dict) and str(found.get("name", "")).endswith("NotFoundException"):
            return None
        files: dict[str, str] = {}
        self._gather_native(place, files)
        return Schema(self._text(answer), "", files)

    def _gather_native(self, place: str, files: dict[str, str]) -> None:
        references = self._connection.ask("GET", f"{place.removesuffix('/content')}/references").json()
        if not isinstance(references, list):
            raise self._unclear()
        for reference in references:
            try:
                name, group = str(reference["name"]), str(reference.get("groupId") or "default")
                inner = (f"/apis/registry/v3/groups/{_escaped(group)}/artifacts/{_escaped(str(reference['artifactId']))}"
                         f"/versions/{_escaped(str(reference['version']))}/content")
            except _OTHER_FORM:
                raise self._unclear() from None
            if name in files:
                continue
            if len(files) >= MOST_REFERENCES:
                raise RegistryError(f"registry {self._shown}: a schema refers to more than {MOST_REFERENCES} others. Hint: bundle them")
            files[name] = ""
            self._gather_native(inner, files)
            del files[name]
            files[name] = self._text(self._connection.ask("GET", inner))

    def _text(self, answer: Answer) -> str:
        if answer.status != 200:
            raise RegistryError(f"registry {self._shown}: no answer of Apicurio's API ({_told(answer)}). Hint: api: apicurio takes the "
                                "server's address without a path")
        try:
            return answer.body.decode()
        except UnicodeDecodeError:
            raise self._unclear() from None

    def _unclear(self) -> RegistryError:
        return RegistryError(f"registry {self._shown}: an answer of another form. Hint: see whether registry.url leads to a schema "
                             "registry, and registry.api names its API")


def _number(found: Any, bits: int) -> int:
    """An identifier in an answer, which a framing has so many bits for."""
    if not 0 <= (number := int(found)) < 1 << bits:
        raise ValueError
    return number


def _schema_of(found: Any) -> str:
    """The text of a schema in an answer."""
    if not isinstance(text := found["schema"], str):
        raise TypeError
    return text


def _escaped(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _missing(found: Any) -> bool:
    return isinstance(found, dict) and found.get("error_code") in _NOT_THERE


def _told(answer: Answer) -> str:
    """The status, and the code of the Confluent API; never the message, which may quote the schema or the address."""
    found = answer.json()
    code = found.get("error_code") if isinstance(found, dict) else None
    return f"HTTP {answer.status}" + (f", code {code}" if isinstance(code, int) else "")


def _body(schema: Schema, references: Sequence[tuple[str, str, int]]) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": schema.text}
    if schema.kind not in ("", "AVRO"):
        body["schemaType"] = schema.kind
    if references:
        body["references"] = [{"name": name, "subject": subject, "version": version} for name, subject, version in references]
    return body


def open_registry(options: RegistryOptions) -> SchemaCache:
    """Connect to a registry; in a worker's ``open()``, because logins do not travel between processes.

    Args:
        options: of the deployment.

    Raises:
        RegistryError: a reference leads nowhere, or a certificate cannot be read.
    """
    return SchemaCache(RegistryClient(options), options.patience, options.entries)
