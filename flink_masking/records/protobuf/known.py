"""Framings and messages that a codec has met, for one set of paths."""

from collections.abc import Callable
from typing import Any

import numpy as np

from flink_masking.errors import InputError
from flink_masking.records.codec import Layout
from flink_masking.records.framing_kernels import other_prefix
from flink_masking.records.protobuf import framing
from flink_masking.records.protobuf.frames_kernels import match_prefixes
from flink_masking.records.protobuf.program import Program
from flink_masking.records.span_kernels import F_END, F_NODE, F_REASON, F_START, FAULT
from flink_masking.records.spans import Flag
from flink_masking.records.trie import Paths

MOST = 256
"""Framings after which all are met anew: schemas come and go."""
_TURNS = 16
_WIDEST = 32
"""Bytes of a framing that `other_prefix` compares."""


class Known:
    """The scopes of messages by the bytes of their framing.

    Attributes:
        program: of all messages.
    """

    def __init__(self, paths: Paths, layout: Layout, given: Any, message: Callable[[framing.Frame], Any]) -> None:
        """Start empty.

        Args:
            paths: of the policy.
            layout: of the records.
            given: descriptor of the message of records without framing.
            message: the descriptor for a framing, None where there is none.
        """
        self.program = Program(paths, layout.required)
        self._layout, self._given, self._message = layout, given, message
        self._prefixes: list[bytes] = []
        self._each = len(paths.names) + 1.0, 4.0
        self._roots: list[int] = []
        self._flat, self._edges = np.zeros(1, np.uint8), np.zeros(1, np.int32)

    @property
    def full(self) -> bool:
        """Whether so many framings were met that it is time to begin anew."""
        return len(self._prefixes) >= MOST

    def room(self, n: int) -> tuple[int, int]:
        """Spans and frames that n records may have, going by those before."""
        spans, frames = (int(n * each * 1.1) + 64 for each in self._each)
        return spans + 2 * self.program.most_defaults, frames + 128

    def note(self, n: int, spans: int, frames: int) -> None:
        """How many spans and frames n records had."""
        if n:
            self._each = max(0.9 * self._each[0], spans / n), max(0.9 * self._each[1], frames / n)

    def resolve(self, data: np.ndarray, offsets: np.ndarray, flags: np.ndarray, faults: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the message of each row begins, and its scope; rows without a usable framing are flagged.

        Args:
            data: uint8.
            offsets: int32, n + 1.
            flags: int32, n; rows that have any are left out.
            faults: int32, `FAULT` numbers a row.

        Returns:
            int32, n, each.
        """
        n = len(flags)
        if self._layout.framing == framing.NONE:
            return np.ascontiguousarray(offsets[:-1]), np.full(n, self.program.root(self._given), np.int32)
        found = np.full(n, -1, np.int32)
        if n and self._prefixes and not flags.any():  # one framing that was met before, as nearly always
            match_prefixes(data, offsets[:2], flags[:1], self._flat, self._edges, found[:1])
            width = len(self._prefixes[found[0]]) if found[0] >= 0 else _WIDEST + 1
            if width <= _WIDEST and other_prefix(data, offsets, width) == n:
                return offsets[:-1] + np.int32(width), np.full(n, self._roots[found[0]], np.int32)
        absent: set[bytes] = set()
        for turn in range(_TURNS + 1):
            match_prefixes(data, offsets, flags, self._flat, self._edges, found)
            missing = np.flatnonzero((found < 0) & (flags == 0)) if not n or found.min() < 0 else found[:0]
            if not len(missing):
                break
            for row in missing.tolist() if turn == _TURNS else missing[:1].tolist():
                self._meet(row, data, offsets, flags, faults, found, absent)
        sizes, roots = (np.array(numbers or [0], np.int32) for numbers in ([len(prefix) for prefix in self._prefixes], self._roots))
        found[found < 0] = 0
        return offsets[:-1] + sizes[found], roots[found]

    def _meet(self, row: int, data: np.ndarray, offsets: np.ndarray, flags: np.ndarray, faults: np.ndarray, found: np.ndarray,
              absent: set[bytes]) -> None:
        """Resolve the framing of a row, or flag the row."""
        start = int(offsets[row])
        frame = framing.parse(data[start : min(int(offsets[row + 1]), start + framing.LONGEST)].tobytes(), self._layout.framing)
        if isinstance(frame, int):
            blame(row, Flag.INVALID, start + frame, flags, faults)
            return
        root = self._root(frame) if frame.prefix not in absent else None
        if root is None:
            absent.add(frame.prefix)
            blame(row, Flag.UNKNOWN_SCHEMA, start, flags, faults)
            return
        if frame.prefix not in self._prefixes:
            self._prefixes.append(frame.prefix)
            self._roots.append(root)
            self._flat = np.frombuffer(b"".join(self._prefixes), np.uint8)
            self._edges = np.cumsum([0, *map(len, self._prefixes)]).astype(np.int32)
        found[row] = self._prefixes.index(frame.prefix)

    def _root(self, frame: framing.Frame) -> int | None:
        """The scope of the message that a framing names; None where it leads to none that can be used."""
        message = self._message(frame)
        try:
            return None if message is None else self.program.root(message)
        except InputError:
            return None


def blame(row: int, flag: Flag, position: int, flags: np.ndarray, faults: np.ndarray) -> None:
    """Flag a row whose framing leads nowhere."""
    flags[row] = flag
    fault = faults.reshape(-1, FAULT)[row]
    fault[F_REASON], fault[F_NODE], fault[F_START], fault[F_END] = flag, 0, position, position
