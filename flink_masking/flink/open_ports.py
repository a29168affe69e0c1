"""Which TCP ports of this machine's processes are reached from other machines, from the kernel's tables (Linux)."""

import contextlib
import ipaddress
import os
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from flink_masking.flink.compat.worker import CONTROL, LOGGING, service

_LISTENS = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


class Listening(NamedTuple):
    """A socket that takes connections from beyond loopback.

    Attributes:
        address: that it is bound to.
        port: its port.
        number: the kernel's number of the socket.
    """

    address: str
    port: int
    number: int


def beyond_loopback() -> Iterator[Listening]:
    """Sockets of all processes in this network namespace; none where there are no such tables."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                words = line.split()
                where, _, port = words[1].partition(":")
                if words[3] == _LISTENS and not (address := _address(where)).is_loopback:
                    yield Listening(str(address), int(port, 16), int(words[9]))


def open_ports(root: int) -> list[int]:
    """Ports that the descendants of a process open to other machines, in order.

    Args:
        root: its process id; its own ports are not among them.
    """
    held = _sockets(_tree(root) - {root})
    return sorted({socket.port for socket in beyond_loopback() if socket.number in held})


def services_open() -> bool:
    """Whether services that this Python worker talks to take connections from other machines; False where it is no worker."""
    ports = {found.port for name in (CONTROL, LOGGING) if (found := service(name))}  # all services are opened by the same code
    return any(socket.port in ports for socket in beyond_loopback())


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as the kernel writes it: words of four bytes in the machine's order."""
    words = (bytes.fromhex(text[i : i + 8]) for i in range(0, len(text), 8))
    address = ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    return getattr(address, "ipv4_mapped", None) or address


def _tree(root: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, grown = {root}, 0
    while grown != len(found):
        grown = len(found)
        found |= {process for process, parent in parents.items() if parent in found}
    return found


def _sockets(processes: Collection[int]) -> set[int]:
    numbers = set()
    for process in processes:
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if found := _SOCKET.fullmatch(os.readlink(descriptor)):
                        numbers.add(int(found[1]))
    return numbers
