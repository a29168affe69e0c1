"""Reads the record counters of a running job from Flink's REST endpoint."""

import http.client
import json
import re
import ssl
import urllib.parse
from dataclasses import dataclass
from typing import Any

_SOURCE = re.compile(r"Source: [^ ]+")
_BEFORE_SINK = re.compile(r"(\w+\[\d+\]) -> StreamingFileWriter")
STARTING = "STARTING"
"""The state of a job that is not known yet."""


@dataclass(frozen=True)
class Progress:
    """A moment of a running job.

    Attributes:
        state: Flink's word (RUNNING, FINISHED …), or STARTING before the job is known.
        read: records that have left the sources.
        written: records handed to the file sinks, of all views together (audit and quarantine among them where Flink lets them be told).
    """

    state: str
    read: int
    written: int


class ProgressReader:
    """Asks the REST endpoint of a mini-cluster on this machine."""

    def __init__(self, port: int, job: str, tls: ssl.SSLContext | None = None) -> None:
        """Keep the endpoint.

        Args:
            port: of the endpoint, at 127.0.0.1.
            job: the job's id.
            tls: what to connect with; None: without TLS.
        """
        self._job, address = job, "127.0.0.1"
        self._connection = (http.client.HTTPConnection(address, port, timeout=2) if tls is None
                            else http.client.HTTPSConnection(address, port, timeout=2, context=tls))

    def read(self) -> Progress | None:
        """The present counters; None when the endpoint does not answer (yet, or any more)."""
        try:
            job = self._get("")
            read = written = 0
            for vertex in job["vertices"]:
                sources, sinks = _counters(vertex["name"])
                read += self._sum(vertex["id"], sources)
                written += self._sum(vertex["id"], sinks)
            return Progress(str(job["state"]), read, written)
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            self._connection.close()  # and opened again by the next question
            return None

    def _sum(self, vertex: str, names: list[str]) -> int:
        if not names:
            return 0
        listed = ",".join(urllib.parse.quote(name) for name in names)
        return int(sum(m["sum"] for m in self._get(f"/vertices/{vertex}/subtasks/metrics?get={listed}&agg=sum")))

    def _get(self, path: str) -> Any:
        self._connection.request("GET", f"/jobs/{self._job}{path}")
        return json.loads(self._connection.getresponse().read())


def _counters(vertex: str) -> tuple[list[str], list[str]]:
    """Names of the metrics that count records out of sources and into sinks, from a vertex's name (its chain of operators).

    All file sinks of a vertex carry the same name, so that of their own counters Flink shows one only: the operator before each is asked.
    """
    outputs = [name.replace(":", "_").replace(" ", "_") + ".numRecordsOut" for name in _SOURCE.findall(vertex)]
    return outputs, [f"{name}.numRecordsOut" for name in _BEFORE_SINK.findall(vertex)]
