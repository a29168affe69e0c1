"""Where a schema registry is and how it is spoken to; picklable, and free of secrets."""

import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from flink_masking.addresses.endpoints import is_loopback
from flink_masking.addresses.passwords import holds_password
from flink_masking.addresses.references import REFERENCE, value_of
from flink_masking.errors import RegistryError
from flink_masking.patience import COMMAND_SECONDS, SECONDS
from flink_masking.registry.cache import ENTRIES

SECRETS = ("password", "token")
"""Options that are given by reference only."""
TIMEOUT = 10.0
"""Default seconds that an answer may take."""


@dataclass(frozen=True)
class RegistryOptions:
    """The address of a registry; it becomes part of the job graph.

    Attributes:
        url: ``https://host:port/path``; of Apicurio Registry with ``api: confluent`` the path of its Confluent API
            (``/apis/ccompat/v7``), with ``api: apicurio`` the server's address.
        api: which API is spoken.
        user: for basic authentication, with `password`.
        password: a reference, ``${env:NAME}`` or ``${file:/path}``.
        token: a reference to a bearer token.
        ca: path of a PEM file that the server's certificate is checked against; the system's authorities unless given.
        certificate: path of a PEM file, the client's certificate; it may hold the key, too.
        key: path of a PEM file, the client's private key.
        timeout: seconds that an answer may take.
        patience: seconds for which a registry that is away is waited for.
        entries: schemas that are kept at most; the ones used longest ago go first.
        subjects: pairs of a view and the subject that its schemas are registered under, where they differ from those of the records; of
            the keys of its records under the view's name and ``.key``. A mapping is taken, too.
        register: schemas of views are registered when they are first needed; False: they must be there.
    """

    url: str
    api: Literal["confluent", "apicurio"] = "confluent"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    timeout: float = TIMEOUT
    patience: float = SECONDS
    entries: int = ENTRIES
    subjects: tuple[tuple[str, str], ...] | Mapping[str, str] = ()
    register: bool = True

    def __post_init__(self) -> None:
        """Check the options; raises RegistryError."""
        pairs = self.subjects.items() if isinstance(self.subjects, Mapping) else self.subjects
        object.__setattr__(self, "subjects", tuple((str(view), str(subject)) for view, subject in pairs))
        for name, text in faults_of(asdict(self)):
            raise RegistryError(f"registry.{name}: {text}")

    def encode(self) -> str:
        """As text, for a job parameter; there are no secrets in it."""
        written = {**asdict(self), "subjects": dict(self.subjects) or ()}
        return json.dumps({name: value for name, value in written.items() if value != getattr(type(self), name, None)})

    @classmethod
    def decode(cls, text: str) -> "RegistryOptions":
        """The options of `encode`, or of an address alone.

        Raises:
            RegistryError: neither of them, or an option is wrong.
        """
        if not text.startswith("{"):
            return cls(text)
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            failure = RegistryError("registry: these options cannot be read. Hint: an address, or print the script again with "
                                    "flink-masking sql job")
        raise failure

    @property
    def unencrypted(self) -> bool:
        """Whether schemas and logins cross a network in clear."""
        return self.url.startswith("http://") and not is_loopback(urllib.parse.urlsplit(self.url).netloc)

    @property
    def command_patience(self) -> float:
        """Seconds for which commands wait, and the checks before a job starts: `patience`, and no longer than a person would."""
        return min(self.patience, COMMAND_SECONDS)

    @property
    def shown(self) -> str:
        """The address for messages: scheme, host and port."""
        parts = urllib.parse.urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")

    def secret(self, name: str, environment: Mapping[str, str]) -> str | None:
        """The value that a secret option refers to, for the process that connects; never kept.

        Raises:
            InputError: the variable or file is not there.
        """
        value = getattr(self, name)
        match = REFERENCE.fullmatch(value) if value is not None else None
        return None if match is None else value_of(f"registry.{name}", match[1], match[2], Path("/"), environment)


def faults_of(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the options of `RegistryOptions`, as pairs of an option and ``message. Hint: …``; no value stands in it."""
    found = _address_faults(options["url"])
    for name in ("ca", "certificate", "key"):
        if options[name] is not None and not Path(options[name]).is_absolute():
            found.append((name, "a relative file name, and workers run in other directories. Hint: an absolute path"))
    for name in SECRETS:
        value = options[name]
        if value is None:
            continue
        if (match := REFERENCE.fullmatch(value)) is None:
            found.append((name, "it stands here in clear. Hint: ${file:/path} or ${env:NAME}, which the job and its workers resolve"))
        elif match[1] == "file" and not Path(match[2]).is_absolute():
            found.append((name, "a relative file name, and workers run in other directories. Hint: ${file:/absolute/path}"))
    if (options["user"] is None) != (options["password"] is None):
        missing, there = ("password", "user") if options["password"] is None else ("user", "password")
        found.append((there, f"{missing} is missing. Hint: give both for basic authentication, or a token"))
    if options["token"] is not None and options["user"] is not None:
        found.append(("token", "basic authentication and a token at once. Hint: give one of them"))
    if options["key"] is not None and options["certificate"] is None:
        found.append(("key", "the certificate is missing. Hint: certificate: /path/client.pem"))
    return found


def _address_faults(url: str) -> list[tuple[str, str]]:
    hint = "Hint: https://host:port, and for Apicurio Registry with api: confluent https://host:port/apis/ccompat/v7"
    try:
        parts = urllib.parse.urlsplit(url)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.port == 0
    except ValueError:
        return [("url", f"this is no address. {hint}")]
    if "@" in parts.netloc or holds_password(url):
        return [("url", "the address holds a login. Hint: user: and password: ${file:/path}")]
    if wrong or re.search(r"[\s\x00-\x1f\x7f]", url):
        return [("url", f"this is no http:// or https:// address. {hint}")]
    return []
