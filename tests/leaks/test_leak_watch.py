"""The leak monitor's function as a worker calls it: what came last before a pause, and before the end."""

import json
import logging
import os

import pandas as pd
import pyarrow as pa
import pytest

from flink_masking.flink import leak_watch
from flink_masking.keys.files import create
from flink_masking.keys.providers import open_ring
from flink_masking.leaks.canaries import CanaryWriter
from flink_masking.leaks.options import LeakOptions
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: s
fields: {id: {class: identifier}, note: {class: free_text}}
segments: {shown: {view: masked, rules: {id: drop, note: redact}}}
"""


class Worker:
    """A function that is open, and a writer of canaries; the clock stands until it is moved."""

    def __init__(self, path, monkeypatch):
        """Open the function; one canary is there."""
        create(path / "keys.json")
        keys, self.now = f"file://{path}/keys.json", 10**12
        monkeypatch.setattr(leak_watch, "_now", lambda: self.now)
        source, ring = PolicySource("policy.yaml", POLICY), open_ring(keys)
        self.writer = CanaryWriter(load(source), LeakOptions(str(path / "canaries"), 1.0), lambda: ring, os.urandom, lambda: self.now)
        self.meet("CUST-00000000")
        self.function = leak_watch.Look(leak_watch.LeakSource(source, keys, str(path / "canaries")), "shown")
        self.function.open(None)

    def meet(self, name):
        """Protect meets a customer."""
        self.writer.note(pa.array([json.dumps({"id": name, "note": "x"}).encode()]))
        self.writer.write()

    def batch(self, note):
        """The findings of a batch of one record."""
        (line,) = self.function(pd.Series([json.dumps({"note": note}).encode()]))[0].to_pylist()
        return [] if line is None else [(leak["what"], leak["values"]) for leak in json.loads(line)["leaks"]]


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """A worker of its own."""
    made = Worker(tmp_path, monkeypatch)
    yield made
    made.writer.close()


def test_a_leak_before_a_pause_is_told_with_the_next_batch(worker):
    """Batches at 0 and 1 s, canaries at 2 s, the next batch at 8 s: the leak in the batch of 1 s is in the findings of that batch."""
    assert worker.batch("fine") == []
    worker.now += 1_000
    assert worker.batch("see CUST-00004711") == []
    worker.now += 1_000
    worker.meet("CUST-00004711")
    worker.now += 6_000
    assert worker.batch("fine") == [("s/id", 1)] and worker.batch("fine") == []


def test_a_leak_before_the_end_is_told_in_the_log(worker, caplog):
    """No findings can be written when the job ends: the log says where the leak is, and not the value."""
    assert worker.batch("see CUST-00004711") == []
    worker.meet("CUST-00004711")
    with caplog.at_level(logging.ERROR):
        worker.function.close()
    assert '"what": "s/id", "values": 1' in caplog.text and "4711" not in caplog.text
