"""Connector jars: found by Maven coordinates, fetched once into a cache, and trusted by checksum only.

The checksum of every jar is pinned, in the table here or beside the coordinates, so it makes no difference which repository or mirror
it came from. It is verified on download and on every use. The cache is laid out as a Maven repository is; a machine without a network
is served by putting the file there.
"""

import base64
import contextlib
import hashlib
import http.client
import os
import re
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from flink_masking.errors import InputError, JobError

REPOSITORY = "FLINK_MASKING_MAVEN_REPOSITORY"
"""The environment variable that names a Maven repository."""
CENTRAL = "https://repo1.maven.org/maven2"
_TIMEOUT = 30
_CHUNK = 1 << 20
_COORDINATES = re.compile(r"([\w.-]+):([\w.-]+):([\w.+-]+)(?:@sha256:([0-9a-f]{64}))?")


@dataclass(frozen=True)
class Artifact:
    """A jar in a Maven repository, and what it must hash to.

    Attributes:
        group: such as ``org.apache.flink``.
        name: such as ``flink-sql-connector-kafka``.
        version: such as ``5.0.0-2.2``.
        sha256: of the file, 64 hexadecimal digits.
    """

    group: str
    name: str
    version: str
    sha256: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``group:name:version@sha256:…``; the checksum may be left out where the table of connectors has the jar.

        Raises:
            InputError: not of this form, or nobody has said what the jar must hash to.
        """
        found = _COORDINATES.fullmatch(text)
        if found is None or ".." in text:
            raise InputError(f"jar {text!r}: these are no Maven coordinates. Hint: write group:name:version@sha256:… or file:///path")
        group, name, version, sha256 = found.groups()
        for known in CONNECTORS.values():
            if sha256 is None and (known.group, known.name, known.version) == (group, name, version):
                sha256 = known.sha256
        if sha256 is None:
            raise InputError(f"jar {text}: its checksum is not known. Hint: write {text}@sha256: and the 64 digits that its makers publish")
        return cls(group, name, version, sha256)

    @property
    def coordinates(self) -> str:
        """``group:name:version``."""
        return f"{self.group}:{self.name}:{self.version}"

    @property
    def path(self) -> str:
        """Where every Maven repository keeps it, relative to its root."""
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}/{self.name}-{self.version}.jar"


_KAFKA = Artifact("org.apache.flink", "flink-sql-connector-kafka", "5.0.0-2.2",
                  "5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616")  # fmt: skip
CONNECTORS: Mapping[str, Artifact] = {"kafka": _KAFKA, "upsert-kafka": _KAFKA}
"""The jar that each connector of Flink SQL comes in; what is not here either comes with Flink or is named by the deployment."""


def needed(connectors: Iterable[str], named: Iterable[str] | None) -> list[Artifact | Path]:
    """The jars that a job takes along.

    Args:
        connectors: names of the connectors of its tables.
        named: coordinates and ``file://`` addresses that the deployment names besides; a jar of a connector's name takes the place of the
            table's. None: none are named; an empty collection: Flink has all jars already.

    Raises:
        InputError: what is named is neither coordinates with a known checksum nor the address of a file.
    """
    if named is None:
        return list(dict.fromkeys(CONNECTORS[connector] for connector in sorted(set(connectors)) if connector in CONNECTORS))
    given = [_local(text) if text.startswith(("/", "file:")) else Artifact.parse(text) for text in named]
    if not given:
        return []
    stems = [jar.name for jar in given]
    return [jar for jar in needed(connectors, None) if not any(stem.startswith(jar.name) for stem in stems)] + given


def _local(text: str) -> Path:
    path = Path(urllib.parse.unquote(urllib.parse.urlsplit(text).path) if text.startswith("file:") else text)
    if not path.is_absolute():
        raise InputError(f"jar {text}: the path is not absolute. Hint: write file:///path/to/the.jar")
    return path


class JarCache:
    """A directory of jars in the layout of a Maven repository."""

    def __init__(self, directory: Path | None = None, repository: str | None = None, offline: bool = False) -> None:
        """Nothing is read or written yet.

        Args:
            directory: the user's cache directory unless given.
            repository: a URL; `FLINK_MASKING_MAVEN_REPOSITORY`, a mirror in ``~/.m2/settings.xml`` or Maven Central unless given.
            offline: never use the network.
        """
        self._directory = directory or cache_directory()
        self._repository = repository
        self._offline = offline

    def resolve(self, jar: Artifact | Path) -> Path:
        """The jar's file on this machine, fetched if need be, verified in any case.

        Raises:
            JobError: it is not there and cannot be fetched, or is not the jar that it should be; or a file that is named is missing.
        """
        if isinstance(jar, Path):
            if not jar.is_file():
                raise JobError(f"jar {jar}: there is no such file. Hint: see jars: in the deployment")
            return jar
        target = self._directory / jar.path
        if target.is_file():
            if _digest(target) == jar.sha256:
                return target
            if self._offline:
                raise JobError(f"jar {jar.coordinates}: {target} is not the jar that was pinned by checksum. Hint: remove it and fetch it "
                               "again with a network: flink-masking jars")
        elif self._offline:
            raise JobError(f"jar {jar.coordinates} is missing. Hint: fetch it with a network (flink-masking jars), or put it to {target}")
        self._fetch(jar, target)
        return target

    def _fetch(self, jar: Artifact, target: Path) -> None:
        base = (self._repository or repository()).rstrip("/")
        url, headers = _without_login(f"{base}/{jar.path}")
        shown = url.removesuffix(jar.path).rstrip("/")
        hint = f"Hint: name a repository that can be reached in {REPOSITORY}, or put the jar to {target}"
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                hashed = hashlib.sha256()
                request = urllib.request.Request(url)
                for header, value in headers.items():
                    request.add_unredirected_header(header, value)  # a login is for its own host only
                with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                    while chunk := answer.read(_CHUNK):
                        hashed.update(chunk)
                        file.write(chunk)
            if hashed.hexdigest() != jar.sha256:
                raise JobError(f"jar {jar.coordinates}: what {shown} sent is not the jar that was pinned by checksum. Hint: it was cut "
                               f"short, or the repository is not to be trusted; name another one in {REPOSITORY}")
            os.chmod(name, 0o644)
            os.replace(name, target)
        except urllib.error.HTTPError as error:
            raise JobError(f"jar {jar.coordinates} cannot be fetched from {shown} (HTTP {error.code}). {hint}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None)
            what = getattr(reason, "strerror", None) or getattr(error, "strerror", None) or type(reason or error).__name__
            raise JobError(f"jar {jar.coordinates} cannot be fetched from {shown} ({what}). {hint}") from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)


def cache_directory() -> Path:
    """Where jars are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "flink-masking" / "jars"


