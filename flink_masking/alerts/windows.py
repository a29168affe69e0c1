"""Sliding windows of sums, and when an alert was last told; plain values, so that they can be kept in state."""

from typing import Any

PARTS = 20
"""A window slides in steps of this part of its length."""


class Window:
    """Sums of the last `within` ms of event time.

    Attributes:
        part: sum of parts in the window.
        whole: sum of wholes.
        names: of the alert.
    """

    __slots__ = ("_newest", "_steps", "names", "part", "whole")

    def __init__(self, names: dict[str, str]) -> None:
        """Begin empty."""
        self.names, self.part, self.whole = names, 0, 0
        self._steps: dict[int, list[int]] = {}
        self._newest = 0

    def add(self, time: int, within: int, part: int, whole: int) -> None:
        """Add to the window; what is older than it counts in its oldest step: late events must not be lost.

        Args:
            time: ms since 1970.
            within: length in ms.
            part: a number.
            whole: likewise.
        """
        step = time // max(1, within // PARTS)
        if step > self._newest:
            self._newest = step
            for old in [old for old in self._steps if old <= step - PARTS]:
                done = self._steps.pop(old)
                self.part -= done[0]
                self.whole -= done[1]
        else:
            step = max(step, self._newest - PARTS + 1)
        sums = self._steps.setdefault(step, [0, 0])
        sums[0] += part
        sums[1] += whole
        self.part += part
        self.whole += whole

    def over(self, time: int, within: int) -> bool:
        """Whether nothing of the window counts at a time any more."""
        return self._newest <= time // max(1, within // PARTS) - PARTS

    def state(self) -> list[Any]:
        """As JSON values."""
        return [self.names, self._newest, [[step, *sums] for step, sums in self._steps.items()]]

    @classmethod
    def restored(cls, state: list[Any]) -> "Window":
        """From `state`."""
        window = cls(state[0])
        window._newest = state[1]
        for step, part, whole in state[2]:
            window._steps[step] = [part, whole]
            window.part += part
            window.whole += whole
        return window
