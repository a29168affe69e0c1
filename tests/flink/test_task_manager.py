"""A process that was started as a TaskManager starts its Python workers, and what becomes of it when the TaskManager is killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from waiting import CLIENT_S, until

WORKER = """
import os, sys, threading
from flink_masking.flink.task_manager import end_with_task_manager
end_with_task_manager()
end_with_task_manager()
print(os.getpid(), len([t for t in threading.enumerate() if t.name.startswith("flink-masking")]), flush=True)
threading.Event().wait()  # as a worker that waits for records which no longer come
"""
MANAGER = "import subprocess, sys; subprocess.run(sys.argv[1:])"


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _started(place: Path, port: int) -> "subprocess.Popen[str]":
    """A TaskManager with one worker, whose services are said to be at a port of this machine."""
    script = place / "pyflink-udf-runner.sh"
    script.write_text(f'#!/bin/bash\n"{sys.executable}" -c "$WORKER" 2>&1 | tee "{place / "boot.log"}"\n')
    script.chmod(0o755)
    environment = {**os.environ, "WORKER": WORKER, "CONTROL_API_SERVICE_DESCRIPTOR": f'url: "127.0.0.1:{port}"\n'}
    return subprocess.Popen([sys.executable, "-c", MANAGER, script], env=environment, stdout=subprocess.PIPE, text=True)


def test_a_worker_ends_with_its_task_manager(tmp_path):
    """It goes on while its TaskManager lives, and ends within half a minute of a SIGKILL."""
    with socket.create_server(("127.0.0.1", 0)) as control:
        manager = _started(tmp_path, control.getsockname()[1])
        assert manager.stdout is not None
        worker, watchers = map(int, manager.stdout.readline().split())
        try:
            assert watchers == 1
            time.sleep(3)  # longer than it takes to look
            assert _alive(worker)
            manager.kill()
            manager.wait()
            until("the worker ends", lambda: not _alive(worker), patience=30)
        finally:
            if _alive(worker):
                os.kill(worker, signal.SIGKILL)
            manager.kill()
            manager.communicate()


def test_a_worker_that_was_orphaned_while_it_started_ends(tmp_path):
    """Where nobody answers at the services that a worker is told of, its TaskManager is gone already."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        manager = _started(tmp_path, unused.getsockname()[1])
        try:
            manager.communicate(timeout=CLIENT_S)
        finally:
            manager.kill()
        assert manager.returncode == 0


def test_a_process_that_is_no_worker_is_left_alone():
    """Where no TaskManager started it, nothing watches and nothing ends."""
    program = WORKER.replace("threading.Event().wait()", "")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "0"
