"""What several releases of one person give away: how often a diagnosis that never changes is learned from k-anonymous, l-diverse groups.

People buy at random times and always have the same diagnosis. An attacker knows a person's age, postal code and the times of all purchases,
and looks at what was released after each:

- by times: at the lines that left within `max_delay` of a purchase and whose labels fit the person,
- by groups: at the lines of the very group that the record left in (as a reader can tell who sees lines of one release together).

Each release leaves some diagnoses possible. The person's own is in the set of every release of theirs; the attacker takes the diagnosis
that is in most sets, and has learned it if there is one such diagnosis and it is right.

Run as a script for a table; `--people`, `--days` and `--daily` set the size. Nothing here fails because a machine is slow.
"""

import argparse
import itertools
from typing import NamedTuple

import numpy as np

from flink_masking.anonymity.dimensions import NumberDimension
from flink_masking.anonymity.models import DistinctL, Models
from flink_masking.anonymity.releases import ReleaseLimit
from flink_masking.anonymity.slide_grow import USUAL_PREFERENCE, Records, SlideGrow
from flink_masking.anonymity.space import Space

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
DELAY = HOUR
DIAGNOSES = 20


class Stream(NamedTuple):
    """Records in the order of arrival, and who the people are."""

    person: np.ndarray
    time: np.ndarray
    age: np.ndarray
    zip: np.ndarray
    diagnosis: np.ndarray


class Released(NamedTuple):
    """What left: record number, its group, the group's box and the time, a row for each line."""

    record: np.ndarray
    group: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at: np.ndarray


def stream(people: int, days: int, daily: int, seed: int = 1) -> Stream:
    """Each person's records at random times, and one of equally frequent diagnoses: whoever guesses is right once in `DIAGNOSES`."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), days * daily)
    time = rng.integers(0, days * DAY, len(person))
    order = np.argsort(time, kind="stable")
    return Stream(person[order], time[order], rng.integers(18, 91, people), rng.integers(0, 1000, people),
                  rng.integers(0, DIAGNOSES, people))


def release(data: Stream, k: int, distinct: int, limit: ReleaseLimit | None) -> tuple[Released, int]:
    """Run the records through slide-grow, a minute at a time; what left, and how many were suppressed by the limit."""
    space = Space({"age": NumberDimension(0, 120), "zip": NumberDimension(0, 999)})
    buffer = SlideGrow(space, k, Models([DistinctL(0, distinct)] if distinct > 1 else []), 5000, DELAY, USUAL_PREFERENCE)
    hashed = data.person.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
    parts, limited, count = [], 0, 0
    edges = np.searchsorted(data.time, np.arange(0, int(data.time[-1]) + 2 * MINUTE, MINUTE))
    for tick, (a, b) in enumerate(itertools.pairwise(edges)):
        now, rows = (tick + 1) * MINUTE, np.arange(a, b)
        if limit is not None and len(rows):
            kept = limit.admit(hashed[rows], now, {})
            limited, rows = limited + int((~kept).sum()), rows[kept]
        who = data.person[rows]
        codes = [data.age[who].astype(np.uint16), data.zip[who].astype(np.uint16)]
        sensitive = data.diagnosis[who].astype(np.uint64)[None, :]
        groups = buffer.push(Records(codes, hashed[rows], sensitive, rows, np.full(len(rows), now)), now)
        if limit is not None and len(groups.suppressed):
            suppressed = groups.suppressed
            limit.give_back(hashed[suppressed], np.ceil((data.time[suppressed] + 1) / MINUTE).astype(np.int64) * MINUTE, {})
        if len(groups.seq):
            group = np.repeat(np.arange(len(groups.end)), np.diff(groups.end, prepend=0))
            parts.append(Released(groups.seq, count + group, groups.low[group], groups.high[group], np.full(len(group), now)))
            count += len(groups.end)
    return Released(*(np.concatenate(columns) for columns in zip(*parts, strict=True))), limited


def learned(data: Stream, out: Released, known: str, targets: np.ndarray) -> float:
    """The share of the targets whose diagnosis the attacker learns; see the module."""
    line = np.left_shift(np.uint64(1), data.diagnosis[data.person[out.record]].astype(np.uint64))
    sets = np.zeros(int(out.group[-1]) + 1, np.uint64)
    np.bitwise_or.at(sets, out.group, line)
    found = 0
    for target in targets:
        own = np.flatnonzero(data.person == target)
        if known == "groups":
            masks = sets[out.group[np.isin(out.record, own)]]
        else:
            fits = ((out.low[:, 0] <= data.age[target]) & (data.age[target] <= out.high[:, 0])
                    & (out.low[:, 1] <= data.zip[target]) & (data.zip[target] <= out.high[:, 1]))
            at, bits = out.at[fits], line[fits]
            begin, end = np.searchsorted(at, data.time[own]), np.searchsorted(at, data.time[own] + DELAY + MINUTE, "right")
            masks = np.array([np.bitwise_or.reduce(bits[a:b]) for a, b in zip(begin, end, strict=True) if a < b], np.uint64)
        votes = [int(np.count_nonzero(masks >> np.uint64(d) & np.uint64(1))) for d in range(DIAGNOSES)]
        best = max(votes)
        found += best > 0 and votes.count(best) == 1 and votes[data.diagnosis[target]] == best
    return found / len(targets)


def measure(people: int, days: int, daily: int, sample: int = 300) -> list[tuple[str, float, float, float]]:
    """For each limit: its name, the share of released records, and the share of diagnoses learned by times and by groups."""
    data, table = stream(people, days, daily), []
    targets = np.random.default_rng(2).choice(people, min(sample, people), replace=False)
    limits = {"no limit": None, "5 in 24h": (DAY, 5), "1 in 24h": (DAY, 1), "5 in 30d": (30 * DAY, 5), "2 in 30d": (30 * DAY, 2),
              "1 in 30d": (30 * DAY, 1)}
    for k, distinct in ((5, 3), (10, 5)):
        for name, limit in limits.items():
            out, _ = release(data, k, distinct, None if limit is None else ReleaseLimit(limit[0], limit[1], DELAY))
            shares = [learned(data, out, known, targets) for known in ("times", "groups")]
            table.append((f"k = {k}, l = {distinct}, {name}", len(out.record) / len(data.time), *shares))
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("people", 1000), ("days", 20), ("daily", 10)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    chosen = parser.parse_args()
    print(f"{'':32} {'released':>9} {'by times':>9} {'by groups':>9}")
    for name, released, times, groups in measure(chosen.people, chosen.days, chosen.daily):
        print(f"{name:32} {released:9.1%} {times:9.1%} {groups:9.1%}")
