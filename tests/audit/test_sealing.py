"""The loop of ``audit seal``: what fails now and then does not end it."""

import pytest
from sealed_logs import SIGNER, batches
from unlistable import unlistable

from flink_masking.audit.sources import FileSource
from flink_masking.audit.stores import LEAVES, Directory
from flink_masking.cli.sealing import Sealing


class Ended(Exception):
    """The test has seen enough."""


class Rounds:
    """A source whose lines come in rounds, and that ends the loop."""

    def __init__(self, *rounds):
        """Give these rounds."""
        self.rounds = iter(rounds)

    def read(self, positions, most):
        """See `Source.read`."""
        found = next(self.rounds, None)
        if found is None:
            raise Ended
        return found, {}


def test_leaf_hashes_that_cannot_be_removed_now_are_no_end(tmp_path, capsys):
    """Events that come are sealed all the same, and expiry is tried again in the next round."""
    lines = batches(2)[1]
    blocked = tmp_path / "log" / LEAVES / "000000000.jsonl"
    blocked.mkdir(parents=True)  # a file that cannot be read, whoever asks

    steps = []

    def told(step):
        steps.append(step.size)
        if len(steps) == 2:
            blocked.rmdir()

    sealing = Sealing([Rounds(lines[:1], lines[1:], [], [])], Directory(tmp_path / "log"), SIGNER, tmp_path / "state", 0.0, "log", keep=0)
    with pytest.raises(Ended):
        sealing.run(False, told)
    assert len(steps) == 2 and "it is tried again" in capsys.readouterr().err
    assert list((tmp_path / "log" / LEAVES).iterdir()) == []


@pytest.mark.parametrize("refuses", ["", "audit", "audit/part"])
def test_events_that_cannot_be_listed_are_not_none(tmp_path, monkeypatch, refuses):
    """A directory that refuses is an error, which the loop tells and tries again, and never one without events."""
    run = tmp_path / "run"
    (run / "audit" / "part").mkdir(parents=True)
    (run / "audit" / "part" / "0.jsonl").write_bytes(b"{}\n")
    (run / "unmask.audit.jsonl").write_bytes(b"[]\n")
    back = unlistable(monkeypatch, run / refuses)
    with pytest.raises(PermissionError):
        FileSource(run).read({}, 10)
    back()
    assert FileSource(run).read({}, 10)[0] == [b"{}", b"[]"]
