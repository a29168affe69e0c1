"""Stateful segments without Flink: the same logics, driven in this process."""

from collections import Counter
from collections.abc import Callable

from flink_masking.engine.plan import Plan
from flink_masking.engine.protected import Protected
from flink_masking.keys.sealer import Sealer
from flink_masking.logic import Effects, Logic


class InProcess:
    """Feeds packed batches to the logics of a plan and collects what they publish.

    Windows of event time close at the end of the input, as they do in a bounded job, so that no record is late.

    Attributes:
        counts: what became of the records, by segment: ``released``, ``suppressed``, ``bounded``, …, as in the audit.
    """

    def __init__(self, plan: Plan, clock: Callable[[], int]) -> None:
        """Start with empty buffers.

        Args:
            plan: the compiled policy.
            clock: processing time in ms since 1970.
        """
        self._clock = clock
        self.renew(plan)
        self._logics: dict[tuple[str, int, int], Logic] = {}
        self._lines: dict[str, list[bytes]] = {s.name: [] for s in plan.stateful}
        self.counts: dict[str, Counter[str]] = {s.name: Counter() for s in plan.stateful}

    def renew(self, plan: Plan) -> None:
        """Open packets with the keys of a renewed plan from now on; buffers stay.

        Args:
            plan: from `flink_masking.engine.plan.renewed`, or the first one.
        """
        self._plan, self._separator = plan, plan.codec.rows.separator.encode()
        self._sealers = {s.name: Sealer(plan.ring, "packed", s.name, (plan.policy.stream, s.name)) for s in plan.stateful}

    def feed(self, protected: Protected) -> None:
        """Take in the packed batches of a protected batch."""
        for name, batches in protected.packed.items():
            for packed in batches:
                self._batch(name, 0, packed.shard, self._sealers[name].open(packed.blob))

    def timers(self) -> None:
        """Run the delays that are over by the clock."""
        for (name, stage, _), logic in list(self._logics.items()):
            due = logic.next_timer()
            if due is not None and due <= self._clock():
                self._settle(name, stage, logic.on_timer(self._clock()))

    def finish(self) -> None:
        """End of input: everything that may be released is, the rest is suppressed."""
        for segment in self._plan.stateful:
            for number in range(len(segment.stages)):
                for (name, stage, _), logic in sorted(self._logics.items(), key=lambda item: item[0]):
                    if name == segment.name and stage == number:
                        self._settle(name, stage, logic.on_end())

    def released(self) -> dict[str, list[bytes]]:
        """The lines published since the last call, by segment."""
        lines, self._lines = self._lines, {name: [] for name in self._lines}
        return lines

    def _batch(self, name: str, stage: int, shard: int, blob: bytes) -> None:
        step = self._plan.segment(name).stages[stage]
        key = (name, stage, shard)
        if key not in self._logics:
            self._logics[key] = step.logic()
        self._settle(name, stage, self._logics[key].on_batch(step.read(blob), self._clock()))

    def _settle(self, name: str, stage: int, effects: Effects) -> None:
        self.counts[name].update(effects.counts)
        for chunk in effects.outputs:
            if stage + 1 < len(self._plan.segment(name).stages):
                self._batch(name, stage + 1, 0, chunk)
            else:
                self._lines[name] += chunk.split(self._separator)
