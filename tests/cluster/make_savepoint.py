"""Makes the savepoint that test_savepoint.py restores: python tests/cluster/make_savepoint.py DIRECTORY [ARCHIVE].

Run it once for each format of the state, where the package is installed, into savepoints/<format>; what earlier releases wrote stays, and
must stay readable. With an archive of that release (``flink-masking package``) the workers run from it.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1] / name) for name in ("cluster", "flink", "shared")]

import fanout
import job_material as material
import yaml
from cluster import Cluster

from flink_masking.keys.files import create

EVENTS = 150
POLICY = fanout.POLICY.replace("max_delay: 4s", "max_delay: 1h\n    max_releases: {per: 20000d, count: 100}").replace(
    "lifetime_epsilon: 1000", "lifetime_epsilon: 10") + """\
  nearby:
    view: anonymized
    mode: zero_delay
    k: 5
    quasi_identifiers: [zip]
    release: [order]
    window: 20000d
"""
"""Every kind of state: buffers, limits of releases, values shown, the clock, open windows, closed ones, budgets that are spent.

The buffered records of the anonymized view wait, and the aggregated view's windows of the last minute are open. The durations outlive the
years between the savepoint and its restoration.
"""
STEPS = ("partners: anonymize", "nearby: anonymize", "dashboard: clock", "dashboard: partial")


def main() -> None:
    """Write events.jsonl, policy.yaml, keys.json (made for this purpose, guarding nothing) and the savepoint."""
    target, archive = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    target.mkdir(parents=True)
    create(target / "keys.json")
    (target / "policy.yaml").write_text(POLICY)
    run: tuple[object, ...] = ("-p", 1) if archive is None else ("-p", 1, "-pyarch", archive)
    python = sys.executable if archive is None else f"{archive.name}/bin/python"
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        closed = material.make_events(place, EVENTS, 60, 31).lines
        opened = [line for line in material.make_events(place, EVENTS, 60, 32, first=EVENTS, hour=12).lines if b"T12:00:" in line]
        (target / "events.jsonl").write_bytes(material.text([*closed, *opened]))
        job = fanout.FanOut(place / "job", f"file://{target / 'keys.json'}", POLICY)
        # A file sink's state names files that lie beside the savepoint; this one has no state.
        deployment = yaml.safe_load(job.deployment.read_text())
        deployment["sinks"] = {key: {"connector": "blackhole"} for key in (*deployment["sinks"], "nearby")}
        job.deployment.write_text(yaml.safe_dump(deployment))
        with Cluster(place / "cluster") as cluster:
            submitted = cluster.submit(job.policy, job.deployment, run=run, python=python)
            assert submitted.job, submitted.text
            cluster.wait("the job runs", lambda: cluster.running(submitted.job))

            def read(step: str) -> int:
                vertices = cluster.rest(f"/jobs/{submitted.job}")["vertices"]
                return sum(v["metrics"]["read-records"] for v in vertices if step in v["name"])

            def counts() -> list[int]:
                return [read(step) for step in STEPS]

            def closing() -> bool:
                return read("dashboard: final") > 0 and all(now > then for now, then in zip(counts(), before, strict=True))

            job.give("closed", closed)
            cluster.wait("the records have reached the stateful steps", lambda: all(counts()), counts)
            before = counts()
            job.give("opened", opened)
            cluster.wait("the later ones have, too, and windows are closed", closing, counts)
            taken = cluster.savepoint(submitted.job, stop=True)
        shutil.copytree(taken.removeprefix("file:"), target / "savepoint")
    print(sum(file.stat().st_size for file in target.rglob("*")), "bytes in", target)


if __name__ == "__main__":
    main()
