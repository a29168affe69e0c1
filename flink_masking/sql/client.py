"""Sets up Flink's SQL client: PyFlink ships the client without the jar of the SQL gateway that it requires."""

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from flink_masking.errors import InputError, JobError
from flink_masking.jars import Artifact, JarCache, cache_directory

GATEWAYS: Mapping[str, Artifact] = {
    version: Artifact("org.apache.flink", "flink-sql-gateway", version, sha256)
    for version, sha256 in {"2.3.0": "aad296a152dc367ddd70727f5a57dd61958cff3d8dceb1f947bf8d9705c8d724"}.items()
}
"""The gateway's jar by the version of Flink."""
_COPIED = ("bin", "conf")
"""Folders of a Flink home that an overlay has copies of: scripts find their home by where they lie, and settings are the user's."""
_LINKED = ("lib", "opt")
"""Folders whose files are linked one by one: Flink's scripts do not look into a folder that is a link."""


class Client(NamedTuple):
    """A SQL client that starts.

    Attributes:
        script: ``sql-client.sh``.
        notes: what was done, or why nothing was; a line each.
    """

    script: Path
    notes: tuple[str, ...]


def flink_home(given: Path | None, environment: Mapping[str, str]) -> Path:
    """The Flink distribution whose client is meant: the one given, that of FLINK_HOME, or the one that PyFlink carries.

    Raises:
        InputError: there is none, or it has no SQL client.
    """
    if given is not None:
        home, named = given, "--flink-home"
    elif environment.get("FLINK_HOME"):
        home, named = Path(environment["FLINK_HOME"]), "FLINK_HOME"
    else:
        found = importlib.util.find_spec("pyflink")
        if found is None or not found.submodule_search_locations:
            raise InputError("no Flink is installed here. Hint: name its directory: --flink-home /opt/flink")
        home, named = Path(found.submodule_search_locations[0]), "PyFlink"
    home = home.absolute()
    if not (home / "bin" / "sql-client.sh").is_file() or not list((home / "opt").glob("flink-sql-client-*.jar")):
        raise InputError(f"{named}: {home} has no SQL client (bin/sql-client.sh and opt/flink-sql-client-*.jar). Hint: name the directory "
                         "of a Flink distribution: --flink-home /opt/flink")
    return home


def set_up(home: Path, jars: JarCache, into: Path | None = None) -> Client:
    """Put the gateway's jar where the client looks, unless it has one.

    The jar goes into ``opt`` of the distribution. Where that cannot be written, or `into` is given, a Flink home is made elsewhere that has
    the jar and links to all else; the installation stays as it is. Doing it again changes nothing.

    Args:
        home: of the distribution.
        jars: where the jar comes from, held against its checksum.
        into: the directory of a Flink home of its own.

    Raises:
        InputError: no checksum is known for this version of Flink, or `into` holds something else.
        JobError: the jar cannot be had, or nothing can be written.
    """
    if into is None and (there := sorted((home / "opt").glob("flink-sql-gateway-*.jar"))):
        return Client(home / "bin" / "sql-client.sh", (_judged(there[0], home),))
    jar = jars.resolve(_artifact(home))
    if into is None:
        try:
            _copy(jar, home / "opt" / jar.name)
        except OSError as error:
            into = cache_directory().parent / f"flink-home-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
            note = f"{home / 'opt'} cannot be written ({error.strerror}), so a Flink home was made in {into}"
        else:
            return Client(home / "bin" / "sql-client.sh", (f"{jar.name} was put into {home / 'opt'}",))
    else:
        note = f"a Flink home with {jar.name} was made in {into}"
    into = into.absolute()
    if not _overlay(home, jar, into):
        note = f"a Flink home with {jar.name} is in {into} already"
    return Client(into / "bin" / "sql-client.sh", (note, f"its settings are {into / 'conf' / 'config.yaml'}, a copy"))


def _artifact(home: Path) -> Artifact:
    """The jar for a distribution's version of Flink."""
    names = [path.name for path in (home / "lib").glob("flink-dist-*.jar")]
    found = re.fullmatch(r"flink-dist-([\w.-]+)\.jar", names[0]) if len(names) == 1 else None
    version = found[1] if found else "unknown"
    if version not in GATEWAYS:
        raise InputError(f"{home}: Flink {version} is none whose SQL gateway is known by checksum. Hint: known are {', '.join(GATEWAYS)}; "
                         f"put flink-sql-gateway-{version}.jar into {home / 'opt'} yourself")
    return GATEWAYS[version]


def _judged(path: Path, home: Path) -> str:
    """Report on an existing jar; a distribution may have a build of its own."""
    known = _known(path)
    if known and known.sha256 != _digest(path):
        return f"{path} already exists and stays, though it is not the file of Maven Central; remove it to have that fetched"
    return f"{path} already exists"


def _known(path: Path) -> Artifact | None:
    return next((jar for jar in GATEWAYS.values() if path.name == f"{jar.name}-{jar.version}.jar"), None)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy(jar: Path, target: Path) -> None:
    """Copy a file so that it appears complete or not at all."""
    handle, part = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as stream, jar.open("rb") as source:
            shutil.copyfileobj(source, stream)
        os.chmod(part, 0o644)
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise


def _overlay(home: Path, jar: Path, into: Path) -> bool:
    """Make a Flink home with links to another one; False where that was done before."""
    mark = into / ".flink-masking-overlay"
    if into.exists() and any(into.iterdir()):
        if not mark.is_file() or mark.read_text() != str(home):
            raise InputError(f"{into}: the directory holds something else. Hint: name an empty or new one: --into DIRECTORY")
        if (into / "opt" / jar.name).is_file() and _digest(into / "opt" / jar.name) == _digest(jar):
            return False
    try:
        into.mkdir(parents=True, exist_ok=True)
        mark.write_text(str(home))
        for name in _COPIED:
            if not (into / name).exists():
                shutil.copytree(home / name, into / name)
        for name in _LINKED:
            (into / name).mkdir(exist_ok=True)
            for file in (home / name).iterdir():
                if not os.path.lexists(into / name / file.name):
                    (into / name / file.name).symlink_to(file)
        if (home / "plugins").is_dir() and not os.path.lexists(into / "plugins"):
            (into / "plugins").symlink_to(home / "plugins")
        _copy(jar, into / "opt" / jar.name)  # last: it says that all else is there
    except OSError as error:
        place, reason = into, error.strerror
    else:
        return True
    raise JobError(f"{place}: a Flink home cannot be made there ({reason}). Hint: name a directory that you can write: --into DIRECTORY")
