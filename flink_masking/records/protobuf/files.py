"""Files of Protobuf records: each behind its length, as ``writeDelimitedTo`` of the Protobuf libraries writes them."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from flink_masking.errors import InputError
from flink_masking.records.codec import plain

_LONGEST = 5


def put_header(header: bytes, rows: BinaryIO, out: BinaryIO) -> None:
    """Write a file.

    Args:
        header: none.
        rows: records, folded (`flink_masking.records.codec.folded`), each with a line break at the end.
        out: the file.
    """
    for line in rows:
        record = plain(line.removesuffix(b"\n"))
        out.write(_length(len(record)) + record)


def names(first: bytes) -> tuple[str, ...]:
    """None: there is no header."""
    return ()


def records(stream: io.BufferedReader, name: str, longest: int) -> Iterator[bytes]:
    """The records of a file.

    Args:
        stream: of the file.
        name: of the file, for errors.
        longest: bytes of a record; of a longer one only the first ``longest + 1`` come, which whoever reads it refuses.

    Raises:
        InputError: the file ends within a record, or a length is none.
    """
    number = 0
    while (size := _next(stream, name, number)) is not None:
        number += 1
        record = stream.read(min(size, longest + 1))
        left = size - len(record)
        while left > 0 and len(record) > longest and (skipped := stream.read(min(left, 1 << 20))):
            left -= len(skipped)
        if left:
            raise InputError(f"{name}: the file ends within record {number}. Hint: it is damaged, or no file of records behind their "
                             "lengths (writeDelimitedTo)")
        yield record


def _next(stream: io.BufferedReader, name: str, number: int) -> int | None:
    """The length of the next record; None at the end of the file."""
    size = 0
    for place in range(_LONGEST):
        byte = stream.read(1)
        if not byte and place == 0:
            return None
        if not byte:
            break
        size |= (byte[0] & 127) << 7 * place
        if byte[0] < 128:
            return size
    raise InputError(f"{name}: behind record {number} stands no length. Hint: records of a file stand behind their lengths "
                     "(writeDelimitedTo)")


def _length(size: int) -> bytes:
    found = bytearray()
    while size >= 128:
        found.append(size & 127 | 128)
        size >>= 7
    return bytes([*found, size])
