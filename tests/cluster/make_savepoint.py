"""Makes the savepoint that test_savepoint.py restores: python tests/cluster/make_savepoint.py DIRECTORY, where the package is installed.

Run it once for each format of the state, into savepoints/<format>; what earlier releases wrote stays, and must stay readable.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1] / name) for name in ("cluster", "flink", "shared")]

import fanout
import material
import yaml
from cluster import Cluster

from flink_masking.keys.files import create

EVENTS = 150
POLICY = fanout.POLICY.replace("max_delay: 4s", "max_delay: 1h").replace("max_out_of_orderness: 60s", "max_out_of_orderness: 1h")
"""Nothing leaves before the savepoint: all records wait in the anonymized view's buffers and in open windows."""
STEPS = ("partners: anonymize", "dashboard: partial")


def main() -> None:
    """Write events.jsonl, policy.yaml, keys.json (made for this purpose, guarding nothing) and the savepoint."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True)
    create(target / "keys.json")
    (target / "policy.yaml").write_text(POLICY)
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        events = material.make_events(place, EVENTS, 60, 31).lines
        (target / "events.jsonl").write_bytes(material.text(events))
        job = fanout.FanOut(place / "job", f"file://{target / 'keys.json'}", POLICY)
        # A file sink's state names files that lie beside the savepoint; this one has no state.
        deployment = yaml.safe_load(job.deployment.read_text())
        deployment["sinks"] = {key: {"connector": "blackhole"} for key in deployment["sinks"]}
        job.deployment.write_text(yaml.safe_dump(deployment))
        with Cluster(place / "cluster") as cluster:
            submitted = cluster.submit(job.policy, job.deployment, run=("-p", 1))
            assert submitted.job, submitted.text
            cluster.wait("the job runs", lambda: cluster.running(submitted.job))
            job.give("events", events)

            def held() -> bool:
                vertices = cluster.rest(f"/jobs/{submitted.job}")["vertices"]
                return all(any(v["name"].startswith(step) and v["metrics"]["read-records"] > 0 for v in vertices) for step in STEPS)

            cluster.wait("the records have reached the stateful steps", held)
            taken = cluster.savepoint(submitted.job, stop=True)
        shutil.copytree(taken.removeprefix("file:"), target / "savepoint")
    print(sum(file.stat().st_size for file in target.rglob("*")), "bytes in", target)


if __name__ == "__main__":
    main()
