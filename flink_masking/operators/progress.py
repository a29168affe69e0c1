"""How far a running job is: record counters read from Flink's REST endpoint."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """A moment of a running job.

    Attributes:
        state: Flink's word (RUNNING, FINISHED …), or STARTING before the job is known.
        read: records that have left the sources.
        written: records that have reached the sinks, of all views together.
    """

    state: str
    read: int
    written: int


class ProgressReader:
    """Asks the REST endpoint of a mini-cluster on this machine."""

    def __init__(self, port: int, job: str) -> None:
        """Keep the endpoint's port and the job's id."""
        self._base = f"http://localhost:{port}/jobs/{job}"
        self._counters: dict[str, tuple[list[str], list[str]]] = {}

    def read(self) -> Progress | None:
        """The present counters; None when the endpoint does not answer (yet, or any more)."""
        try:
            job = self._get("")
            read = written = 0
            for vertex in job["vertices"]:
                sources, sinks = self._names(vertex["id"])
                read += self._sum(vertex["id"], sources)
                written += self._sum(vertex["id"], sinks)
            return Progress(str(job["state"]), read, written)
        except (OSError, urllib.error.URLError, ValueError, KeyError):
            return None

    def _names(self, vertex: str) -> tuple[list[str], list[str]]:
        known = self._counters.get(vertex)
        if known is None or not any(known):
            names = [m["id"] for m in self._get(f"/vertices/{vertex}/subtasks/metrics")]
            known = ([n for n in names if n.startswith("Source__") and n.endswith(".numRecordsOut")],
                     [n for n in names if n.endswith("Writer.numRecordsIn") or n.endswith("StreamingFileWriter.numRecordsIn")])
            self._counters[vertex] = known
        return known

    def _sum(self, vertex: str, names: list[str]) -> int:
        if not names:
            return 0
        listed = ",".join(urllib.request.quote(name) for name in names)
        return int(sum(m["sum"] for m in self._get(f"/vertices/{vertex}/subtasks/metrics?get={listed}&agg=sum")))

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._base + path, timeout=2) as answer:
            return json.load(answer)
