"""The main job as a script with a deployment file."""

from collections import Counter

import job_material as material
import pytest
import site_of_fan_out

from flink_masking.files.opened import data_files as files
from flink_masking.tools.reconcile import count_lines

pytestmark = pytest.mark.flink


def test_a_deployment_runs_to_its_end(fanned_out):
    """A bounded job fills its sinks and ends with 0; nothing is left half written."""
    site = fanned_out
    assert (site.finished.code, site.finished.out) == (0, ""), site.finished.err[-3000:]
    for view in ("analytics", "development"):
        assert Counter(record["order"] for record in material.records(site.views / view)) == dict.fromkeys(site.events.truth, 1)
    assert count_lines(site.views / "quarantine") == len(material.BROKEN)
    assert count_lines(site.views / "audit") > 0
    assert [file for file in site.views.rglob("*") if file.is_file() and file not in files(site.views)] == []


def test_a_missing_sink_is_told(place, fanned_out):
    """A segment without a sink is named, with a hint, before anything runs; no traceback."""
    sinks = {name: options for name, options in fanned_out.body["sinks"].items() if name != "development"}
    finished = site_of_fan_out.fan_out(place, fanned_out.policy, {**fanned_out.body, "sinks": sinks})
    assert finished.code == 1
    assert "error: the deployment has no sink for development" in finished.err
    assert "Hint: add sinks.development: {connector: …}" in finished.err
    assert "Traceback" not in finished.err


def test_the_job_tells_its_lineage(fanned_out):
    """A job that is waited for sends START, RUNNING with Flink's id of it and COMPLETE, with the places of the deployment."""
    events = fanned_out.lineage
    assert [event["eventType"] for event in events if event["eventType"] != "RUNNING"] == ["START", "COMPLETE"]
    running = [event["run"]["facets"]["externalQuery"]["externalQueryId"] for event in events if event["eventType"] == "RUNNING"]
    assert running and len(set(running)) == 1 and len(running[0]) == 32
    assert events[0]["inputs"][0]["name"] == str(fanned_out.raw)
    assert {one["name"] for one in events[0]["outputs"]} == {str(fanned_out.views / name) for name in material.SINKS}
    views = [one["facets"]["columnLineage"]["fields"] for one in events[-1]["outputs"] if one["facets"]]
    inputs = [field for fields in views for one in fields.values() for field in one["inputFields"]]
    assert {one["transformations"][0]["masking"] for one in inputs} == {True, False}
