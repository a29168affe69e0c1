"""A job of one's own around Protect goes on from a savepoint: its windows and joins, and the segments, though the job has changed."""

import collections
import decimal
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fanout
import job_material as material
import pytest
import yaml
from cluster import Cluster

import jobs.enrich_and_protect
from flink_masking.tools.reconcile import count_lines

pytestmark = pytest.mark.flink
PART, LEAST = 2_000, 10
POLICY = fanout.POLICY.replace("      purchaseAmount: keep\n      timestamp: keep\n",
                               "      zip: {technique: generalize, prefix: 1}\n      purchaseAmount: keep\n      timestamp: keep\n", 1)
MORE = '  support:\n    view: masked\n    rules: {order: keep, age: keep, "*": drop}\n'
PROGRAM = Path(jobs.enrich_and_protect.__file__)


class OwnJob(fanout.FanOut):
    """The example job as a test sees it: what its filter leaves out is given, and nowhere."""

    def __init__(self, place: Path, keys: str) -> None:
        """Add a sink for the totals, and the regions."""
        super().__init__(place, keys, POLICY)
        self.sales: dict[tuple[str, str], list[decimal.Decimal]] = collections.defaultdict(list)
        self.regions = place / "regions.csv"
        self.regions.write_text("".join(f"{digit},{'west' if digit == 9 else 'east'}\n" for digit in range(10)))
        self.sink("regions", format="json")

    def sink(self, name: str, **options: str) -> None:
        """One more table to write to."""
        body = yaml.safe_load(self.deployment.read_text())
        body["sinks"][name] = {"connector": "filesystem", "path": (self.views / name).as_uri(), **fanout.ROLLING, **options}
        self.deployment.write_text(yaml.safe_dump(body))

    def offer(self, name: str, events: list[bytes]) -> None:
        """Put a file of events, some too small for the job, into the watched directory."""
        kept = [line for line in events if json.loads(line)["purchaseAmount"] >= LEAST]
        assert 0 < len(kept) < len(events)
        self.remember(kept)
        for event in map(json.loads, kept):
            minute = event["timestamp"][:16].replace("T", " ") + ":00"
            self.sales[minute, "west" if event["zip"][0] == "9" else "east"].append(decimal.Decimal(str(event["purchaseAmount"])))
        self._put(name, events)
        self.given -= len(events) - len(kept)


@pytest.fixture(scope="module")
def story(cluster: Cluster, place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """Half of the events, a savepoint, the job with one more segment and sink, the rest, a drain."""
    job = OwnJob(place / "own", key_uri)
    events = material.make_events(place, 3 * PART, 1_200, 41).lines
    arguments = ("--regions", job.regions, "--least", LEAST)

    def leg(policy: Path, *run: object) -> str:
        submitted = cluster.submit(policy, job.deployment, run=("-p", 1, *run), arguments=arguments, program=PROGRAM)
        assert submitted.job, submitted.text
        cluster.wait("the job runs", lambda: cluster.running(submitted.job))
        return submitted.job

    first = leg(job.policy)
    job.offer("0", events[:PART])
    job.give_broken("broken")
    cluster.wait("the masked view is whole", lambda: job.masked() == len(job.truth), job.masked)
    job.offer("1", events[PART : 2 * PART])
    taken = cluster.savepoint(first, stop=True)
    published = count_lines(job.views / "regions")
    more = place / "more.yaml"
    more.write_text(POLICY.replace("segments:\n", "segments:\n" + MORE))
    job.sink("support")
    second = leg(more, "-s", taken)
    job.offer("2", events[2 * PART :])
    cluster.wait("the masked view is whole", lambda: job.masked() == len(job.truth), job.masked)
    cluster.savepoint(second, stop=True, drain=True)
    yield {"job": job, "published": published, "support": count_lines(job.views / "support")}


def test_every_promise_is_kept_over_the_savepoint(story):
    """Each event that passes the filter once in every view, accounts that add up, k and l, one value a window: over two jobs."""
    assert story["job"].faults() == []


def test_the_totals_behind_the_view_are_exact(story):
    """Windows that were open in the savepoint, and the joined table, go on: each minute and region once, with all of its events."""
    rows = material.records(story["job"].views / "regions")
    assert story["published"] < len(rows)
    found: dict[tuple[str, str], list[decimal.Decimal]] = collections.defaultdict(lambda: [decimal.Decimal(0)] * 2)
    for row in rows:  # one for each minute and first digit of the zip code
        events, sales = found[row["window_start"], row["region"]]
        found[row["window_start"], row["region"]] = [events + row["events"], sales + decimal.Decimal(str(row["sales"]))]
    assert {place: [len(sales), sum(sales)] for place, sales in story["job"].sales.items()} == found


def test_a_new_segment_begins_where_the_savepoint_ends(story):
    """One more segment and sink in the job cost the others nothing."""
    assert 0 < story["support"] <= 2 * PART
