"""Flink's own SQL client, made runnable: the Python package brings the client and lacks one jar that it needs."""

import os
import shutil
import subprocess
from pathlib import Path

import pyflink
from pyflink.version import __version__ as FLINK

ARTIFACT = f"org.apache.flink:flink-sql-gateway:{FLINK}"


class Unavailable(Exception):
    """The jar cannot be had; says why."""


def gateway_jar() -> Path:
    """The jar of the SQL gateway, from the cache of an earlier run or by Maven.

    Raises:
        Unavailable: no Maven, or it cannot reach what it needs.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    cache = Path(base) / "flink-masking-tests"
    jar = cache / f"flink-sql-gateway-{FLINK}.jar"
    if jar.exists():
        return jar
    if shutil.which("mvn") is None:
        raise Unavailable(f"{ARTIFACT} is not in {cache}, and there is no mvn to fetch it")
    cache.mkdir(parents=True, exist_ok=True)
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
    command = ["mvn", "-q", "-B", goal, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={cache}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=cache, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"mvn did not fetch {ARTIFACT} in four minutes") from None
    if done.returncode or not jar.exists():
        raise Unavailable(f"mvn could not fetch {ARTIFACT}: {(done.stdout + done.stderr).strip()[:200]}")
    return jar


def flink_home(place: Path, jar: Path) -> Path:
    """A Flink home below `place`: the package's own, with the jar in ``opt``; the package stays as it is."""
    package, home = Path(pyflink.__file__).parent, place / "flink"
    for name in ("bin", "conf"):
        shutil.copytree(package / name, home / name)
    (home / "plugins").symlink_to(package / "plugins")
    for name, more in (("lib", []), ("opt", [jar])):
        (home / name).mkdir()  # a link to the directory itself is not looked into by config.sh
        for file in [*(package / name).iterdir(), *more]:
            (home / name / file.name).symlink_to(file)
    return home
