"""Flink's own SQL client, made runnable by ``flink-masking sql client-setup`` in a Flink home of its own; the package stays as it is."""

import os
import subprocess
import sys
from pathlib import Path

import processes


class Unavailable(Exception):
    """The jar that the client lacks cannot be had; says why."""


def flink_home(place: Path) -> Path:
    """A Flink home below `place` whose client starts.

    Raises:
        Unavailable: no repository can be reached.
    """
    command = [sys.executable, "-P", *processes.CLI, "sql", "client-setup", "--into", place / "flink"]
    environment = {name: value for name, value in os.environ.items() if name != "FLINK_HOME"}  # PyFlink sets it in this process
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=240, cwd=place, check=False)
    if done.returncode and "cannot be fetched" in done.stderr:
        raise Unavailable(done.stderr.strip()[:300])
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{place / 'flink' / 'bin' / 'sql-client.sh'}\n"
    return place / "flink"
