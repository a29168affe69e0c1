"""Several releases of one person compose; a limit on them takes the attack of the benchmark its sets."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from flink_masking.anonymity.releases import ReleaseLimit

PROGRAM = Path(__file__).parents[1] / "benchmarks" / "bench_sequence.py"
DAYS = 3


@pytest.fixture(scope="module")
def attack():
    """The program that measures the attack."""
    spec = importlib.util.spec_from_file_location("bench_sequence", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_limit_takes_the_attacker_most_of_what_several_releases_tell(attack):
    """Of 150 people with thirty records each nearly all diagnoses are learned from groups of three values; with one release none.

    The limit holds for every person, and the records beyond it are suppressed.
    """
    data = attack.stream(150, DAYS, 10)
    everybody = np.arange(150)
    out, limited = attack.release(data, 5, 3, None)
    assert limited == 0 and attack.learned(data, out, "groups", everybody) > 0.9
    assert attack.learned(data, out, "times", everybody) > 0.5
    one, limited = attack.release(data, 5, 3, ReleaseLimit(30 * attack.DAY, 1, attack.DELAY))
    assert limited > 0.9 * len(data.time)
    assert 0.5 * 150 < len(one.record) <= 150 and np.bincount(data.person[one.record]).max() == 1
    assert attack.learned(data, one, "groups", everybody) < 0.05
    assert attack.learned(data, one, "times", everybody) < 0.25
