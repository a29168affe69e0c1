"""The paths of a sample: numbered while it is read, a tree afterwards."""

import json

import numpy as np

from flink_masking.records.paths import Step, Wild, format_path
from flink_masking.scan import walk_kernels as kernels

_SLOTS = 4 * kernels.MOST_PATHS
_MOST = kernels.MOST_PATHS + kernels.MOST_CHILDREN + 2


class Numbering:
    """Numbers of paths in the order in which they appear; path 0 is the record.

    Attributes:
        parents: for each path the one above; -1 for the record.
        steps: for each path its last step: a key, or a wildcard.
        most: paths that there can be.
    """

    most = _MOST

    def __init__(self) -> None:
        """Only the record."""
        self.parents: list[int] = [-1]
        self.steps: list[Step] = [""]
        self.table, self.numbers = np.zeros(_SLOTS, np.uint64), np.zeros(_SLOTS, np.int32)
        self.paths, self.counts = np.zeros(_MOST * kernels.PATH, np.int64), np.array([1], np.int64)

    def __len__(self) -> int:
        """Number of paths."""
        return len(self.steps)

    def add(self, parent: int, step: Step) -> int:
        """Number a path that no kernel has seen."""
        self.parents.append(parent)
        self.steps.append(step)
        self.counts[0] = len(self.steps)
        return len(self.steps) - 1

    def name_new(self, data: np.ndarray) -> None:
        """Read the keys of the paths that the last walk over `data` has added."""
        for number in range(len(self.steps), int(self.counts[0])):
            parent, first, last, _ = self.paths[number * kernels.PATH : (number + 1) * kernels.PATH].tolist()
            step: Step = Wild.ELEMENT if first == kernels.ELEMENT else Wild.KEY
            if first >= 0:
                step = _key(data[first:last].tobytes())
            self.parents.append(parent)
            self.steps.append(step)

    def path(self, number: int) -> tuple[Step, ...]:
        """The steps that lead to a path, none for the record."""
        steps: list[Step] = []
        while number > 0:
            steps.append(self.steps[number])
            number = self.parents[number]
        return tuple(reversed(steps))

    def name(self, number: int) -> str:
        """The path as policies write it; "" for the record."""
        return format_path(self.path(number)) if number else ""


def _key(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    try:
        return str(json.loads(f'"{text}"')).encode("utf-8", "replace").decode() if "\\" in text else text
    except ValueError:
        return text


def above(owners: np.ndarray, members: np.ndarray, levels: int) -> np.ndarray:
    """The containers so many levels above members.

    Args:
        owners: int64, for each member of a batch the one that holds it.
        members: int64, n members that have as many above them.
        levels: 1 or more.
    """
    for _ in range(levels):
        members = owners[members]
    return members
