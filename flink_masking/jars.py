"""Connector jars: found by Maven coordinates, fetched once into a cache, and trusted by checksum only.

The checksum of every jar is pinned, in the table here or beside the coordinates, so it makes no difference which repository or mirror
it came from. It is verified on download and on every use. The cache is laid out as a Maven repository is; a machine without a network
is served by putting the file there.
"""

import hashlib
import os
import re
import tempfile
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from flink_masking.errors import InputError, JobError
from flink_masking.jar_resolvers import EXTRA, REPOSITORY, ResolverError, resolver, without_login
from flink_masking.patience import COMMAND_SECONDS, persist

_COORDINATES = re.compile(r"([\w.-]+):([\w.-]+):([\w.+-]+)(?:@sha256:([0-9a-f]{64}))?")


@dataclass(frozen=True)
class Artifact:
    """A jar in a Maven repository, and what it must hash to.

    Attributes:
        group: such as ``org.apache.flink``.
        name: such as ``flink-sql-connector-kafka``.
        version: such as ``5.0.0-2.2``.
        sha256: of the file, 64 hexadecimal digits.
        packaging: what the file is, and its ending.
        classifier: tells apart several files of one version.
    """

    group: str
    name: str
    version: str
    sha256: str
    packaging: str = "jar"
    classifier: str = ""

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
        """``group:name:version``, and of what is no plain jar ``:packaging:classifier``."""
        plain = f"{self.group}:{self.name}:{self.version}"
        return plain if (self.packaging, self.classifier) == ("jar", "") else f"{plain}:{self.packaging}:{self.classifier}"

    @property
    def path(self) -> str:
        """Where every Maven repository keeps it, relative to its root."""
        file = f"{self.name}-{self.version}" + (f"-{self.classifier}" if self.classifier else "")
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}/{file}.{self.packaging}"


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
            repository: address of the only Maven repository to ask; what `FLINK_MASKING_MAVEN_REPOSITORY` names unless given, else those
                that the resolver is configured for.
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
                raise JobError(f"jar {jar.coordinates}: {target} does not match its pinned checksum. Hint: remove it and fetch it "
                               "again with a network: flink-masking jars")
        elif self._offline:
            raise JobError(f"jar {jar.coordinates} is missing. Hint: fetch it with a network (flink-masking jars), or put it to {target}")
        self._fetch(jar, target)
        return target

    def _fetch(self, jar: Artifact, target: Path) -> None:
        given = self._repository or os.environ.get(REPOSITORY) or None
        found = resolver(given)
        if found is None:
            raise JobError(f"jar {jar.coordinates}: {'jgo is not' if given else 'neither jgo nor Maven is'} installed to fetch it. Hint: "
                           f"pip install '{EXTRA}', or put the jar to {target}")  # fmt: skip
        name, fetch = found

        def fetched() -> None:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as part:
                fetch(jar.coordinates, Path(part))
                [file] = Path(part).rglob(target.name)
                if _digest(file) != jar.sha256:
                    raise JobError(f"jar {jar.coordinates}: the jar that {name} fetched does not match its pinned checksum. Hint: it "
                                   f"was cut short, or the repository is not trustworthy; name another one to {name}, or in {REPOSITORY}")
                os.chmod(file, 0o644)
                os.replace(file, target)

        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            persist(fetched, lambda error: isinstance(error, ResolverError) and error.again, COMMAND_SECONDS)
        except (ResolverError, OSError, ValueError) as error:
            what = str(error) if isinstance(error, ResolverError) else getattr(error, "strerror", None) or "no such file came"
            raise JobError(f"jar {jar.coordinates} cannot be fetched with {name} ({without_login(what)}). Hint: name a repository that can "
                           f"be reached in the configuration of {name} or in {REPOSITORY}, or put the jar to {target}") from None


def cache_directory() -> Path:
    """Where jars are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "flink-masking" / "jars"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
