"""Jars from Maven repositories, fetched by a resolver that others keep: Maven itself, or jgo in pure Python.

Which repositories and mirrors are asked, through which proxy and with which login is the resolver's own configuration: Maven's
``settings.xml``, jgo's ``jgo.conf``. What they send is not trusted here; `flink_masking.jars` checks it.
"""

import http.client
import importlib.util
import logging
import re
import shutil
import subprocess
import urllib.parse
from collections.abc import Callable
from pathlib import Path

REPOSITORY = "FLINK_MASKING_MAVEN_REPOSITORY"
"""The environment variable that names the one Maven repository to ask, by its address; jgo asks it, whatever jgo.conf says."""
EXTRA = "flink-masking[jars]"
"""What brings jgo."""
_TIMEOUT = 30
"""Seconds without an answer."""
_MAVEN_TIMEOUT = 600
"""Seconds for Maven in all, which may fetch its own plugins first."""
_LOGIN = re.compile(r"//[^/@\s]+@")
_TROUBLE = re.compile(r"\[ERROR\] (?:.*?: )??((?:Could not|Failure to|Unable to|No plugin|Unknown|Plugin )[^\n]*)")

Resolver = Callable[[str, Path], None]
"""Puts the file of ``group:name:version``, or of ``group:name:version:packaging:classifier``, below a directory; raises ResolverError."""


class ResolverError(Exception):
    """A resolver did not bring the jar; the text says why, without logins.

    Attributes:
        again: the same call may succeed soon, and the resolver does not repeat it itself: a connection was cut off or took too long.
    """

    def __init__(self, reason: str, again: bool = False) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.again = again


def resolver(repository: str | None, settings: Path | None = None) -> tuple[str, Resolver] | None:
    """The resolver to use, with its name; None where there is none.

    A repository that is named goes to jgo. Otherwise Maven is used where its user has configured it, because jgo reads no ``settings.xml``;
    else jgo, which takes a tenth of a second where Maven takes ten; else Maven.

    Args:
        repository: address (``https://…`` or ``file:///…``) of the only repository to ask; None: as the resolver is configured.
        settings: Maven's user settings; ``~/.m2/settings.xml`` unless given.
    """
    maven, jgo = shutil.which("mvn"), importlib.util.find_spec("jgo") is not None
    configured = (settings or Path.home() / ".m2" / "settings.xml").is_file()
    if maven is not None and repository is None and (configured or not jgo):
        return "Maven", lambda coordinates, into: _with_maven(maven, coordinates, into)
    return ("jgo", lambda coordinates, into: _with_jgo(repository, coordinates, into)) if jgo else None


def _with_maven(program: str, coordinates: str, into: Path) -> None:
    command = [program, "-B", "-q", "-ntp", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={into}"]
    try:
        done = subprocess.run(command, cwd=into, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=_MAVEN_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise ResolverError(f"no answer within {_MAVEN_TIMEOUT} s") from None
    except OSError as error:
        raise ResolverError(f"{program}: {error.strerror}") from None
    if done.returncode:
        found = _TROUBLE.search(done.stdout)
        raise ResolverError(without_login(found[1])[:300] if found else f"exit code {done.returncode}")


def _with_jgo(repository: str | None, coordinates: str, into: Path) -> None:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext
    from requests import RequestException, Timeout

    if repository is None:
        local, remote = [], {**MavenContext().remote_repos, **GlobalSettings.load().repositories}
    elif (parts := urllib.parse.urlsplit(repository)).scheme == "file":
        local, remote = [Path(urllib.parse.unquote(parts.path))], {}
    else:
        local, remote = [], {"repository": repository.rstrip("/")}
    group, name, version, packaging, classifier = (*coordinates.split(":"), "jar", "")[:5]
    context = MavenContext(repo_cache=into, local_repos=local, remote_repos=remote, timeout=_TIMEOUT)
    logging.getLogger("jgo").setLevel(logging.ERROR)  # it warns of what the pinned checksum decides anyway
    try:
        found = context.project(group, name).at_version(version).artifact(classifier, packaging).resolve()
        if not found.is_relative_to(into):
            shutil.copyfile(found, into / found.name)
    except RequestException as error:
        cause = _innermost(error)
        passing = isinstance(cause, ConnectionResetError | TimeoutError | http.client.HTTPException) or isinstance(error, Timeout)
        told = getattr(cause, "strerror", None) or type(cause).__name__
        raise ResolverError(f"{_places(remote)}: {told}", passing) from None
    except RuntimeError:  # what jgo says names addresses with their logins
        raise ResolverError(f"not found in {_places(remote) or repository}") from None
    except OSError as error:
        raise ResolverError(error.strerror or type(error).__name__) from None


def _places(remote: dict[str, str]) -> str:
    return ", ".join(without_login(address) for address in remote.values())


def _innermost(error: BaseException) -> BaseException:
    """The innermost cause of a failed request."""
    while True:
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__ or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException) or inner is error:
            return error
        error = inner


def without_login(text: str) -> str:
    """A text with addresses whose user and password are left out."""
    return _LOGIN.sub("//", text)
