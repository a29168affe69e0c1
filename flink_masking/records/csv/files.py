"""Files of CSV records: a header, then one record after the other, whose cells in quotes may hold line breaks."""

import csv
import io
import shutil
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from flink_masking.errors import InputError
from flink_masking.records.csv.scan_kernels import split

CHUNK = 1 << 20


def put_header(header: bytes, rows: BinaryIO, out: BinaryIO) -> None:
    """Write a file: the header, and the rows as they are."""
    out.write(header)
    shutil.copyfileobj(rows, out, 1 << 20)


def names(first: bytes) -> tuple[str, ...]:
    """The columns that a header line names.

    Raises:
        InputError: it is no header line.
    """
    try:
        return tuple(next(csv.reader(io.StringIO(first.decode(), newline=""), strict=True), ()))
    except (UnicodeDecodeError, csv.Error):
        raise InputError("the first line is no CSV header. Hint: names of columns, with commas between, in UTF-8") from None


def records(stream: io.BufferedReader, name: str, longest: int) -> Iterator[bytes]:
    """The records of a file, its header first, without line ends; empty lines passed over.

    A quote that is never closed encloses the rest of the file: what follows it cannot be told from its text, and is refused with it.

    Args:
        stream: without a byte order mark.
        name: of the file, for errors.
        longest: bytes of a record; of a longer one only the first ``longest + 1`` come, which whoever reads it refuses.
    """
    held = b""  # the record in progress
    ends, state = np.empty(1 << 14, np.int64), np.zeros(2, np.int64)
    while chunk := stream.read1(CHUNK):  # what there is: a pipe that pauses must not hold up a signal
        view, start, position = np.frombuffer(chunk, np.uint8), 0, 0
        while position < len(chunk):
            found = split(view, position, state, ends)
            position = int(state[1])
            for end in ends[:found].tolist():
                record = held + chunk[start:end] if held else chunk[start:end]
                start, held = end, b""
                if record := record.rstrip(b"\r\n"):
                    yield record if len(record) <= longest else record[: longest + 1]
        if len(held) <= longest:
            held += chunk[start:]
    if held := held.rstrip(b"\r\n"):
        yield held if len(held) <= longest else held[: longest + 1]
