"""Files of records in any format: what `run`, `preview`, `unmask` and `rekey` read, and they read the same."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flink_masking.errors import InputError
from flink_masking.files.opened import STANDARD_INPUT, has_mark, input_files, is_compressed, opened
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
        columns: that the headers name; None for a format without headers.
        longest: bytes of a record.
        blank: whether blank lines are records, which no scanner of JSON takes; otherwise they are passed over.
    """

    files: tuple[Path, ...]
    format: str
    columns: tuple[str, ...] | None
    longest: int = LONGEST
    blank: bool = False

    @classmethod
    def of(cls, path: Path, format: str, columns: tuple[str, ...] | None = None, longest: int = LONGEST, blank: bool = False) -> "Input":
        """Look at an input.

        Args:
            path: a file, a directory of files, or ``-`` for standard input; compressed by gzip or Zstandard, or not.
            format: of the records.
            columns: that the policy names; None: those that the first file names.
            longest: bytes of a record.
            blank: whether blank lines are records.

        Raises:
            InputError: no such file; a header is missing, or is not that of the policy.
        """
        files = tuple(input_files(path))
        if not FORMATS[format].header:
            return cls(files, format, None, longest, blank)
        if columns is None:
            if files[0] == STANDARD_INPUT:
                raise InputError("standard input: its header cannot be read beforehand. Hint: name the columns in the policy, columns: […]")
            with opened(files[0]) as stream:
                columns = _header(format, next(_records(format, stream, str(files[0]), longest), b""), files[0])
        return cls(files, format, columns, longest, blank)

    def __iter__(self) -> Iterator[bytes]:
        """The records of all files, without headers.

        Raises:
            InputError: a file cannot be read, is no file of such records, or has another header.
        """
        for file in self.files:
            yield from self._of(file)

    def _of(self, file: Path) -> Iterator[bytes]:
        with opened(file) as stream:
            rows = _records(self.format, stream, str(file), self.longest)
            if self.columns is not None and (first := next(rows, None)) is not None:
                self._check(_header(self.format, first, file), file)
            yield from rows if self.blank else filter(None, rows)

    def _check(self, found: tuple[str, ...], file: Path) -> None:
        assert self.columns is not None
        if found == self.columns:
            return
        number = next((n for n, (a, b) in enumerate(zip(found, self.columns, strict=False), 1) if a != b),
                      min(len(found), len(self.columns)) + 1)
        raise InputError(f"{file}: column {number} of its header differs from the policy or the first file. Hint: all files of an "
                         "input have the same columns in the same order")

    @property
    def plain(self) -> bool:
        """Whether every line of the files, decompressed by the ending .gz of their name, is a record."""
        return self.columns is None and not any(
            file == STANDARD_INPUT or has_mark(file) or is_compressed(file) is not (file.suffix == ".gz") for file in self.files)

    def check(self) -> None:
        """Look at the beginning of every file but standard input.

        Raises:
            InputError: a file cannot be read, is no file of such records, or has another header.
        """
        for file in self.files:
            if file != STANDARD_INPUT:
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
        with opened(file) as stream:
            total += sum(1 for _ in _records(format, stream, str(file), LONGEST))
    return total


def _records(format: str, stream: Any, name: str, longest: int) -> Iterator[bytes]:
    rows: Iterator[bytes] = import_module(FORMATS[format].package + ".files").records(stream, name, longest)
    return rows


def _header(format: str, first: bytes, file: Path) -> tuple[str, ...]:
    if not first:
        raise InputError(f"{file}: the file is empty, and its first line is to name the columns. Hint: remove it from the input")
    try:
        found: tuple[str, ...] = import_module(FORMATS[format].package + ".files").names(first)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    return found
