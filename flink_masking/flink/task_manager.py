"""A Python worker ends when its TaskManager does.

Beam's worker notices a lost TaskManager by its connections only, and not at all in a thread that waits for something else: one outlived
its TaskManager by four minutes, with buffers of records in its memory.
"""

import os
import socket
import threading
import time
from pathlib import Path

from flink_masking.flink.compat.worker import CONTROL, RUNNER, service

_INTERVAL = 2.0
_once = threading.Lock()


def end_with_task_manager() -> None:
    """From now on, this process ends within seconds of its TaskManager's end; does nothing where it is no worker, or a second time."""
    if _once.acquire(blocking=False) and (runner := _runner()) is not None:
        threading.Thread(target=_watch, args=(runner,), name="flink-masking-task-manager", daemon=True).start()


def _watch(runner: int) -> None:
    # A parent that dies is replaced by another; a parent that was replaced before this line does not answer in the next one.
    parent = _parent(runner)
    if _answers():
        while parent is not None and _parent(runner) == parent:
            time.sleep(_INTERVAL)
    os._exit(1)


def _runner() -> int | None:
    """The uppermost process of the script that this process was started by."""
    found, process = None, os.getppid()
    while process > 1:
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            return found
        if RUNNER in command:
            found = process
        elif found is not None:
            return found
        process = _parent(process) or 0
    return found


def _parent(process: int) -> int | None:
    """The parent of a process; None where it has ended."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return None


def _answers() -> bool:
    """Whether the control service of the worker accepts connections."""
    if (address := service(CONTROL)) is None:
        return True
    try:
        with socket.create_connection(address, timeout=30):
            return True
    except OSError:
        return False
