"""Files of records in any format: what `run`, `preview`, `unmask` and `rekey` read, and they read the same."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from flink_masking.errors import InputError
from flink_masking.files.opened import compression, has_mark, input_files, is_stream, opened
from flink_masking.files.private_file import ending_in_order
from flink_masking.records.codec import FORMATS, folded

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 64 << 20
"""Bytes of a record that are held at once."""
ROWS, BYTES = 10_000, 16 << 20
"""A batch ends at either."""


@dataclass(frozen=True)
class Input:
    """Files of one format, which all have the same header if they have one.

    Attributes:
        files: at least one.
        format: a key of `FORMATS`.
        columns: that the headers name, or the schema that they hold; None for a format without headers.
        longest: bytes of a record.
        blank: whether blank lines are records, which no scanner of JSON takes; otherwise they are passed over.
        begun: the records of the first file behind its header, where that can be read once only.
        each: path of an array's elements in what the files hold, which are the records; None: the files hold records.
    """

    files: tuple[Path, ...]
    format: str
    columns: tuple[str, ...] | None
    longest: int = LONGEST
    blank: bool = False
    begun: Iterator[bytes] | None = field(default=None, compare=False, repr=False)
    each: str | None = None

    @classmethod
    def of(cls, path: Path, format: str, columns: tuple[str, ...] | None = None, longest: int = LONGEST, blank: bool = False,
           each: str | None = None) -> "Input":
        """Look at an input.

        Args:
            path: a file, a pipe, a directory of files, or ``-`` for standard input; compressed by gzip or Zstandard, or not. What can be
                read once only is read once.
            format: of the records.
            columns: that the policy names; None: those that the first file names.
            longest: bytes of a record.
            blank: whether blank lines are records.
            each: see the class.

        Raises:
            InputError: no such file; a header is missing, or is not that of the policy.
        """
        files = tuple(input_files(path))
        if not FORMATS[format].header:
            return cls(files, format, None, longest, blank, each=each)
        begun = None
        if columns is None:
            rows = _rows(format, files[0], longest)
            columns = _header(format, next(rows, b""), files[0])
            if is_stream(files[0]):
                begun = rows
        return cls(files, format, columns, longest, blank, begun)

    def __iter__(self) -> Iterator[bytes]:
        """The records of all files, without headers.

        Raises:
            InputError: a file cannot be read, is no file of such records, or has another header.
        """
        for file in self.files:
            yield from self._of(file)

    def _of(self, file: Path) -> Iterator[bytes]:
        rows = self.begun
        if rows is None:
            rows = _rows(self.format, file, self.longest)
            if self.columns is not None and (first := next(rows, None)) is not None:
                self._check(_header(self.format, first, file), file)
        rows = rows if self.blank else filter(None, rows)
        yield from rows if self.each is None else import_module("flink_masking.records.each").elements(rows, self.each, self.format)

    def _check(self, found: tuple[str, ...], file: Path) -> None:
        assert self.columns is not None
        if found == self.columns:
            return
        if FORMATS[self.format].schemas:
            raise InputError(f"{file}: its schema differs from that of the first file. Hint: all files of an input have the same schema; "
                             "give the others to a run of their own")
        number = next((n for n, (a, b) in enumerate(zip(found, self.columns, strict=False), 1) if a != b),
                      min(len(found), len(self.columns)) + 1)
        raise InputError(f"{file}: column {number} of its header differs from the policy or the first file. Hint: all files of an "
                         "input have the same columns in the same order")

    @property
    def plain(self) -> bool:
        """Whether every line of the files, decompressed by the ending .gz of their name, is a record."""
        return self.columns is None and self.each is None and not FORMATS[self.format].lengths and not any(
            is_stream(file) or has_mark(file) or compression(file) != ("gzip" if file.suffix == ".gz" else None) for file in self.files)

    def check(self) -> None:
        """Look at the beginning of every file that can be read twice.

        Raises:
            InputError: a file cannot be read, is no file of such records, or has another header.
        """
        for file in self.files:
            if not is_stream(file):
                next(islice(self._of(file), 2, None), None)

    @contextmanager
    def one_record_a_line(self) -> Iterator[Path | None]:
        """A directory of uncompressed files, without headers, in which every line is a record (`flink_masking.records.codec.folded`).

        It holds clear data: it lies in the system's directory for temporary files, only its owner can read it, and it is removed at the
        end, also if a signal ends the process (but SIGKILL). None where the files themselves are of that form.
        """
        if self.plain:
            yield None
            return
        with ending_in_order(), tempfile.TemporaryDirectory(prefix="flink-masking-input-") as directory:
            for number, file in enumerate(self.files):
                with Path(directory, f"part-{number}").open("wb", 1 << 20) as out:
                    out.writelines(folded(record) + b"\n" for record in self._of(file))
            yield Path(directory)

    def batches(self, rows: int = ROWS, size: int = BYTES) -> "Iterator[pa.BinaryArray]":
        """The records in batches of at most so many rows, and not many more bytes than `size`."""
        import pyarrow as pa

        batch: list[bytes] = []
        total = 0
        for record in self:
            batch.append(record)
            total += len(record)
            if len(batch) == rows or total >= size:
                yield pa.array(batch, pa.binary())
                batch, total = [], 0
        if batch:
            yield pa.array(batch, pa.binary())

    def first(self, most: int) -> "pa.BinaryArray":
        """The first records."""
        import pyarrow as pa

        return pa.array(list(islice(self, most)), pa.binary())


def count_records(directory_files: list[Path], format: str) -> int:
    """Records in finished output files that have no header yet."""
    total = 0
    for file in directory_files:
        total += sum(1 for _ in _rows(format, file, LONGEST))
    return total


def _rows(format: str, file: Path, longest: int) -> Iterator[bytes]:
    """The records of a file, and before them its header if the format has one."""
    with opened(file) as stream:
        yield from import_module(FORMATS[format].package + ".files").records(stream, str(file), longest)


def _header(format: str, first: bytes, file: Path) -> tuple[str, ...]:
    if not first:
        raise InputError(f"{file}: the file is empty, and its first line is to name the columns. Hint: remove it from the input")
    try:
        found: tuple[str, ...] = import_module(FORMATS[format].package + ".files").names(first)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    return found
