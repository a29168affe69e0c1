"""The records that `scan` reads: of files, or of a deployment's topics."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from flink_masking.policy.load import LoadedPolicy
    from flink_masking.records.codec import Layout
    from flink_masking.records.inputs import Input
    from flink_masking.scan import Complaint, Report
    from flink_masking.scan.framed import Framed

OF_TOPIC = 10_000
"""Records that are read of a topic unless more are asked for."""
_BATCH = 1_000


class Sample(ABC):
    """The records of several inputs of one format.

    Attributes:
        format: of all of them.
        columns: of a format with a header, those of all files.
        name: of the first input.
        each: path of an array's elements in what the inputs hold, which are the records; "" for none.
        stream: whether records are those of a stream, with the framing of a policy.
        framed: after a scan, see `schemas`.
        unseen: after a scan with a policy, fields that never occur; see `flink_masking.scan.unseen`.
    """

    format: str
    columns: tuple[str, ...] | None = None
    name: str
    each: str = ""
    stream = False
    framed: "Framed | None" = None
    unseen: "dict[str, str]" = {}  # noqa: RUF012  # replaced by a scan, never changed

    def schemas(self, loaded: "LoadedPolicy | None") -> "Framed | None":
        """What is known of records that name their schema in front; None of others."""
        return None

    def split(self, each: str) -> bool:
        """Read the elements of an array as records from now on, where inputs may hold documents; whether they may."""
        return False

    def scan(self, loaded: "LoadedPolicy | None") -> "tuple[Report, list[Complaint]]":
        """Read all records; compare them with a policy if there is one."""
        from flink_masking.scan import Scanner, compare, unseen
        from flink_masking.scan.fits import Fits
        from flink_masking.scan.selectors import of_paths

        if loaded is not None and not self.stream:
            loaded = loaded.of_files(self.columns)
        chosen = () if loaded is None else of_paths(loaded.policy.fields)
        self.framed = self.schemas(loaded)
        scanner = Scanner(self.format, self.columns, selectors=chosen, framed=self.framed)
        fits = None if loaded is None else Fits(loaded, None if self.framed is None else self.framed.schemas)
        for name, batch in self.named("Scanning"):
            scanner.add(batch, name)
            if fits is not None:
                fits.add(batch)
        report = scanner.report()
        self.unseen = {} if loaded is None else unseen(loaded, report)
        return report, [] if loaded is None or fits is None else compare(loaded, report, fits)

    def batches(self, label: str) -> "Iterator[pa.BinaryArray]":
        """The records again, batch by batch."""
        return (batch for _, batch in self.named(label))

    @abstractmethod
    def named(self, label: str) -> "Iterator[tuple[str, pa.BinaryArray]]":
        """The records, batch by batch, each with the name of its input; `label` says what is done with them, beside the progress."""


class Files(Sample):
    """Files, directories of files, standard input."""

    def __init__(self, inputs: list[Path], format_: str | None, loaded: "LoadedPolicy | None", limit: int | None) -> None:
        """Look at the inputs.

        Raises:
            InputError: no such file; files of two formats; a header that differs.
        """
        from flink_masking.errors import InputError
        from flink_masking.files.opened import STANDARD_INPUT, input_files
        from flink_masking.records.codec import FORMATS, format_of
        from flink_masking.records.inputs import Input

        if format_ is not None and format_ not in FORMATS:
            raise typer.BadParameter(f"use {' or '.join(FORMATS)}", param_hint="--format")
        files = [file for path in inputs for file in input_files(path)]
        self.format = format_ or (loaded.policy.format if loaded else format_of(files[0]))
        other = next((file for file in files if format_ is None and file != STANDARD_INPUT and format_of(file) != self.format), None)
        if other is not None and loaded is None:
            raise InputError(f"{other}: of another format than the first file. Hint: scan files of one format at a time, or give --format")
        if FORMATS[self.format].messages:
            raise InputError(f"{files[0]}: records of format {self.format} do not tell their schema, and are not scanned. Hint: declare "
                             "the fields of the schema; flink-masking check compares them")
        columns = loaded.policy.columns if loaded else None
        if STANDARD_INPUT in files and FORMATS[self.format].header and columns is None:
            raise InputError(f"standard input: records of format {self.format} have to lie in a file. Hint: write them to a file first")
        self.name = inputs[0].name if inputs[0] != STANDARD_INPUT else "records"
        self._limit, self._inputs = limit, list[tuple[Path, Input]]()
        for file in files:
            source = Input.of(file, self.format, columns, each=loaded.policy.each if loaded else None)
            columns = source.columns
            self._inputs.append((file, source))
        self.columns = columns
        self._held: list[pa.BinaryArray] | None = [] if STANDARD_INPUT in files else None
        self._read = False

    def split(self, each: str) -> bool:
        """See `Sample`."""
        import pyarrow as pa

        from flink_masking.records.each import elements

        self.each = each
        self._inputs = [(file, replace(source, each=each)) for file, source in self._inputs]
        if self._held is not None:
            documents = (document for batch in self._held for document in batch.to_pylist())
            self._held = [pa.array(list(elements(documents, each, self.format)), pa.binary())]
        return True

    def named(self, label: str) -> "Iterator[tuple[str, pa.BinaryArray]]":
        """See `Sample`."""
        from flink_masking.cli.progress import progress
        from flink_masking.files.position import followed

        if self._held is not None and self._read:  # standard input cannot be read twice
            yield from ((self.name, batch) for batch in self._held)
            return
        count = 0
        with followed([file for file, _ in self._inputs]) as position, progress(label, position.total) as told:
            for file, source in self._inputs:
                for batch in self._of(source):
                    yield str(file), batch
                    count += len(batch)
                    told(count, position.read)
        self._read = True

    def _of(self, source: "Input") -> "Iterator[pa.BinaryArray]":
        records = 0
        for batch in source.batches():
            whole = batch if self._limit is None else batch.slice(0, self._limit - records)
            records += len(whole)
            if self._held is not None:
                self._held.append(whole)
            yield whole
            if records == self._limit:
                return


class Topics(Sample):
    """The topics of a deployment's source; what was read is held in memory, because topics go on."""

    stream = True

    def __init__(self, deployment: Path, command_config: Path | None, format_: str | None, loaded: "LoadedPolicy | None",
                 limit: int, framing: str | None = None) -> None:  # fmt: skip
        """Prepare the client.

        Raises:
            InputError: the deployment cannot be used, or its source is not in Kafka.
            JobError: Java or the Kafka client is missing.
        """
        import os

        from flink_masking.deployment.model import Deployment
        from flink_masking.errors import InputError
        from flink_masking.java import java_home
        from flink_masking.records.codec import FORMATS

        self.format = format_ or (loaded.policy.format if loaded else "json")
        self.columns = loaded.policy.columns if loaded else None
        if self.format not in FORMATS or (FORMATS[self.format].header and not FORMATS[self.format].schemas and self.columns is None):
            raise InputError(f"records of format {self.format} in a topic do not name their columns. Hint: write them to a file with a "
                             "header")
        read = Deployment.read(deployment)
        self._framing = framing or (loaded.policy.framing if loaded else "confluent" if FORMATS[self.format].schemas else "none")
        if self._framing not in (FORMATS[self.format].framings or ("none",)):
            raise InputError(f"records of format {self.format} have no framing {self._framing[:40]}. Hint: --framing "
                             f"{', '.join(FORMATS[self.format].framings) or 'is for formats with schemas'}")
        if self._framing != "none" and not FORMATS[self.format].schemas:
            raise InputError(f"records of format {self.format} with framing cannot be scanned. Hint: write some of them without framing to "
                             "a file, and scan that")
        self._registry = read.registry_options
        if self._framing != "none" and self._registry is None and (loaded is None or loaded.policy.schema_files is None):
            raise InputError(f"{deployment}: records with framing {self._framing} name their schema by a number. Hint: registry: {{url: "
                             "https://…}")
        if self._framing == "none" and FORMATS[self.format].schemas and (loaded is None or loaded.policy.schema_files is None):
            raise InputError(f"records of format {self.format} without framing do not tell their schema. Hint: --framing, or --against a "
                             "policy with a schema")
        os.environ["JAVA_HOME"] = str(java_home())
        from flink_masking.kafka.source import SourceTopics

        self._topics, self._limit = SourceTopics(read, command_config), limit
        self.name = self._topics.names[0]
        self._held: list[tuple[str, pa.BinaryArray]] | None = None
        self._layout: Layout | None = None

    def named(self, label: str) -> "Iterator[tuple[str, pa.BinaryArray]]":
        """See `Sample`."""
        import pyarrow as pa

        from flink_masking.cli.progress import progress

        if self._held is not None:
            yield from self._held
            return
        held: list[tuple[str, pa.BinaryArray]] = []
        with progress(label, self._limit * len(self._topics.names)) as told:
            for topic in self._topics.names:
                values = islice(self._topics.values(topic), self._limit)
                while batch := list(islice(values, _BATCH)):
                    held.append((topic, pa.array(batch, pa.binary())))
                    told(read := sum(len(one) for _, one in held), read)
                    yield held[-1]
        self._held = held

    def schemas(self, loaded: "LoadedPolicy | None") -> "Framed | None":
        """See `Sample`; the registry is the deployment's."""
        from flink_masking.policy.layout import layout
        from flink_masking.records.codec import FORMATS, Layout
        from flink_masking.registry.client import open_registry
        from flink_masking.scan.framed import framed

        if self._framing == "none" and not FORMATS[self.format].schemas:
            return None
        if self._layout is None:
            source = None if self._registry is None else open_registry(self._registry)
            self._layout = Layout(framing=self._framing, schemas=source) if loaded is None else layout(
                loaded.policy, source, read=loaded.source.file)
        return framed(self.format, self._layout, self.batches("Reading"))
