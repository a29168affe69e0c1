"""Values of JSON records and the paths that lead to them."""

import threading
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from flink_masking.detect import json_kernels as kernels


class ValueKind(IntEnum):
    """What a value is."""

    STRING = kernels.STRING
    NUMBER = kernels.NUMBER
    KEY = kernels.KEY
    WORD = kernels.WORD
    TEXT = kernels.TEXT


class Values(NamedTuple):
    """The values of records in the order of the bytes: every scalar, and keys that are not short names of letters.

    Attributes:
        starts: int64, first byte in the data; of strings and keys without the quote.
        ends: int64, byte after the last one.
        kinds: uint8, `ValueKind`.
        rows: int64, ascending, number of the record.
        paths: int32, number in `Paths`; of a key the path of its member.
        escaped: uint8, 1 where an escape is inside.
    """

    starts: np.ndarray
    ends: np.ndarray
    kinds: np.ndarray
    rows: np.ndarray
    paths: np.ndarray
    escaped: np.ndarray


class Paths:
    """The paths of records, which grow with every batch: ``customer.contacts[*].phone``; path 0 is the record, "".

    An object with more than `most_children` different members is a map: its further members have the path ``….*``.

    Attributes:
        names: the paths' names, by their numbers. They hold keys of records, which may be personal data where an object is a map.
    """

    def __init__(self, most_children: int = kernels.MOST_CHILDREN) -> None:
        """Only the record itself.

        Args:
            most_children: see the class.
        """
        self.names: list[str] = [""]
        self._table = np.zeros(4 * kernels.MOST_PATHS, np.uint64)
        self._numbers = np.zeros(4 * kernels.MOST_PATHS, np.int32)
        self._paths = np.zeros((kernels.MOST_PATHS + 1) * kernels.PATH, np.int64)
        self._counts = np.array([1, most_children], np.int64)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Number of paths."""
        return len(self.names)

    def values(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Values:
        """List the values of records.

        Args:
            data: uint8.
            starts: int64, n: record i is ``data[starts[i]:ends[i]]``.
            ends: int64, n.
        """
        room, row, done = max(1024, 48 * len(starts)), 0, np.zeros(1, np.int64)
        parts: list[tuple[np.ndarray, ...]] = []
        with self._lock:
            while row < len(starts):
                out = tuple(np.empty(room, kind) for kind in (np.int64, np.int64, np.uint8, np.int64, np.int32, np.uint8))
                count = kernels.values_of(data, starts, ends, self._table, self._numbers, self._paths, self._counts, row, *out, done)
                if int(done[0]) == row:
                    room *= 2
                    continue
                row = int(done[0])
                parts.append(tuple(column[:count] for column in out))
                self._name(data)
        if not parts:
            return Values(*(np.zeros(0, kind) for kind in (np.int64, np.int64, np.uint8, np.int64, np.int32, np.uint8)))
        return Values(*(parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))))

    def parents(self, numbers: np.ndarray) -> np.ndarray:
        """The number of the path above each of these: int64."""
        return self._paths.reshape(-1, kernels.PATH)[numbers, kernels.P_PARENT]

    def _name(self, data: np.ndarray) -> None:
        """Name the paths that are new."""
        for number in range(len(self.names), int(self._counts[0])):
            parent, first, last, _ = self._paths[number * kernels.PATH : (number + 1) * kernels.PATH].tolist()
            above = self.names[parent]
            if first == kernels.ELEMENT:
                name = f"{above}[*]"
            else:
                key = "*" if first == kernels.OTHERS else data[first:last].tobytes().decode("utf-8", "replace")
                name = f"{above}.{key}" if above else key
            self.names.append(name)
