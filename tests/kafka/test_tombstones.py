"""Tombstones for erased subjects reach the rows of an upsert view on a real broker."""

import json
import os
import sys

import pytest
import yaml
from waiting import run

from flink_masking.java import java_home
from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load_policy
from flink_masking.tools.erase import Eraser

pytestmark = pytest.mark.flink
MAIN = "from flink_masking.cli import main; main()"
POLICY = """\
version: 1
stream: s
subject: id
fields: {id: {class: identifier}}
segments:
  newest: {view: masked, rules: {id: {technique: pseudonym, domain: d}}, record: {key: {technique: pseudonym, domain: k}}}
"""


def test_rows_of_the_erased_are_deleted(broker, topic, key_uri, tmp_path):
    """erase --tombstones sends a record without a value under each masked key."""
    name = topic("newest", 3)
    (tmp_path / "policy.yaml").write_text(POLICY)
    table = {"connector": "upsert-kafka", "properties.bootstrap.servers": broker.bootstrap, "topic": name}
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {"connector": "kafka", "topic": "raw", "properties.bootstrap.servers": broker.bootstrap}, "sinks": {"newest": table},
        "keys": key_uri}))
    eraser = Eraser(load_policy(tmp_path / "policy.yaml"), open_ring(key_uri), None)
    keys = eraser.masked_keys(["newest"], ["a", "b"])["newest"]
    done = run([sys.executable, "-P", "-c", MAIN, "erase", str(tmp_path / "policy.yaml"), str(tmp_path / "deployment.yaml"), "--subject",
                "a", "--subject", "b", "--tombstones", "--actor", "ann", "--purpose", "request 7", "--audit", str(tmp_path / "audit")],
               env={**os.environ, "JAVA_HOME": str(java_home()), "FLINK_LOG_DIR": str(tmp_path)})
    assert done.code == 0, done.err
    assert "newest: 2 tombstones sent" in done.out
    found = broker.consume(name, at_least=2)
    assert sorted((record.key, record.value) for record in found) == sorted((key, None) for key in keys)
    assert json.loads((tmp_path / "audit").read_bytes().splitlines()[-1])["tombstones_sent"] == {"newest": 2}
