"""Customer events, and what a policy makes of them in this process, as `run` writes it."""

from pathlib import Path
from typing import NamedTuple

from flink_masking import KeyRing, Protector
from flink_masking.generate import write_events
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


class Released(NamedTuple):
    """Files of a run.

    Attributes:
        policy: of it.
        raw: the raw records.
        output: a directory for each segment.
    """

    policy: Path
    raw: Path
    output: Path


def released_run(folder: Path, policy: Path, events: int, people: int, keys: str | None = None, more: bytes = b"") -> Released:
    """Protect synthetic customer events.

    Args:
        folder: gets `events.jsonl` and `out`.
        policy: of the views.
        events: how many.
        people: that they are about.
        keys: address of a key ring; with it there are a quarantine and an audit, too.
        more: lines after the events.
    """
    raw, output = folder / "events.jsonl", folder / "out"
    write_events(raw, events, people, 1)
    with raw.open("ab") as file:
        file.write(more)
    protector = Protector(load(PolicySource.read(policy)), keys or KeyRing.ephemeral())
    lines, views = raw.read_bytes().splitlines(), dict[str, list[bytes]]()
    for start in range(0, len(lines), 2000):
        result = protector.protect(lines[start : start + 2000])
        for name, found in (*((name, view.to_pylist()) for name, view in result.views.items()), *result.released.items()):
            views.setdefault(name, []).extend(line for line in found if line is not None)
        if keys is not None:
            views.setdefault("audit", []).extend(result.audit)
            views.setdefault("quarantine", []).extend(line for _, line in result.quarantine)
    for name, found in protector.finish().items():
        views[name] += found
    for name, found in views.items():
        (output / name).mkdir(parents=True)
        (output / name / "part-0").write_bytes(b"".join(line + b"\n" for line in found))
    return Released(policy, raw, output)
