"""Avro object container files: a header with the schema, then blocks of records, compressed or not."""

import bz2
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from flink_masking.errors import InputError
from flink_masking.records.avro.decode import long_at, put_long
from flink_masking.records.codec import plain

MAGIC = b"Obj\1"
SYNC = 16
LARGEST_BLOCK = 256 << 20
"""Bytes of a block, compressed or not."""
_HINT = "Hint: an Avro object container file begins with Obj and the schema; records as they are in Kafka are read from Kafka"
_BLOCK = 1 << 16


def names(first: bytes) -> tuple[str, ...]:
    """The schema, as what a header names."""
    return (first.decode(),)


def records(stream: io.BufferedReader, name: str, longest: int) -> Iterator[bytes]:
    """The schema of a file, then its records.

    What follows a malformed record in its block cannot be told from it, and comes with it as one record.

    Args:
        stream: not compressed as a whole.
        name: of the file, for errors.
        longest: bytes of a record; of a longer one only the first ``longest + 1`` come, which whoever reads it refuses.

    Raises:
        InputError: it is no container file, is cut, or is compressed by a codec that is not known.
    """
    first = stream.read(1)
    if not first:
        return
    if first + stream.read(3) != MAGIC:
        raise InputError(f"{name}: this is no Avro object container file. {_HINT}")
    meta = _header(stream, name)
    schema, codec = meta.get("avro.schema", b""), meta.get("avro.codec", b"null").decode("latin-1")
    sync = _exactly(stream, SYNC, name)
    if codec not in _CODECS:
        raise InputError(f"{name}: its blocks are compressed by a codec that is not known. Hint: {', '.join(_CODECS)}")
    try:
        text = schema.decode()
    except UnicodeDecodeError:
        raise InputError(f"{name}: its schema is no text. {_HINT}") from None
    yield schema
    from flink_masking.records.avro.boundaries import Boundaries

    boundaries = Boundaries(text)
    while (count := _long(stream, name, True)) is not None:
        size = _long(stream, name)
        if count < 0 or size is None or not 0 <= size <= LARGEST_BLOCK:
            raise InputError(f"{name}: a block of more than {LARGEST_BLOCK >> 20} MiB, or none. Hint: the file is damaged")
        body = _exactly(stream, size, name)
        if _exactly(stream, SYNC, name) != sync:
            raise InputError(f"{name}: a block does not end where it says. Hint: the file is damaged")
        try:
            block = _CODECS[codec](body)
        except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError):
            raise InputError(f"{name}: a block cannot be decompressed, or is larger than {LARGEST_BLOCK >> 20} MiB. Hint: the file is "
                             "damaged") from None
        for record in boundaries.split(block, count):
            yield record if len(record) <= longest else record[: longest + 1]


def container_header(schema: str) -> bytes:
    """The header of a container file without compression; its synchronisation marker is the last 16 bytes."""
    pairs = {"avro.schema": schema.encode(), "avro.codec": b"null"}
    meta = b"".join(put_long(len(key)) + key.encode() + put_long(len(value)) + value for key, value in pairs.items())
    return MAGIC + put_long(len(pairs)) + meta + b"\0" + os.urandom(SYNC)


def put_header(header: bytes, rows: Iterable[bytes], out: BinaryIO) -> None:
    """Write a container file.

    Args:
        header: from `container_header`.
        rows: records, folded (`flink_masking.records.codec.folded`), each with a line break at the end.
        out: where the file goes.
    """
    out.write(header)
    sync, block, count = header[-SYNC:], bytearray(), 0
    for line in rows:
        block += plain(line.removesuffix(b"\n"))
        count += 1
        if len(block) >= _BLOCK:
            out.write(put_long(count) + put_long(len(block)) + block + sync)
            block, count = bytearray(), 0
    if count:
        out.write(put_long(count) + put_long(len(block)) + block + sync)


def _header(stream: io.BufferedReader, name: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    while (count := _long(stream, name)) != 0:
        if count is None:
            break
        if count < 0:
            _long(stream, name)
        for _ in range(abs(count)):
            pair = []
            for _ in range(2):
                size = _long(stream, name)
                total += size or 0
                if size is None or size < 0 or total > 16 << 20:
                    raise InputError(f"{name}: its header is larger than 16 MiB, or none. {_HINT}")
                pair.append(_exactly(stream, size, name))
            found[pair[0].decode("latin-1")] = pair[1]
    return found


def _long(stream: io.BufferedReader, name: str, may_end: bool = False) -> int | None:
    raw = b""
    while True:
        byte = stream.read(1)
        if not byte:
            if may_end and not raw:
                return None
            raise InputError(f"{name}: it ends within a block. Hint: the file is cut")
        raw += byte
        if byte[0] < 128:
            return long_at(raw, 0)[0]
        if len(raw) > 9:
            raise InputError(f"{name}: a count that is none. Hint: the file is damaged")


def _exactly(stream: io.BufferedReader, size: int, name: str) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise InputError(f"{name}: it ends within a block. Hint: the file is cut")
    return found


def _bounded(decompressor: "zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor", body: bytes) -> bytes:
    made: bytes = decompressor.decompress(body, LARGEST_BLOCK + 1)
    if len(made) > LARGEST_BLOCK:
        raise ValueError
    return made


def _snappy(body: bytes) -> bytes:
    import pyarrow as pa

    size = shift = 0
    for byte in body[:5]:  # snappy tells the size in front, not in zigzag
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if size > LARGEST_BLOCK:
        raise ValueError
    made: bytes = pa.decompress(body[:-4], size, codec="snappy", asbytes=True)
    if zlib.crc32(made) != int.from_bytes(body[-4:], "big"):
        raise ValueError
    return made


def _zstandard(body: bytes) -> bytes:
    import pyarrow as pa

    made: bytes = pa.CompressedInputStream(pa.BufferReader(body), "zstd").read(LARGEST_BLOCK + 1)
    if len(made) > LARGEST_BLOCK:
        raise ValueError
    return made


_CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": lambda body: body,
    "deflate": lambda body: _bounded(zlib.decompressobj(-15), body),
    "bzip2": lambda body: _bounded(bz2.BZ2Decompressor(), body),
    "xz": lambda body: _bounded(lzma.LZMADecompressor(), body),
    "snappy": _snappy,
    "zstandard": _zstandard,
}
