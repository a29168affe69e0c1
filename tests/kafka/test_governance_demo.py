"""The governance demonstration as a whole: a broker, two Flink jobs, and what each of its steps must show."""

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = [pytest.mark.flink, pytest.mark.slow]


def test_the_governance_demonstration_shows_all_that_it_promises(kafka_jars, tmp_path):
    """It ends with 0 after each of its steps: a live policy, a grant that ends, signed alerts, a proof, an erasure; no customer's clear
    value but the granted and unmasked ones leaves it."""
    done = processes.run(tmp_path, *processes.CLI, "demo", "--governance", "--directory", tmp_path / "demo")
    assert done.code == 0, done.out[-3_000:] + done.err[-3_000:]
    assert [line[:3] for line in done.out.splitlines() if line.startswith("(")] == ["(a)", "(b)", "(c)", "(d)", "(e)"]
    assert int(re.search(r"All (\d+) checks have passed", done.out)[1]) >= done.out.count("[ok]") >= 14
    assert done.out.count("john.doe@example.com") == 1 and "123-45-6789" not in done.out
