"""Spans of Protobuf records: values whose text is not what stands on the wire."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.records.protobuf.layout_kernels import O_ENTRY, OWNER
from flink_masking.records.protobuf.program import STRING, Program
from flink_masking.records.protobuf.values import to_text
from flink_masking.records.span_kernels import UNDECLARED_PATH
from flink_masking.records.spans import Contents, Refusal, SpanTable, Values

if TYPE_CHECKING:
    from flink_masking.records.protobuf.codec import ProtobufCodec


class ProtobufTable(SpanTable):
    """A span table that knows of which field each span is, and what has a length around it.

    Attributes:
        codec: who made it.
        program: that the scanner followed.
        owners: int32, `OWNER` numbers a span.
        frames: int32, `FRAME` numbers a message or packed array, in document order.
        used_frames: how many there are.
        begins: int32, n: where each message begins, behind the framing.
        widths: int32, n: bytes in front of each that come from its header; None: none do.
    """

    codec: "ProtobufCodec"
    program: Program
    owners: np.ndarray
    frames: np.ndarray
    used_frames: int
    begins: np.ndarray
    widths: np.ndarray | None

    def fault(self, row: int) -> Refusal | None:
        """See `SpanTable.fault`; positions are those in the value, without what its header told."""
        found = super().fault(row)
        if found is None or found.position is None or self.widths is None:
            return found
        return found._replace(position=max(0, found.position - int(self.widths[row])))

    def entries(self, number: int) -> np.ndarray:
        """The field of each span of a path number, as an entry of the program: int32; -1 for undeclared ones."""
        found = self.distinct(number)
        return np.full(len(self.numbered(number)), found[0], np.int32) if len(found) == 1 else self._owned(number)

    def _owned(self, number: int) -> np.ndarray:
        """The same, from the spans themselves."""
        found: np.ndarray = self.owners.reshape(-1, OWNER)[self.numbered(number), O_ENTRY]
        return found

    def distinct(self, number: int) -> list[int]:
        """The different fields of the spans of a path number; one in most batches."""
        known = self.__dict__.setdefault("_distinct", {})
        if number not in known:
            possible = self.program.entries_of(number)
            if number != UNDECLARED_PATH and len(possible) == 1:
                known[number] = possible if len(self.numbered(number)) else []
            else:
                known[number] = np.unique(self._owned(number)).tolist()
        found: list[int] = known[number]
        return found

    def values(self, path: str) -> Values:
        """See `SpanTable.values`."""
        if path not in self._values:
            group = self._group(path)
            self._values[path] = Values(self.decoded(self.paths.ids[path]), self._kinds[group], self._rows[group])
        return self._values[path]

    def decoded(self, number: int) -> pa.StringArray:
        """See `SpanTable.decoded`."""
        group = slice(self._edges[number], self._edges[number + 1])
        if self._plain(number):
            return self.codec.text(self._places(group), int(self.sizes[number]))
        entries, found = self.entries(number), self.distinct(number)
        starts, ends, fields = self._firsts[group], self._lasts[group], self.program.fields
        texts = []
        for entry in found:
            some = entries == entry
            texts.append(to_text(fields[entry], self.data, starts[some], ends[some]) if entry >= 0 else pa.array([""] * int(some.sum()),
                                                                                                              pa.string()))
        if len(texts) == 1:
            return texts[0]
        order = np.argsort(np.concatenate([np.flatnonzero(entries == entry) for entry in found]), kind="stable")
        return pc.take(pa.concat_arrays(texts), pa.array(order))

    def contents(self, path: str) -> Contents:
        """See `SpanTable.contents`."""
        group = self._group(path)
        if self._plain(self.paths.ids[path]):
            return self._places(group)
        data, offsets, _ = arrow.parts(self.values(path).text)
        return Contents(data, offsets[:-1], offsets[1:], self._kinds[group])

    def public_keys(self, path: str) -> bool:
        """See `SpanTable.public_keys`: those of messages, which are names of fields."""
        return all(entry >= 0 and not self.program.fields[entry].key for entry in self.distinct(self.paths.ids[path]))

    def _plain(self, number: int) -> bool:
        """Whether all values of a path number are text that stands as it is."""
        return all(entry >= 0 and self.program.fields[entry].type == STRING for entry in self.distinct(number))
