"""Free TCP ports for servers that are told their port before they start."""

import contextlib
import random
import socket

from flink_masking.errors import JobError


def free_ports(count: int) -> list[int]:
    """Distinct ports that no process listens on, outside the range that Linux gives to outgoing connections (32768 and above).

    A server that starts seconds later finds such a port free: nothing else is given one by the system in the meantime.

    Raises:
        JobError: there are not enough of them.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(range(15_000, 32_000), 1_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("localhost", port))
            found.append(port)
        if len(found) == count:
            return found
    raise JobError("no port between 15000 and 32000 is free on this machine. Hint: end what listens there")
