"""Ports that are reached from other machines, looked for inside a network namespace of the test's own."""

import json
import os
import shutil
import subprocess
import sys

import pytest

PROGRAM = """
import json, os, socket, subprocess, sys
from flink_masking.flink.open_ports import open_ports, services_open
if sys.argv[1:] == ["child"]:
    bound = [socket.create_server(("0.0.0.0", 41001)), socket.create_server(("::", 41002), family=socket.AF_INET6),
             socket.create_server(("127.0.0.1", 41003))]
    print("ready", flush=True)
    sys.stdin.read()
    sys.exit()
child = subprocess.Popen([sys.executable, "-c", os.environ["PROGRAM"], "child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
told = {}
for port in (41001, 41002, 41003):
    os.environ["CONTROL_API_SERVICE_DESCRIPTOR"] = f'url: "localhost:{port}"\\n'
    told[port] = services_open()
print(json.dumps([open_ports(os.getpid()), open_ports(child.pid), told]))
child.communicate()
"""


def _alone() -> list[str]:
    """The command that gives a process a network of its own; empty where this user may not."""
    command = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--net"]
    allowed = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if allowed else []


@pytest.mark.skipif(not _alone(), reason="needs the right to make a network namespace")
def test_sockets_beyond_loopback_are_found():
    """Of the descendants of a process, those that listen on every interface are found, IPv4 and IPv6, and loopback is not."""
    command = [*_alone(), sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env={**os.environ, "PROGRAM": PROGRAM}, capture_output=True, text=True, check=True)
    of_tree, of_child_alone, told = json.loads(done.stdout)
    assert of_tree == [41001, 41002]
    assert of_child_alone == []
    assert told == {"41001": True, "41002": True, "41003": False}
