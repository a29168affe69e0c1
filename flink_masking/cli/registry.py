"""``flink-masking registry``: a schema registry on this machine, to try things out with."""

from typing import Annotated

import typer


def registry(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Preferred port; a free one is taken where it is in use.")] = 8081,
) -> None:
    """Run a schema registry in the foreground until it is interrupted.

    For development only: Apicurio Registry in memory, on loopback, without security. Its archive is fetched once into the cache.
    """
    import contextlib
    import signal
    import socket

    from flink_masking.cli.console import err, out
    from flink_masking.kafka.local_registry import LocalRegistry

    chosen: int | None = port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError:
            chosen = None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        err.print("starting a schema registry")
        with LocalRegistry(chosen) as running:
            out.print(f"registry at {running.url} (Confluent API) and {running.address} (api: apicurio), log in {running.log}. Ctrl-C ends "
                      "it.", soft_wrap=True)
            signal.pause()
    err.print("stopped")
