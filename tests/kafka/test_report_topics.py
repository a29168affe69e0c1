"""flink-masking report --deployment: a bounded sample of the topics of a deployment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from released_run import released_run

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.policy.source import PolicySource
from flink_masking.report import figures

pytestmark = pytest.mark.flink
PROGRAM = str(Path(__file__).with_name("several_commands.py"))
VIEW, NOISE = "aggregated-customer-metrics", "noise, 1 as promised"


def test_a_sample_of_topics_is_measured_without_a_consumer_group(broker, topic, key_uri, tmp_path):
    """Figures are those of the same records in files; with a limit the page says what was cut, and nothing counts as broken."""
    run = released_run(tmp_path, CUSTOMER_EVENTS, 5000, 1000)
    raw, released = topic("raw"), topic("metrics")
    broker.produce(raw, run.raw.read_bytes().splitlines())
    lines = (run.output / VIEW / "part-0").read_bytes().splitlines()
    broker.produce(released, lines)
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    body = {"source": {**table, "topic": raw}, "sinks": {VIEW: {**table, "topic": released}}, "keys": key_uri}
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(body))
    command = ["report", str(run.policy), "--deployment", str(tmp_path / "deployment.yaml"), "--json"]
    both = json.dumps([command, [*command, "--limit", "100"]])
    done = subprocess.run([sys.executable, "-P", PROGRAM, both], capture_output=True, text=True, check=False)
    whole, part = (json.loads(out) for _, out, _ in json.loads(done.stdout))
    expected = figures(PolicySource.read(run.policy), run.raw, run.output)
    assert whole["aggregated"][0]["series"]
    shown, told = (json.loads(json.dumps(one["aggregated"])) for one in (whole, expected))
    for one, other in zip(shown, told, strict=True):  # the sizes of noise are rounded, from draws of each process's own
        assert one["figures"].pop(NOISE) == pytest.approx(other["figures"].pop(NOISE), abs=0.11)
    assert shown == told and whole["sample"]["cut"] == []
    assert whole["sample"]["records"] == {VIEW: len(lines)} and whole["governance"]["deployment"]  # all of the source is counted with noise
    assert "source" in part["sample"]["cut"] and part["sample"]["records"]["source"] == 100
    assert not any(view["broken"] for view in part["aggregated"])