def repository(settings: Path | None = None) -> str:
    """The Maven repository that jars come from.

    Args:
        settings: Maven's user settings; ``~/.m2/settings.xml`` unless given.

    Returns:
        The URL that `FLINK_MASKING_MAVEN_REPOSITORY` names; else that of the settings' mirror of Maven Central; else Maven Central's own.
    """
    if given := os.environ.get(REPOSITORY):
        return given
    try:
        root = ElementTree.parse(settings or Path.home() / ".m2" / "settings.xml").getroot()
    except (OSError, ElementTree.ParseError, RuntimeError):
        return CENTRAL
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        stands_for = {name.strip() for name in (mirror.findtext("{*}mirrorOf") or "").split(",")}
        url = (mirror.findtext("{*}url") or "").strip()
        if url and stands_for & {"*", "external:*", "central"} and "!central" not in stands_for:
            return url
    return CENTRAL


def _without_login(url: str) -> tuple[str, dict[str, str]]:
    """A URL without user and password, and the header that carries them instead."""
    parts = urllib.parse.urlsplit(url)
    login, separator, host = parts.netloc.rpartition("@")
    bare = urllib.parse.urlunsplit(parts._replace(netloc=host))
    if not separator:
        return bare, {}
    return bare, {"Authorization": "Basic " + base64.b64encode(urllib.parse.unquote(login).encode()).decode()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
