"""What a Python worker of PyFlink finds in its environment: how it was started, and where its TaskManager listens."""

import os
import re
from typing import NamedTuple

RUNNER = b"pyflink-udf-runner.sh"
"""The script that a TaskManager starts a worker by; it stays until the worker has ended."""
CONTROL, LOGGING = "CONTROL_API_SERVICE_DESCRIPTOR", "LOGGING_API_SERVICE_DESCRIPTOR"
"""Environment variables in which ``pyflink.fn_execution.beam.beam_boot`` tells Beam's worker of services."""
_URL = re.compile(r'url: "(?P<host>.+):(?P<port>\d+)"')


class Address(NamedTuple):
    """Where a service listens."""

    host: str
    port: int


def service(variable: str) -> Address | None:
    """The address in one of the variables; None where this process is no worker."""
    found = _URL.search(os.environ.get(variable, ""))
    return None if found is None else Address(found["host"], int(found["port"]))


def is_worker() -> bool:
    """Whether this process is a Python worker."""
    return CONTROL in os.environ
