"""Reports which services of a cluster are reachable by others, from its REST endpoint and by test connections."""

import contextlib
import ipaddress
import re
import socket

from flink_masking.flink_rest.health import Check, RestEndpoint
from flink_masking.telemetry.metrics import SCOPE

_METRIC = f".{SCOPE}.worker_services_open"
_AT = re.compile(r"@(?P<host>[^:/]+):(?P<port>\d+)/")
_PATIENCE = 2.0
"""Seconds that a connection may take."""


def services_check(rest: RestEndpoint, job: str) -> Check:
    """Whether the services of a job's Python workers accept connections from their own host only, by the workers' metric.

    `job` is its id. Raises JobError if the endpoint does not answer.
    """
    told = rest.maxima(job, _METRIC)
    if any(told):
        return Check("ports", False, "services of Python workers take connections from other machines: flink-python.jar must lie in opt, "
                                     "not in lib, or a firewall close the ports")
    text = "services of Python workers take connections from their own host only" if told else "no worker has reported yet"
    return Check("ports", True, text)


def cluster_warnings(rest: RestEndpoint) -> list[str]:
    """Warnings about services of a cluster without authentication, each with a hint.

    Raises:
        JobError: the endpoint does not answer.
    """
    settings = {entry["key"]: entry["value"] for entry in rest.get("/jobmanager/config")}
    found = []
    if settings.get("security.ssl.rest.authentication-enabled") != "true":
        found.append("the REST endpoint takes jobs and cancels them for whoever reaches it. Hint: bind it to loopback, or set "
                     "security.ssl.rest.enabled and security.ssl.rest.authentication-enabled")
    if settings.get("security.ssl.internal.enabled") != "true":
        found.append("JobManager, TaskManagers and the blob server take whoever reaches them for one of theirs. Hint: set "
                     "security.ssl.internal.enabled, or let a firewall keep others out")
    if any("flink-python" in entry for entry in rest.get("/jobmanager/environment").get("classpath", [])):
        found.append("flink-python.jar lies on the cluster's class path, so that services of Python workers listen on every interface and "
                     "hand out files. Hint: move it from lib to opt; flink run ships it with each job")
    for manager in rest.get("/taskmanagers")["taskmanagers"]:
        at = _AT.search(manager["path"])
        if at is not None and (ports := [p for p in (int(at["port"]), manager["dataPort"]) if _reached(at["host"], p)]):
            found.append(f"TaskManager {at['host']} takes connections from this host at {' and '.join(map(str, ports))}. Hint: let a "
                         "firewall admit the hosts of the cluster only")
    return found


def _reached(host: str, port: int) -> bool:
    """Whether a host that is not this one, as its name tells, takes a connection."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return False
    if host == "localhost" or port <= 0:
        return False
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=_PATIENCE):
        return True
    return False
