"""Starts the Java virtual machine of an embedded cluster while this process imports PyFlink's Table API, which takes it as long."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from flink_masking.files.opened import data_files

SMALL = 32_000_000
"""Bytes of input up to which a job ends before Java's second compiler could pay off."""
COMPRESSED = 8
"""How many bytes a byte of a compressed file may stand for."""
QUICK = "-XX:TieredStopAtLevel=1 -XX:MetaspaceSize=256m"
"""Options for short jobs: the quick compiler only, and no collection of garbage for each few classes that are loaded.

The second compiler takes half of the processor time of a job of 5,000 events, on the cores that the job itself needs.
"""
UNCUT: Mapping[str, str] = {"python.fn-execution.bundle.time": "3600000"}
"""Batches that end when they are full, or with the input.

Flink looks every `bundle.time` ms, counted from the start of the operator, whether records wait for Python. While Java is cold, the first
record alone can take longer than the 50 ms of a stream, and is then a batch of its own, in which nothing can be shuffled.
"""
_VARIABLE = "JVM_ARGS"
"""Read by PyFlink."""


def options(input_path: Path) -> str:
    """Java's options for a job over some input.

    Args:
        input_path: a file, or a directory of files.

    Returns:
        Options separated by spaces; empty where the input is not small.
    """
    return QUICK if _size(input_path) <= SMALL else ""


def settings(input_path: Path) -> Mapping[str, str]:
    """Flink's settings for a job over some input.

    Args:
        input_path: a file, a directory of files, or ``-``, of which nothing is known.

    Returns:
        `UNCUT` for files that are small, otherwise nothing: what waits for its batch to be full is held in memory.
    """
    return UNCUT if input_path.exists() and _size(input_path) <= SMALL else {}


def _size(input_path: Path) -> int:
    files = data_files(input_path) if input_path.is_dir() else [input_path]
    return sum(file.stat().st_size * (COMPRESSED if file.suffix in (".gz", ".zst") else 1) for file in files if file.is_file())


class JavaStart:
    """A Java virtual machine that is being started in a thread; where it cannot be, PyFlink says so when it needs it and tries again."""

    def __init__(self, java_options: str) -> None:
        """Begin; JAVA_HOME and all other variables are set. What JVM_ARGS of the environment says goes before `java_options`."""
        from pyflink import java_gateway

        self._given = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = f"{java_options} {self._given or ''}".strip()
        self._start = java_gateway.get_gateway
        self._thread = threading.Thread(target=self._run, name="flink-masking-java-start")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._start()
        except Exception:  # the next one who asks for the gateway gets the same error, in the thread that reports it
            return

    def wait(self) -> None:
        """Wait until it runs, or has failed to."""
        self._thread.join()
        if self._given is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = self._given
