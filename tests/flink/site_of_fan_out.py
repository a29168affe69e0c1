"""One run of the main job as a script, which several modules look at: files of a deployment and what the job left."""

from pathlib import Path
from typing import Any, NamedTuple

import job_material as material
import processes
import yaml
from lineage_receiver import receiving


class Site(NamedTuple):
    """Files of a deployment, the body of its file, how the job ended, and the lineage events that it sent."""

    place: Path
    policy: Path
    raw: Path
    views: Path
    events: material.Events
    body: dict[str, object]
    finished: processes.Finished
    lineage: list[dict[str, Any]]


def fan_out(place: Path, policy: Path, body: dict[str, object], **more: str) -> processes.Finished:
    """Run ``jobs/fan_out.py`` to its end; `more` are further environment variables."""
    deployment = place / "deployment.yaml"
    deployment.write_text(yaml.safe_dump(body))
    return processes.run(place, *processes.FAN_OUT, "--policy", policy, "--deployment", deployment, "--bounded", "--wait", **more)


def run(place: Path, key_uri: str) -> Site:
    """Events with broken lines among them through a policy with every kind of segment, between filesystem source and sinks."""
    events = material.make_events(place, 2_000, 400, 5)
    raw, policy, views = place / "events.jsonl", place / "policy.yaml", place / "views"
    raw.write_bytes(material.text([*events.lines[:1_000], *material.BROKEN, *events.lines[1_000:]]))
    policy.write_text(material.POLICY)
    sinks = {name: {"connector": "filesystem", "path": (views / name).as_uri()} for name in material.SINKS}
    source = {"connector": "filesystem", "path": raw.as_uri()}
    body = {"source": source, "sinks": sinks, "keys": key_uri, "flink": {"parallelism.default": 1}}
    with receiving() as receiver:
        finished = fan_out(place, policy, body, **receiver.environment)
    return Site(place, policy, raw, views, events, body, finished, receiver.events)
