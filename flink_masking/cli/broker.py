"""``flink-masking broker``: a Kafka broker on this machine, to try things out with."""

from pathlib import Path
from typing import Annotated

import typer


def broker(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Preferred port; a free one is taken where it is in use.")] = 9092,
    data: Annotated[Path | None, typer.Option("--data", help="Directory that keeps the data; none is kept unless given.")] = None,
) -> None:
    """Run a Kafka broker in the foreground until it is interrupted.

    For development only: one node on loopback without security, which makes topics on first use. Its jars are fetched once into the cache.
    """
    import contextlib
    import signal
    import socket

    from flink_masking.cli.console import err, out
    from flink_masking.kafka.local_broker import LocalBroker
    from flink_masking.ports import free_ports

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError:
            [port] = free_ports(1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        err.print("starting a Kafka broker")
        with LocalBroker(data, {"auto.create.topics.enable": "true"}, port=port) as running:
            out.print(f"Kafka at {running.bootstrap}, data and log in {running.directory}. Ctrl-C ends it.", soft_wrap=True)
            signal.pause()
    err.print("stopped")
