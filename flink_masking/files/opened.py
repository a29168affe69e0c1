"""Files as streams of bytes, compressed or not; an input is a file, a directory of files, or standard input."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from flink_masking.errors import InputError
from flink_masking.files.directory import files_below
from flink_masking.files.position import counted

STANDARD_INPUT = Path("-")
_GZIP, _ZSTD, _MARK = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"


def data_files(directory: Path) -> list[Path]:
    """The files below a directory, in order; hidden ones (``.``, ``_``) are still being written or no data.

    Raises:
        OSError: the directory, or one below it, cannot be listed.
    """
    found = files_below(directory, _raised) if directory.is_dir() else ()
    return sorted(f for f in found if not any(part.startswith((".", "_")) for part in f.relative_to(directory).parts))


def _raised(error: OSError) -> None:
    raise error


def input_files(path: Path) -> list[Path]:
    """The files that an input stands for.

    Args:
        path: a file, a directory of files, or ``-`` for standard input.

    Raises:
        InputError: there is no such file, or none in the directory.
    """
    if path == STANDARD_INPUT:
        return [path]
    if path.is_dir():
        if files := data_files(path):
            return files
        raise InputError(f"{path}: the directory holds no files. Hint: names that begin with . or _ are skipped")
    if not path.exists():
        raise InputError(f"{path}: there is no such file or directory. Hint: name a file, a directory of files, or - for standard input")
    return [path]


def is_compressed(front: bytes) -> bool:
    """Whether a file is compressed (gzip, Zstandard), by its first bytes."""
    return front.startswith((_GZIP, _ZSTD))


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """The decompressed contents of a file without a byte order mark, as a stream.

    How it is compressed (gzip, Zstandard, not at all) is recognized by its first bytes, not by its name.

    Raises:
        InputError: it cannot be read, or its compressed data is damaged.
    """
    try:
        raw = sys.stdin.buffer if path == STANDARD_INPUT else counted(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Hint: check the name and who may read it") from None
    try:
        stream = _plain(cast(io.BufferedReader, raw))
        if stream.peek(3)[:3] == _MARK:
            stream.read(3)
        yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: its compressed data is damaged or cut off ({type(error).__name__}). Hint: compress it again") from None
    except OSError as error:
        if error.errno is not None:
            raise InputError(f"{path}: {error.strerror}. Hint: check the disk") from None
        raise InputError(f"{path}: its compressed data is damaged or cut off. Hint: compress it again") from None
    finally:
        if raw is not sys.stdin.buffer:
            raw.close()


@contextmanager
def created(path: Path, name: Path) -> Iterator[IO[bytes]]:
    """A stream into a new file, compressed as a name says: .gz (the same bytes for the same contents), .zst, or not at all.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("wb") as raw:
        if name.suffix == ".gz":
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
                yield cast(IO[bytes], stream)
        elif name.suffix == ".zst":
            import pyarrow as pa

            with pa.CompressedOutputStream(pa.PythonFile(raw, "w"), "zstd") as stream:
                yield stream
        else:
            yield raw


def is_stream(path: Path) -> bool:
    """Whether a path stands for something that can be read once only: standard input, a pipe, a device."""
    return path == STANDARD_INPUT or not path.is_file()


def compression(path: Path) -> str | None:
    """What a file is compressed by: gzip, zstd or nothing."""
    with path.open("rb") as raw:
        front = raw.read(4)
    return "gzip" if front.startswith(_GZIP) else "zstd" if front.startswith(_ZSTD) else None


def has_mark(path: Path) -> bool:
    """Whether a file begins with a byte order mark."""
    with path.open("rb") as raw:
        return raw.read(3) == _MARK


def _plain(raw: io.BufferedReader) -> io.BufferedReader:
    """The stream behind the compression."""
    front = raw.peek(4)[:4]
    if front.startswith(_GZIP):
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)), 1 << 20)
    if front.startswith(_ZSTD):
        import pyarrow as pa

        return io.BufferedReader(cast(io.RawIOBase, _Readable(pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))), 1 << 20)
    return raw


class _Readable(io.RawIOBase):
    """A stream of Arrow's as one of Python's."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
