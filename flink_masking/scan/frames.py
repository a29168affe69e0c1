"""What stands around the parts of a path's texts: ``Patient/`` in front of an identifier is the same in every reference."""

from typing import NamedTuple

import numpy as np

from flink_masking.scan import frames_kernels as kernels
from flink_masking.scan.members import Members

MOST = 16
"""Different surroundings of a part, at most; with more it is no frame."""
_ROOM = 1 << 18


class Frame(NamedTuple):
    """What stands around a part of texts.

    Attributes:
        before: text in front of the part.
        after: text behind it.
        values: texts that have it.
    """

    before: str
    after: str
    values: int


class Frames:
    """Counts of the surroundings of each part, by path; texts are kept of those that are few."""

    def __init__(self, paths: int) -> None:
        """Begin with nothing, for so many paths."""
        self._banned = np.zeros(paths * kernels.SLOTS, np.uint8)
        self._found: dict[int, dict[int, Frame]] = {}

    def add(self, found: Members) -> None:
        """Add a batch."""
        first, n, done = 0, len(found.starts), np.zeros(1, np.int64)
        while first < n:
            out = tuple(np.empty(_ROOM, kind) for kind in (np.uint64, np.int32, np.uint8, np.int64, np.int64, np.int64))
            count = kernels.frames(found.data, found.starts, found.ends, found.kinds, found.places, self._banned, first, *out, done)
            first = int(done[0])
            self._count(found, *(column[:count] for column in out))

    def _count(self, found: Members, hashes: np.ndarray, of: np.ndarray, slots: np.ndarray, values: np.ndarray, firsts: np.ndarray,
               lasts: np.ndarray) -> None:  # fmt: skip
        at = of.astype(np.int64) * kernels.SLOTS + slots
        keys = hashes * np.uint64(31) + at.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        _, index, counts = np.unique(keys, return_index=True, return_counts=True)
        for k, times in zip(index.tolist(), counts.tolist(), strict=True):
            place, h = int(at[k]), int(hashes[k])
            if self._banned[place]:
                continue
            known = self._found.setdefault(place, {})
            if h in known:
                known[h] = known[h]._replace(values=known[h].values + times)
                continue
            value = int(values[k])
            text = [found.data[a:b].tobytes().decode("utf-8", "replace") for a, b in (
                (int(found.starts[value]), int(firsts[k])), (int(lasts[k]), int(found.ends[value])))]
            known[h] = Frame(text[0], text[1], times)
            if len(known) > MOST:
                self._ban(place)

    def _ban(self, place: int) -> None:
        self._banned[place] = 1
        self._found.pop(place, None)

    def join(self, into: int, path: int) -> None:
        """Add the texts of one path to those of another."""
        for slot in range(kernels.SLOTS):
            a, b = into * kernels.SLOTS + slot, path * kernels.SLOTS + slot
            if self._banned[a] or self._banned[b]:
                self._ban(a)
                continue
            known = self._found.setdefault(a, {})
            for h, frame in self._found.get(b, {}).items():
                known[h] = frame._replace(values=frame.values + (known[h].values if h in known else 0))
            if len(known) > MOST:
                self._ban(a)

    def of(self, path: int, texts: int) -> tuple[Frame, ...]:
        """The fewest surroundings that one part has in nearly all texts of a path; none where there is no such part.

        Args:
            path: its number.
            texts: how many of its values are texts that are not empty.
        """
        best: tuple[Frame, ...] = ()
        for slot in reversed(range(kernels.SLOTS)):
            known = tuple(self._found.get(path * kernels.SLOTS + slot, {}).values())
            if known and sum(frame.values for frame in known) >= 0.99 * texts and (not best or len(known) < len(best)):
                best = known
        return tuple(sorted(best, key=lambda frame: (-frame.values, frame.before, frame.after)))
