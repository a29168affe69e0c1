"""The loop of ``audit seal``: what fails now and then does not end it."""

import pytest
from sealed_logs import SIGNER, batches

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
