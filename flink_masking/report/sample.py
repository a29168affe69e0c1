"""A bounded sample of a running deployment: the first records of its source and of the views that are measured."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from flink_masking.policy.model import Policy
from flink_masking.verify.records import Held

Read = Callable[[str | None], Iterator[bytes]]
"""Values of a sink by its name, or of the source, from the beginning."""


class Sample(NamedTuple):
    """Records in memory.

    Attributes:
        raw: of the source.
        released: by segment.
        limit: records that were read of each table, at most.
        cut: tables of which there are more: the source, or segments.
    """

    raw: Held
    released: Mapping[str, Held]
    limit: int
    cut: tuple[str, ...]


def sample_of(policy: Policy, tables: Collection[str], read: Read, limit: int) -> Sample:
    """Read a sample.

    Args:
        policy: says which views there are.
        tables: names of the sinks.
        read: reads one table; closed when there is enough.
        limit: records of each table.
    """
    cut: list[str] = []

    def held(name: str | None) -> Held:
        values = read(name)
        records = list(islice(values, limit))
        if next(values, None) is not None:
            cut.append(name or "source")
        close = getattr(values, "close", None)
        if close is not None:
            close()
        return Held(records, policy.columns)

    raw = held(None)
    wanted = [name for name, segment in policy.segments.items() if name in tables and segment.view != "granted"]
    return Sample(raw, {name: held(name) for name in wanted}, limit, tuple(cut))
