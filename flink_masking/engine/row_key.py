"""The key of a changed row: an object of the row's key columns, masked by their rules."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from flink_masking.contract.field import Contract
from flink_masking.engine.connect import ConnectSchemas
from flink_masking.engine.masking import FieldRule, apply, edit
from flink_masking.engine.rejections import Rejections
from flink_masking.records.codec import Codec, View
from flink_masking.records.connect import SCHEMA
from flink_masking.records.edits import KEEP, Edit
from flink_masking.records.spans import FATAL, Flag, Limits
from flink_masking.records.trie import Paths
from flink_masking.techniques.masks import Context

FAULTS = int(FATAL | Flag.UNKNOWN)
"""Of a key: members that are no declared column are never dropped, or two keys could become one."""


@dataclass(frozen=True)
class Column:
    """A column of the key.

    Attributes:
        name: of the column; of several places with one name a key has one.
        path: within the key as it comes.
        rule: as for the row; None where it is kept.
        contract: what is checked of its values, or None.
    """

    name: str
    path: str
    rule: FieldRule | None
    contract: Contract | None


@dataclass(frozen=True)
class RowKey:
    """The compiled columns of a key.

    Attributes:
        codec: of the key's format.
        columns: all columns.
        paths: what the scanner looks for.
        view: what a format with schemas has to know of the keys.
        connect: the schemas of Kafka Connect that keys stand beside; None: they stand alone.
    """

    codec: Codec
    columns: tuple[Column, ...]
    paths: Paths
    view: View
    connect: ConnectSchemas | None = None

    @classmethod
    def made(cls, codec: Codec, columns: tuple[Column, ...], kept: tuple[str, ...], wrapped: bool, view: View) -> "RowKey":
        """Compile the columns; `kept`: paths of other members; `wrapped`: beside the object stands its schema."""
        schema = [SCHEMA] if wrapped else []
        paths = Paths([*(column.path for column in columns), *schema], known=kept, opaque=schema)
        return cls(codec, columns, paths, view, ConnectSchemas(paths, view) if wrapped else None)

    def mask(self, keys: pa.BinaryArray, context: Context) -> tuple[pa.BinaryArray, np.ndarray]:
        """The keys as the rules of their columns make them.

        Args:
            keys: n keys, none null.
            context: of the batch.

        Returns:
            n keys, null where refused; and bool, n: keys that are no such object, or with a value that its rule cannot take.
        """
        table = self.codec.scan(keys, self.paths, Limits())
        wrong = (table.flags & FAULTS) != 0
        edits: dict[str, Edit] = {}
        counts = {column.name: np.zeros(table.n, np.int64) for column in self.columns}
        for column in self.columns:
            rows, values = table.rows(column.path), table.values(column.path)
            counts[column.name] += np.bincount(rows, minlength=table.n)
            unfit = None
            if column.contract is not None:
                unfit = column.contract.unfit(table.contents(column.path), values.text if column.contract.reads_text else None)
            if column.rule is None:
                refused, edits[column.path] = unfit, KEEP
            else:
                masked, refused = apply(column.rule, values, context, unfit=unfit if column.rule.shows else None)
                edits[column.path] = edit(masked, refused, column.rule.on_error)
            if refused is not None:
                wrong[rows[refused]] = True
        for count in counts.values():
            wrong |= count != 1
        if self.connect is not None:
            edits[SCHEMA] = KEEP
            rejections = Rejections(table.n)
            self.connect.fit(table, edits, rejections)
            wrong |= rejections.mask
        made = table.splice(edits, reject=wrong, view=self.view)
        return made, made.is_null().to_numpy(zero_copy_only=False)
