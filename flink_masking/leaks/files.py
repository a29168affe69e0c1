"""Any file as batches for the leak monitor: JSON records, lines of text, or the readable parts of binary files such as checkpoints."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.errors import InputError
from flink_masking.files.directory import files_below
from flink_masking.files.opened import is_compressed, opened
from flink_masking.leaks.monitor import Monitor

BLOCK = 8 << 20
OVERLAP = 512
"""Bytes that are looked at twice where a line is longer than a block; no value that has a fingerprint is longer."""
SHORTEST = 8
"""Characters of a readable part of binary data, at least; shorter ones are chance."""
_SNIFFED = 4096
_READABLE = np.array([c if 32 <= c < 127 else 10 for c in range(256)], np.uint8)
_NEWLINE = 10


class Looked(NamedTuple):
    """What was looked through.

    Attributes:
        files: how many files.
        bytes: how many, after decompression.
        unread: files that could not be read or not to their end, and why.
    """

    files: int
    bytes: int
    unread: tuple[str, ...]


def every_file(paths: list[Path], unread: Callable[[str], None]) -> list[Path]:
    """The files that paths stand for; of a directory all below it, hidden ones, too.

    Args:
        paths: files and directories.
        unread: is told which directories cannot be listed, and why.

    Raises:
        InputError: there is no such path, or a directory without a file: a name that was mistyped must not pass as one without leaks.
    """
    found, away = list[Path](), list[OSError]()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or directory. Hint: name files or directories")
        away.clear()
        inside = sorted(files_below(path, away.append)) if path.is_dir() else [path]
        for error in away:
            unread(f"{error.filename}: {error.strerror}. Hint: check the directory and its permissions")
        if not inside and not away:
            raise InputError(f"{path}: the directory holds no files, so there is nothing to look through. Hint: check the name")
        found += inside
    return list(dict.fromkeys(found))


def look_through(path: Path, monitor: Monitor) -> int:
    """Look through one file, compressed (gzip, Zstandard) or not.

    Returns:
        Bytes that were looked through.

    Raises:
        InputError: it cannot be read, or not to its end.
    """
    with opened(path) as stream:
        return _look(stream, _form(stream.peek(_SNIFFED)[:_SNIFFED]), monitor)


def look_from(path: Path, begin: int, end: int, monitor: Monitor, whole: bool) -> int:
    """Look through a part of a file that grows; one that is compressed is looked through from its beginning.

    Args:
        path: of the file.
        begin: bytes that need not be looked through again.
        end: bytes that the file has.
        monitor: looks.
        whole: only whole lines of text.

    Returns:
        Bytes that need not be looked through again, for the next call.

    Raises:
        InputError: it cannot be read, or not to its end.
        OSError: likewise.
    """
    with path.open("rb") as raw:
        front = raw.read(_SNIFFED)
        if is_compressed(front):
            look_through(path, monitor)
            return end
        form = _form(front)
        if form == "binary":
            raw.seek(max(0, begin - OVERLAP))
            _look(raw, form, monitor)
            return end
        raw.seek(begin)
        while begin < end and (part := raw.read(min(BLOCK, end - begin))):
            repeated = 0
            if whole or begin + len(part) < end:  # what stands behind the last line break goes on, and a value at the end may, too
                lines = part[: part.rfind(b"\n") + 1]
                part, repeated = (lines, 0) if lines else (part, OVERLAP) if len(part) == BLOCK else (b"", 0)
            if not part:
                break
            _look(io.BytesIO(part), form, monitor)
            begin += len(part) - repeated
            raw.seek(begin)
    return begin


def _form(front: bytes) -> str:
    """Whether a file is ``binary``, ``records`` or ``text``, by its first bytes."""
    if b"\0" in front or not _is_text(front):
        return "binary"
    return "records" if front.lstrip()[:1] in (b"{", b"[") else "text"


def _look(stream: BinaryIO, form: str, monitor: Monitor) -> int:
    """Look through a stream; returns its bytes."""
    total = 0
    for block, repeated in _blocks(stream):
        total += len(block) - repeated
        if form == "binary":
            _binary(block, monitor)
        elif form == "records":
            monitor.records_of(pa.array(block.split(b"\n"), pa.binary()))
        else:
            monitor.text_of(*_lines(np.frombuffer(block, np.uint8)))
    return total


def _is_text(front: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8, the last character perhaps cut."""
    try:
        front.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(front) - 3 and len(front) == _SNIFFED
    return True


def _blocks(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Blocks that end with a line, and how many of their first bytes the block before had, too."""
    rest, repeated = b"", 0
    while read := stream.read(BLOCK):
        block = rest + read
        end = block.rfind(b"\n") + 1
        if end == 0 and len(block) < 2 * BLOCK:
            rest = block
            continue
        if end == 0:
            yield block, repeated
            rest, repeated = block[-OVERLAP:], OVERLAP
        else:
            yield block[:end], repeated
            rest, repeated = block[end:], 0
    if len(rest) > repeated:
        yield rest, repeated


def _lines(data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lines of a text that hold anything."""
    ends = np.append(np.flatnonzero(data == _NEWLINE), len(data)).astype(np.int64)
    starts = np.append(0, ends[:-1] + 1)
    kept = ends > starts
    return data, starts[kept], ends[kept]


def _binary(block: bytes, monitor: Monitor) -> None:
    """Look through the readable parts of binary data; a length before a text can look like its first letter."""
    data, starts, ends = _lines(_READABLE[np.frombuffer(block, np.uint8)])
    long = ends - starts >= SHORTEST
    starts, ends = starts[long], ends[long]
    monitor.text_of(data, starts, ends, binary=True)
