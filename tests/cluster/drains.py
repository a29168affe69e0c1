"""Restores one job again and again and drains it each time: a program for ``flink run`` that spares a client for each."""

import argparse
import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from jobs.fan_out import submit


def main() -> None:
    """Submit, wait for tasks and a checkpoint, be silent, drain; so many times."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name, kind in (("policy", Path), ("deployment", Path), ("savepoint", str), ("rest", str), ("times", int), ("silence", float)):
        parser.add_argument(f"--{name}", required=True, type=kind)
    options = parser.parse_args()
    body = yaml.safe_load(options.deployment.read_text())
    body["flink"]["execution.state-recovery.path"] = options.savepoint
    deployment = options.deployment.with_name("again.yaml")
    deployment.write_text(yaml.safe_dump(body))
    rest = Rest(options.rest)
    for _ in range(options.times):
        submit(options.policy, deployment, False, False, asks=False)
        [job] = [found["id"] for found in rest("/jobs")["jobs"] if found["status"] not in ("FINISHED", "FAILED", "CANCELED")]
        rest.wait(lambda job=job: all(vertex["status"] == "RUNNING" for vertex in rest(f"/jobs/{job}")["vertices"]))
        rest.wait(lambda job=job: rest(f"/jobs/{job}/checkpoints")["counts"]["completed"] > 0)
        time.sleep(options.silence)
        trigger = rest(f"/jobs/{job}/stop", {"drain": True})["request-id"]
        rest.wait(lambda job=job, trigger=trigger: rest(f"/jobs/{job}/savepoints/{trigger}")["status"]["id"] == "COMPLETED")
        rest.wait(lambda job=job: rest(f"/jobs/{job}")["state"] == "FINISHED")


class Rest:
    """Flink's REST endpoint."""

    def __init__(self, base: str) -> None:
        """Keep the address."""
        self._base = base

    def __call__(self, path: str, body: object = None) -> Any:
        """The answer to a question, or (with a body) to an order."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self._base + path, data, {"Content-Type": "application/json"})) as answer:
            return json.load(answer)

    def wait(self, done: Any) -> None:
        """Wait until something is true; who has submitted this program sees when nothing moves any more."""
        while not done():
            time.sleep(0.1)


if __name__ == "__main__":
    main()
