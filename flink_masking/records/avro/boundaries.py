"""Where the records of a block end, which nothing but their schema tells."""

import itertools
from collections.abc import Iterator

import numpy as np

from flink_masking import arrow
from flink_masking.records.avro import scan_kernels as ops
from flink_masking.records.avro.program import Image
from flink_masking.records.avro.schema import parse_schema
from flink_masking.records.span_kernels import FAULT, INVALID, N_COLUMNS, SPAN
from flink_masking.records.trie import Paths

_DEPTH = 1024
_ROWS = 1 << 14


class Boundaries:
    """Cuts blocks into records."""

    def __init__(self, schema: str) -> None:
        """Compile a schema.

        Raises:
            InputError: it is none.
        """
        self._paths = Paths([], deny=False)
        self._image = Image(self._paths)
        self._image.add(parse_schema(schema))

    def split(self, block: bytes, count: int) -> Iterator[bytes]:
        """The records of a block; what is left over, or cannot be read, comes as one more record."""
        data, start = np.frombuffer(block + b"\0", np.uint8), 0
        while count:
            rows = min(count, _ROWS, len(block) + 1)
            starts, flags = np.full(rows + 1, start, np.int32), np.zeros(rows, np.int32)
            self._scan(data, np.full(rows + 1, len(block), np.int32), starts, flags)
            bad = np.flatnonzero(flags & INVALID)
            found = starts[: (int(bad[0]) if len(bad) else rows) + 1].tolist()
            yield from (block[a:b] for a, b in itertools.pairwise(found))
            start = found[-1]
            if len(bad):
                break
            count -= rows
        if count or start < len(block):
            yield block[start:]

    def _scan(self, data: np.ndarray, offsets: np.ndarray, starts: np.ndarray, flags: np.ndarray) -> None:
        rows, paths = len(flags), self._paths
        entries, faults = np.full(rows, self._image.programs[0].entry, np.int32), arrow.empty_int32(rows * FAULT)
        blocks, state = arrow.empty_int32(ops.BLOCK * (rows + 64)), np.zeros(8, np.int64)
        state[ops.S_DEPTH], state[ops.S_OPEN] = _DEPTH, 1
        stack = np.empty(ops.FRAME * (_DEPTH + 1), np.int32)
        stamps = np.full(len(paths.nodes) // N_COLUMNS, -1, np.int32)
        spans = arrow.empty_int32(SPAN)
        while True:
            ops.scan_rows(data, offsets, starts, entries, self._image.code, paths.nodes, paths.table, paths.keys, spans, blocks, flags,
                          faults, state, stack, stamps)
            if not state[ops.S_FULL]:
                return
            state[ops.S_BLOCKS] = 0
            if state[ops.S_ROW] == 0 or len(blocks) < 1 << 22:
                blocks = arrow.empty_int32(2 * len(blocks))
