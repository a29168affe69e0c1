"""Pages about clusters, topics and SQL are followed on a cluster, a broker and a client of their own."""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sites
from reader import Reader

sys.path += [str(Path(__file__).resolve().parents[1] / name) for name in ("kafka", "flink")]

import sockets
from broker import Broker

from flink_masking.ports import free_ports
from flink_masking.tools.reconcile import lines

pytestmark = [pytest.mark.flink, pytest.mark.slow]
TOPICS = ("raw", "masked-events", "partners", "figures", "quarantine", "audit",
          "payments", "payments.service", "payments.settlement", "payments.quarantine", "payments.audit")  # fmt: skip


@pytest.fixture
def own_ports(reader: Reader) -> Iterator[None]:
    """Ports of a cluster that nobody else has; its processes are gone afterwards."""
    reader.instead({port: str(free) for port, free in zip(("8081", "6123"), free_ports(2), strict=True)})
    try:
        yield
    finally:
        for pid in daemons(reader.place):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def daemons(place: Path) -> set[int]:
    """Processes of a cluster that Flink's scripts have started and not stopped."""
    return {int(word) for file in place.glob("*.pid") for word in file.read_text().split()}


def count(place: Path, view: str) -> int:
    """Finished lines of a view."""
    return sum(1 for _ in lines(place / "out" / view))


def test_the_page_on_clusters_can_be_followed(follow, reader, own_ports):
    """A job runs on a cluster that only this machine reaches, goes on from a savepoint and is drained; each record is in its place."""
    sites.clustered(reader.place)
    doors = set[sockets.Listening]()

    def look() -> None:
        for pid in daemons(reader.place):
            with contextlib.suppress(ProcessLookupError):
                doors.update(sockets.listening({os.getpgid(pid)}))

    assert follow("cluster.md", after=look) == 20
    assert len(doors) > 10 and [door for door in doors if not door.private] == []
    assert (count(reader.place, "masked-events"), count(reader.place, "quarantine")) == (600, 1)


def test_the_page_on_sql_can_be_followed(follow, reader, monkeypatch):
    """The client is made ready, and shows the values of the page's query as the page does."""
    sites.for_sql(reader.place)
    reader.instead({"/srv/app/.venv/lib/python3.11/site-packages/pyflink": str(reader.place / "flink")})
    monkeypatch.setenv("FLINK_HOME", str(reader.place / "flink"))
    for name in ("FLINK_LIB_DIR", "FLINK_OPT_DIR", "FLINK_CONF_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert follow("sql.md") == 5


def test_the_pages_on_kafka_can_be_followed(follow, reader, kafka_jars, tmp_path):
    """Jars are there, and the preflight of both deployments passes on a broker with the topics that they name."""
    sites.on_kafka(reader.place)
    with Broker(tmp_path / "broker") as broker:
        for topic in TOPICS:
            broker.topic(topic)
        reader.instead({"broker:9092": broker.bootstrap, "localhost:9092": broker.bootstrap})
        assert follow("kafka.md") == 2
        (reader.place / "secrets").mkdir()
        shutil.copy(reader.place / "keys.json", reader.place / "secrets")
        assert follow("card-numbers.md", also="flink-masking preflight") == 6


def test_the_page_of_examples_can_be_followed(follow):
    """From an example's records to a run and its verification, each command works and prints what the page shows."""
    assert follow("examples.md") == 9
