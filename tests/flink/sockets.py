"""What the processes of a group listen on, from the kernel's own tables."""

import contextlib
import ipaddress
import os
import re
from pathlib import Path
from typing import NamedTuple

_LISTEN = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


class Listening(NamedTuple):
    """A TCP socket that takes connections.

    Attributes:
        address: that it is bound to.
        port: its port.
        program: first word of the process's command line.
    """

    address: str
    port: int
    program: str

    @property
    def private(self) -> bool:
        """Whether only this machine reaches it."""
        address = ipaddress.ip_address(self.address)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def listening(groups: set[int]) -> set[Listening]:
    """All listening sockets of the processes in these process groups."""
    owners: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if os.getpgid(int(entry.name)) in groups:
                program = (entry / "cmdline").read_bytes().partition(b"\0")[0].decode().rpartition("/")[2]
                for descriptor in (entry / "fd").iterdir():
                    with contextlib.suppress(OSError):
                        if found := _SOCKET.fullmatch(os.readlink(descriptor)):
                            owners[int(found[1])] = program
    seen = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == _LISTEN and int(words[9]) in owners:
                address, _, port = words[1].partition(":")
                # Words of four bytes in the machine's order, which is little-endian wherever this runs.
                packed = b"".join(bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8))
                seen.add(Listening(str(ipaddress.ip_address(packed)), int(port, 16), owners[int(words[9])]))
    return seen
