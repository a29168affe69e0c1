"""Ports for servers that are told theirs before they start."""

import socket

from flink_masking.ports import free_ports


def test_nothing_else_is_given_such_a_port():
    """Ports are distinct, free, and below those that Linux gives to connections and to servers that ask for any port."""
    found = free_ports(200)
    assert len(set(found)) == 200 and max(found) < 32_768
    with socket.create_server(("localhost", found[0])):
        assert not any(found[0] in free_ports(900) for _ in range(50))
