"""The records that a policy is tried on: the first of a file, held in memory."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from flink_masking.errors import InputError
from flink_masking.files.opened import STANDARD_INPUT, input_files
from flink_masking.policy.load import LoadedPolicy
from flink_masking.records.codec import FORMATS, format_of
from flink_masking.records.inputs import Input


@dataclass(frozen=True)
class Cut:
    """The sample as records of one format.

    Attributes:
        records: n raw records.
        columns: that the header names, in formats that have one; None in others.
        more: whether the file holds further records.
    """

    records: pa.BinaryArray = field(repr=False)
    columns: tuple[str, ...] | None
    more: bool


class Sample:
    """A file or directory of records, read as the policy at hand says.

    Attributes:
        name: of the file.
        format: that its name suggests.
    """

    def __init__(self, path: Path, limit: int) -> None:
        """Look at the file.

        Args:
            path: a file or a directory of files.
            limit: records that are read, at most.

        Raises:
            InputError: there is no such file, or it is standard input, which cannot be read twice.
        """
        if path == STANDARD_INPUT:
            raise InputError("--sample: standard input cannot be read twice. Hint: write the records to a file first")
        self._path, self._limit = path, limit
        self.name, self.format = path.name, format_of(input_files(path)[0])
        self._held: tuple[tuple[object, ...], Cut] | None = None

    def of(self, loaded: LoadedPolicy) -> Cut:
        """The records as a policy's format says.

        Raises:
            InputError: the file holds no such records.
        """
        return self.read(loaded.policy.format, loaded.policy.columns, loaded.policy.each)

    def read(self, format: str, columns: tuple[str, ...] | None = None, each: str | None = None) -> Cut:
        """The records in a format; they are read again only where the format is another.

        Args:
            format: a key of `FORMATS`.
            columns: that the policy names.
            each: path of an array's elements in the file's documents, which are the records.

        Raises:
            InputError: the file holds no such records.
        """
        if FORMATS[format].schemas and FORMATS[format].messages:
            raise InputError(f"records of format {format} do not name their schema in files. Hint: use a sample in json, csv, avro or text")
        asked = (format, columns, each)
        if self._held is None or self._held[0] != asked:
            source = Input.of(self._path, format, columns, blank=True, each=each)
            records = source.first(self._limit + 1)
            self._held = asked, Cut(records.slice(0, self._limit), source.columns, len(records) > self._limit)
        return self._held[1]
