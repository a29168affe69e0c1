"""Files of JSON records: one record a line."""

import io
import shutil
from collections.abc import Iterator
from typing import BinaryIO

from flink_masking.errors import InputError


def put_header(header: bytes, rows: BinaryIO, out: BinaryIO) -> None:
    """None: records name their members."""
    shutil.copyfileobj(rows, out, 1 << 20)


def names(first: bytes) -> tuple[str, ...]:
    """None: records name their members."""
    return ()


def records(stream: io.BufferedReader, name: str, longest: int) -> Iterator[bytes]:
    """The records of a file; a blank line is an empty one.

    Args:
        stream: without a byte order mark.
        name: of the file, for errors.
        longest: bytes of a record; of a longer one only the first ``longest + 1`` come, which whoever reads it refuses.

    Raises:
        InputError: the file is a JSON array, or a document over several lines.
    """
    before, number = b"", -1
    for line in _lines(stream, longest):
        text = line.strip(b" \t\r\n")
        if not text:
            if before:
                yield before
                before = b""
            yield b""
            continue
        number += 1
        if number == 0 and text[:1] == b"[":
            raise InputError(f"{name}: this is a JSON array; one record a line is needed. Hint: jq -c '.[]' {name} > records.jsonl")
        if number == 1 and before[:1] == b"{" and before[-1:] in (b"{", b",", b"[") and line[:1] in (b" ", b"\t", b'"', b"}"):
            raise InputError(f"{name}: this is a JSON document over several lines; one record a line is needed. Hint: jq -c . {name} > "
                             "records.jsonl")
        if number == 0 and text[-1:] in (b"{", b",", b"["):
            before = text
            continue
        if before:
            yield before
            before = b""
        yield text
    if before:
        yield before


def _lines(stream: io.BufferedReader, longest: int) -> Iterator[bytes]:
    """Lines, the rest of one that is too long left out."""
    while line := stream.readline(longest + 1):
        yield line
        while len(line) > longest and not line.endswith(b"\n"):
            line = stream.readline(longest + 1)
            if not line:
                return
