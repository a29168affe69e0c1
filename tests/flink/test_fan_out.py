"""The main job as a script with a deployment file."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import material
import processes
import pytest
import yaml

from flink_masking.engine.accounts import count_lines, files

pytestmark = pytest.mark.flink


class Site(NamedTuple):
    """Files of a deployment."""

    policy: Path
    views: Path
    events: material.Events
    body: dict[str, object]


@pytest.fixture(scope="module")
def site(place: Path, key_uri: str) -> Site:
    """Events and a policy with masked segments only, between filesystem source and sinks."""
    events = material.make_events(place, 2_000, 400, 5)
    (place / "events.jsonl").write_bytes(material.text([*events.lines, *material.UNREADABLE]))
    policy, views = place / "policy.yaml", place / "views"
    policy.write_text(material.FIELDS + material.MASKED)
    names = ("analytics", "development", "audit", "quarantine")
    sinks = {name: {"connector": "filesystem", "path": (views / name).as_uri()} for name in names}
    source = {"connector": "filesystem", "path": (place / "events.jsonl").as_uri()}
    return Site(policy, views, events, {"source": source, "sinks": sinks, "keys": key_uri, "flink": {"parallelism.default": 1}})


def _run(place: Path, site: Site, body: dict[str, object]) -> processes.Finished:
    deployment = place / "deployment.yaml"
    deployment.write_text(yaml.safe_dump(body))
    return processes.run(place, *processes.FAN_OUT, "--policy", site.policy, "--deployment", deployment, "--bounded", "--wait")


def test_a_deployment_runs_to_its_end(place, site):
    """A bounded job without stateful segments fills its sinks and ends with 0; nothing is left half written."""
    finished = _run(place, site, site.body)
    assert (finished.code, finished.out) == (0, ""), finished.err[-3000:]
    for view in ("analytics", "development"):
        assert Counter(record["order"] for record in material.records(site.views / view)) == dict.fromkeys(site.events.truth, 1)
    assert count_lines(site.views / "quarantine") == len(material.UNREADABLE)
    assert count_lines(site.views / "audit") > 0
    assert [file for file in site.views.rglob("*") if file.is_file() and file not in files(site.views)] == []


def test_a_missing_sink_is_told(place, site):
    """A segment without a sink is named, with a hint, before anything runs; no traceback."""
    sinks = {name: options for name, options in site.body["sinks"].items() if name != "development"}
    finished = _run(place, site, {**site.body, "sinks": sinks})
    assert finished.code == 1
    assert "error: the deployment has no sink for development" in finished.err
    assert "Hint: add sinks.development: {connector: …}" in finished.err
    assert "Traceback" not in finished.err
