"""The members of a batch of records as columns, whatever the records' format."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.records.codec import FORMATS, TEXT, Codec, Layout, codec_for
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import labels, parse_path
from flink_masking.records.spans import FATAL, REASONS, Contents, Flag
from flink_masking.records.trie import Paths
from flink_masking.registry.source import Schema
from flink_masking.scan import walk_kernels
from flink_masking.scan.framed import Framed
from flink_masking.scan.tree import Numbering


class Members(NamedTuple):
    """Members of a batch in the order of its records.

    Attributes:
        data: uint8.
        starts: int64, n: the contents of member k are ``data[starts[k]:ends[k]]``, without quotes and escapes.
        ends: int64, n.
        kinds: uint8, n `Kind` codes.
        rows: int32, n: record of the batch.
        places: int32, n: number of the path.
        owners: int64, n: which member is the container, -1 for none.
        members: int32, n: how many members a container has.
    """

    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    kinds: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    owners: np.ndarray
    members: np.ndarray


class Reader:
    """Lists the members of batches of one format.

    Attributes:
        paths: of all batches.
        codec: of the format.
    """

    def __init__(self, format: str, columns: tuple[str, ...] | None = None, framed: Framed | None = None) -> None:
        """Choose a format.

        Args:
            format: a key of `FORMATS`.
            columns: of a format with a header: the names of a record's cells, or the text of the schema.
            framed: of records that name their schema in front.

        Raises:
            InputError: the columns are no header.
        """
        self.paths = Numbering()
        whole: tuple[str, ...] = ()
        self.codec: Codec
        if framed is not None:
            self.codec = codec_for(format, framed.layout)
            self._names, whole = list(framed.names), framed.whole
        elif FORMATS[format].schemas:
            self.codec = codec_for(format, Layout(schema=Schema((columns or ("",))[0])))
            names, whole = self.codec.leaves()
            self._names = list(names)
        else:
            self.codec = codec_for(format, Layout(columns=columns or ()))
            self._names = [TEXT] if FORMATS[format].single else [labels(column)[-1] for column in columns or ()]
        self._nested = FORMATS[format].nested and not FORMATS[format].schemas
        self._known = Paths(self._names, opaque=whole, deny=False)
        self._numbers = [self._add(name) for name in self._names]
        self._room = 1 << 18

    def _add(self, name: str) -> int:
        """The number of a column's path, those above it added."""
        number, p = 0, self.paths
        for step in parse_path(name):
            known = next((n for n in range(1, len(p)) if p.parents[n] == number and p.steps[n] == step), None)
            number = p.add(number, step) if known is None else known
        return number

    def read(self, batch: pa.BinaryArray) -> tuple[Members, dict[str, int]]:
        """List the members of a batch.

        Args:
            batch: n records.

        Returns:
            The members of the records that can be read; and how many cannot, by the reason that their quarantine would have.
        """
        table = self.codec.scan(batch, self._known)
        broken = (table.flags & int(FATAL)) != 0
        reasons = {reason: int(np.count_nonzero(table.flags[broken] & int(flag)))
                   for flag, reason in REASONS.items() if flag is not Flag.UNKNOWN}
        reasons = {reason: count for reason, count in reasons.items() if count}
        if self._nested:
            return self._walk(table.data, table.offsets, broken), reasons
        columns = [(number, table.contents(name), table.rows(name)) for number, name in zip(self._numbers, self._names, strict=True)]
        return _of_columns(columns), reasons

    def _walk(self, data: np.ndarray, offsets: np.ndarray, broken: np.ndarray) -> Members:
        starts, skipped, done = offsets.astype(np.int64), broken.view(np.uint8), np.zeros(1, np.int64)
        p, row, base = self.paths, 0, 0
        parts: list[tuple[Any, ...]] = []
        while row < len(broken) or not parts:
            out = tuple(np.empty(self._room, kind) for kind in (np.int64, np.int64, np.uint8, np.int32, np.int32, np.int64, np.int32))
            count = walk_kernels.walk(data, starts[:-1], starts[1:], skipped, p.table, p.numbers, p.paths, p.counts, row, *out, done)
            p.name_new(data)
            if int(done[0]) == row < len(broken):
                self._room *= 2
                continue
            row = int(done[0])
            piece = tuple(column[:count] for column in out)
            owners: Any = piece[5]
            np.add(owners, base, out=owners, where=owners >= 0)
            base += count
            parts.append(piece)
        joined = parts[0] if len(parts) == 1 else [np.concatenate(columns) for columns in zip(*parts, strict=True)]
        return self._decoded(Members(data, *joined))

    def _decoded(self, found: Members) -> Members:
        """The same with strings that have escapes decoded, behind the records' own bytes."""
        escaped = np.flatnonzero(found.kinds == Kind.ENCODED)
        if not len(escaped):
            return found
        starts, ends = found.starts[escaped], found.ends[escaped]
        places = Contents(found.data, starts.astype(np.int32), ends.astype(np.int32), found.kinds[escaped].astype(np.int32))
        text, offsets, _ = arrow.parts(self.codec.text(places, int((ends - starts).sum()) + 2 * len(escaped)))
        size = len(found.data)
        found.starts[escaped], found.ends[escaped] = offsets[:-1] + size, offsets[1:] + size
        return found._replace(data=np.concatenate([found.data, text]))


def _of_columns(columns: list[tuple[int, Contents, np.ndarray]]) -> Members:
    """The cells of all columns, one column after the other."""
    blocks: dict[int, int] = {}
    pieces, size = list[np.ndarray](), 0
    starts, ends, kinds, rows, places = (list[np.ndarray]() for _ in range(5))
    for number, contents, at in columns:
        key = contents.data.ctypes.data
        if key not in blocks:
            blocks[key] = size
            pieces.append(contents.data)
            size += len(contents.data)
        starts.append(contents.starts.astype(np.int64) + blocks[key])
        ends.append(contents.ends.astype(np.int64) + blocks[key])
        kinds.append(contents.kinds.astype(np.uint8))
        rows.append(at.astype(np.int32))
        places.append(np.full(len(at), number, np.int32))
    n = sum(map(len, rows))
    data = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    return Members(data, np.concatenate(starts), np.concatenate(ends), np.concatenate(kinds), np.concatenate(rows), np.concatenate(places),
                   np.full(n, -1, np.int64), np.zeros(n, np.int32))
