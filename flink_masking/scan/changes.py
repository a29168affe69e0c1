"""Recognises the envelope of change data capture that the rows of a sample stand in."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.policy.envelope import SHAPES
from flink_masking.policy.expand import prefixes_of
from flink_masking.records.codec import codec_for
from flink_masking.records.edits import DROP
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import format_path, parse_path
from flink_masking.records.spans import FATAL
from flink_masking.records.trie import Paths
from flink_masking.scan.report import PathReport, Report

NEARLY_ALL = 0.9
"""Part of the records that have what an envelope is recognised by: heartbeats and the like may lie among them."""
_KEYS = {"maxwell": "primary_key_columns", "canal": "pkNames", "ogg": "primary_keys"}
_MOST_KEYS = 16


class Changes(NamedTuple):
    """What the records of a sample are.

    Attributes:
        envelope: a key of `flink_masking.policy.envelope.SHAPES`.
        wrapped: they stand beside a schema of Kafka Connect.
    """

    envelope: str
    wrapped: bool

    @property
    def base(self) -> str:
        """What stands in front of the paths of the envelope."""
        return "payload." if self.wrapped else ""


def recognised(report: Report) -> Changes | None:
    """The envelope that most records are; None where they are rows, or something else."""
    if report.format != "json":
        return None
    paths = {path.path: path for path in report.paths}
    wrapped = _all(paths, "schema", "payload") and "schema.fields" in paths
    for kind, names in _MARKS.items():
        changes = Changes(kind, wrapped)
        if _all(paths, *(changes.base + name for name in names)) and _IMAGES[kind](paths, changes.base):
            return changes
    return None


def _all(paths: dict[str, PathReport], *names: str) -> bool:
    """Whether nearly all records have values at all of these paths."""
    return all(name in paths and paths[name].share >= NEARLY_ALL for name in names)


def _objects(*images: str) -> Callable[[dict[str, PathReport], str], bool]:
    """A condition: one of these images is there, and none is anything but an object or null."""
    def held(paths: dict[str, PathReport], base: str) -> bool:
        found = [paths[base + image].kinds.keys() - {"null"} for image in images if base + image in paths]
        return any(found) and all(kinds <= {"object"} for kinds in found)

    return held


def _flattened(paths: dict[str, PathReport], base: str) -> bool:
    """A condition: a row beside what ExtractNewRecordState adds."""
    shape = SHAPES["debezium_flat"]
    return any(_all(paths, base + name) for name in shape.kept)


_MARKS = {"debezium": ("op", "source"), "canal": ("type", "data", "isDdl"), "maxwell": ("type", "data", "database", "table"),
          "ogg": ("op_type", "table"), "debezium_flat": ()}
_IMAGES = {"debezium": _objects("before", "after"), "ogg": _objects("before", "after"), "maxwell": _objects("data"),
           "canal": _objects("data[*]"), "debezium_flat": _flattened}


def rows(batches: Iterator[pa.BinaryArray], changes: Changes) -> Iterator[pa.BinaryArray]:
    """The rows of all images in batches of records."""
    codec, shape = codec_for("json"), SHAPES[changes.envelope]
    flat = "" in shape.images
    images = [prefix.removesuffix(".") for prefix in prefixes_of(changes.envelope, changes.wrapped)]
    beside = [format_path(parse_path(name)) for name in (*shape.kept, *shape.dropped)] if flat else []
    emitted = Paths([image for image in images if image], opaque=[image for image in images if image], deny=False)
    members = Paths(beside, opaque=beside, deny=False)
    for batch in batches:
        for image in images:
            found = batch
            if image:
                table = codec.scan(batch, emitted)
                usable = (table.kinds(image) == Kind.OBJECT) & ((table.flags[table.rows(image)] & int(FATAL)) == 0)
                found = table.raw(image).filter(pa.array(usable))
            if flat and len(found):
                table = codec.scan(found, members)
                found = table.splice(dict.fromkeys(beside, DROP)).drop_null()
            if len(found):
                yield found


def key_columns(batch: pa.BinaryArray, changes: Changes) -> tuple[str, ...]:
    """The columns that an envelope names as the table's key; none where it does not say, or says different things."""
    name = _KEYS.get(changes.envelope)
    if name is None:
        return ()
    path = f"{changes.base}{name}[*]"
    table = codec_for("json").scan(batch, Paths([path], deny=False))
    named, of = table.values(path).text.to_pylist(), table.rows(path)
    if not named or len(set(named)) > _MOST_KEYS:
        return ()
    columns = tuple(dict.fromkeys(named))
    return columns if all(isinstance(column, str) for column in columns) and len(named) == len(columns) * len(np.unique(of)) else ()
