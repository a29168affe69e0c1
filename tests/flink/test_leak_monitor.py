"""The main job with canaries and the leak monitor as scripts, on files."""

import json

import job_material as material
import processes
import pytest
import yaml

from flink_masking.files.opened import data_files as files

pytestmark = [pytest.mark.flink, pytest.mark.slow]


def test_the_monitor_finds_what_was_put_into_a_view(tmp_path, key_uri):
    """Views as the job made them hold no leak; a customer number that no pattern knows, put into one, is told with its field, not shown."""
    events = material.make_events(tmp_path, 2_000, 400, 6)
    raw, policy, views = tmp_path / "events.jsonl", tmp_path / "policy.yaml", tmp_path / "views"
    raw.write_bytes(material.text(events.lines))
    policy.write_text(material.POLICY)
    body = {"source": {"connector": "filesystem", "path": raw.as_uri()}, "keys": key_uri, "flink": {"parallelism.default": 1},
            "sinks": {name: {"connector": "filesystem", "path": (views / name).as_uri()} for name in material.SINKS},
            "leaks": {"directory": str(tmp_path / "canaries"), "sample": 1,
                      "findings": {"connector": "filesystem", "path": (tmp_path / "findings").as_uri()}}}
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text(yaml.safe_dump(body))
    options = ("--policy", policy, "--deployment", deployment, "--bounded", "--wait")
    done = processes.run(tmp_path, *processes.FAN_OUT, *options)
    assert done.code == 0, done.err[-3000:]
    assert list((tmp_path / "canaries").glob("*.canaries"))
    planted = json.loads(events.lines[7])["customerId"]
    view = files(views / "analytics")[0]
    clean = view.read_bytes()
    view.write_bytes(clean + json.dumps({"note": f"see {planted}"}).encode() + b"\n")
    done = processes.run(tmp_path, "-m", "jobs.leak_monitor", *options)
    assert done.code == 0, done.err[-3000:]
    told = [json.loads(line) for file in files(tmp_path / "findings") for line in file.read_bytes().splitlines()]
    assert planted not in json.dumps(told)
    found = [leak for one in told for leak in one["leaks"]]
    assert [(leak["source"], leak["path"], leak["kind"], leak["values"]) for leak in found] == [("analytics", "note", "canary", 1)]
