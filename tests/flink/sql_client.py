"""Flink's own SQL client, made runnable by ``flink-masking sql client-setup`` in a Flink home of its own; the package stays as it is."""

import os
import sys
from pathlib import Path

import processes
from waiting import run


class Unavailable(Exception):
    """The jar that the client lacks cannot be had; says why."""


def flink_home(place: Path) -> Path:
    """A Flink home below `place` whose client starts.

    Raises:
        Unavailable: no repository can be reached.
    """
    command = [sys.executable, "-P", *processes.CLI, "sql", "client-setup", "--into", place / "flink"]
    environment = {name: value for name, value in os.environ.items() if name != "FLINK_HOME"}  # PyFlink sets it in this process
    done = run(command, env=environment, cwd=place)
    if done.code and "cannot be fetched" in done.err:
        raise Unavailable(done.err.strip()[:300])
    assert done.code == 0, done.err
    assert done.out == f"{place / 'flink' / 'bin' / 'sql-client.sh'}\n"
    return place / "flink"
