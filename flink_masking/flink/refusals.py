"""Suppresses the client's stack trace when a submission is refused, so that the error line comes last.

Flink's command prints a Java trace of forty lines when the script of a job ends with an error, whatever the script has said itself.
"""

import contextlib
import os
from collections.abc import Iterator

_CLIENT = "org.apache.flink.client.cli.CliFrontend"
_GATEWAY = "PYFLINK_GATEWAY_PORT"
"""Set by Flink for the script that it runs."""


@contextlib.contextmanager
def told_once() -> Iterator[None]:
    """Keep Flink's command, if it runs this process, from printing a trace after an exit of the body with an error; the code stays."""
    try:
        yield
    except SystemExit as end:
        if end.code and _GATEWAY in os.environ:
            _silence_client()
        raise


def _silence_client() -> None:
    """Let the client's error output go nowhere; not that of a JobManager, which runs the script in application mode."""
    from pyflink.java_gateway import get_gateway

    with contextlib.suppress(Exception):  # whatever fails here, the error is told already, and the trace is no harm
        java = get_gateway().jvm.java
        if str(java.lang.System.getProperty("sun.java.command")).startswith(_CLIENT):
            java.lang.System.setErr(java.io.PrintStream(java.io.OutputStream.nullOutputStream()))
