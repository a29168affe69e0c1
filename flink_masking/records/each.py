"""One document into many records: the elements of an array in it, cut out as they stand."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from flink_masking.records.codec import codec_for
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import format_path, parse_path
from flink_masking.records.spans import FATAL, Limits
from flink_masking.records.trie import Paths

LIMITS = Limits(max_bytes=(1 << 31) - 1)
"""Of a document; what it is cut into has the limits of records."""
BATCH = 16 << 20
"""Bytes of documents that are scanned together, or one."""


def elements(documents: Iterable[bytes], path: str, format: str) -> Iterator[bytes]:
    """The records in documents.

    Args:
        documents: each holds an array of records.
        path: of its elements, ``Records[*]``.
        format: of both.

    Returns:
        Every element as it stands, on one line, in order. A document that cannot be read, or has no such array, comes whole, so that it is
        refused like any other wrong record; an empty array holds none.
    """
    codec, array = codec_for(format), format_path(parse_path(path)[:-1])
    paths = Paths([array, path], opaque=[path], deny=False)
    for batch in _batches(documents):
        column = pa.array(batch, pa.binary())
        table = codec.scan(column, paths, LIMITS)
        found = codec.one_line(table.raw(path)).to_pylist()
        counts = np.bincount(table.rows(path), minlength=table.n)
        ends = np.cumsum(counts)
        held = np.zeros(table.n, np.bool_)
        held[table.rows(array)[table.kinds(array) == Kind.ARRAY]] = True
        held &= (table.flags & int(FATAL)) == 0
        for row, (whole, end, count) in enumerate(zip(batch, ends.tolist(), counts.tolist(), strict=True)):
            if held[row]:
                yield from found[end - count : end]
            else:
                yield whole


def _batches(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
