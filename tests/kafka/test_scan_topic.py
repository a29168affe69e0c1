"""flink-masking scan of a deployment's source in Kafka."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from scan_samples import fhir

pytestmark = pytest.mark.flink
PROGRAM = str(Path(__file__).with_name("several_commands.py"))


def test_topics_of_a_source_are_scanned_and_proposed_for(broker, topic, key_uri, tmp_path):
    """The records of a source's topic are read as those of a file; a topic that is not there, or a command without input, is an error."""
    name, records = topic("scanned", 2), fhir(90)
    broker.produce(name, [json.dumps(record).encode() for record in records])
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    for file, source in (("deployment", name), ("missing", f"{name}-missing")):
        (tmp_path / f"{file}.yaml").write_text(yaml.safe_dump({"source": {**table, "topic": source}, "sinks": {}, "keys": key_uri}))
    policy, place = tmp_path / "policy.yaml", tmp_path / "deployment.yaml"
    commands = [["scan", "--deployment", place, "--json", "--propose", policy], ["scan", "--deployment", place, "--against", policy],
                ["scan", "--deployment", place, "--limit", "7", "--json"], ["scan", "--deployment", tmp_path / "missing.yaml"], ["scan"]]
    asked = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run([sys.executable, "-P", PROGRAM, asked], capture_output=True, text=True, check=True)
    proposed, against, some, missing, nothing = json.loads(done.stdout)
    report = json.loads(proposed[1])
    assert proposed[0] == 0 and report["records"] == 90 and report["inputs"] == [{"name": name, "records": 90}]
    assert {path["path"] for path in report["paths"]} >= {"subject.reference", "telecom[*].value"}
    assert against[0] == 0 and json.loads(some[1])["records"] == 7
    assert missing[0] == 1 and "does not exist" in missing[2]
    assert nothing[0] == 2
