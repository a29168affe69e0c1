"""An erasure that is killed in the middle has done all of it or nothing, and asking again does what is missing."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import CLIENT_S

from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load_policy
from flink_masking.protector import Protector
from flink_masking.tools.erase import Eraser, Standing
from flink_masking.vault.providers import open_vault

ERASER = Path(__file__).with_name("eraser.py")
COUNT = 3_000
POLICY = """\
version: 1
stream: s
subject: id
erasure: {later: drop}
fields: {id: {class: identifier}, name: {class: direct}, ssn: {class: direct}}
segments:
  care:
    view: masked
    rules: {name: {technique: encrypt, domain: p, per_subject: true}, ssn: {technique: tokenize, domain: t}, id: drop}
"""


def settled(eraser, people):
    """What there is once two looks after each other agree: a server may commit a moment after its client was killed."""
    looks = [None, eraser.standing(people)]
    while looks[-1] != looks[-2]:
        looks.append(eraser.standing(people))
    return looks[-1]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_in_the_middle(kind, request, tmp_path, key_uri):
    """Whenever the process is killed, keys, tokens and marks are all there or all gone; the next order ends it."""
    uri = f"sqlite://{tmp_path}/vault.db" if kind == "sqlite" else request.getfixturevalue("server").database()
    (tmp_path / "policy.yaml").write_text(POLICY)
    loaded, ring, rng = load_policy(tmp_path / "policy.yaml"), open_ring(key_uri), random.Random(7)
    people = [f"CUST{number}" for number in range(COUNT)]
    vault = open_vault(uri, patience=20)
    rows = [f'{{"id":"{one}","name":"n","ssn":"{one}"}}' for one in (*people, "other")]
    Protector(loaded, ring, vault).protect(rows)
    eraser, whole = Eraser(loaded, ring, vault), Standing(COUNT, COUNT, 0)
    assert eraser.standing(people) == whole
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-P", str(ERASER), str(tmp_path / "policy.yaml"), key_uri, uri, str(COUNT)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(rng.random() * 0.3)  # any moment does
        child.kill()
        child.communicate(timeout=CLIENT_S)
        assert settled(eraser, people) in (whole, Standing(0, 0, COUNT))
    done = eraser.erase(people, 1)
    assert (done.keys, done.tokens) in ((COUNT, COUNT), (0, 0))
    assert eraser.standing(people) == Standing(0, 0, COUNT) and eraser.standing(["other"]) == Standing(1, 1, 0)
    assert eraser.erase(people, 2).keys == 0
    vault.close()
