"""Files of texts: one record a line."""

import io
import shutil
from collections.abc import Iterator
from typing import BinaryIO


def put_header(header: bytes, rows: BinaryIO, out: BinaryIO) -> None:
    """None: there is no header."""
    shutil.copyfileobj(rows, out, 1 << 20)


def names(first: bytes) -> tuple[str, ...]:
    """None: there is no header."""
    return ()


def records(stream: io.BufferedReader, name: str, longest: int) -> Iterator[bytes]:
    """The lines of a file without their line breaks; an empty line is an empty record.

    Args:
        stream: without a byte order mark.
        name: of the file, for errors.
        longest: bytes of a record; of a longer one only the first ``longest + 1`` come, which whoever reads it refuses.
    """
    while line := stream.readline(longest + 1):
        ended = line.endswith(b"\n")
        yield line[:-1] if ended else line
        while not ended and (rest := stream.readline(longest + 1)):
            ended = rest.endswith(b"\n")
