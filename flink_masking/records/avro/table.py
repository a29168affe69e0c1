"""The span table of Avro records, whose values have to be decoded by their types."""

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.records.avro.program import Image
from flink_masking.records.avro.texts import texts
from flink_masking.records.span_kernels import NX, SPAN
from flink_masking.records.spans import Contents, SpanTable, Values


class AvroTable(SpanTable):
    """See `SpanTable`.

    Attributes:
        image: the programs that the records were scanned with.
        programs: int32, n: the program of each record.
        begins: int32, n: where each datum begins behind its framing.
        blocks: int32, `scan_kernels.BLOCK` numbers a block of an array or map.
        n_blocks: their number.
        depth: frames that splicing needs.
    """

    image: Image
    programs: np.ndarray
    begins: np.ndarray
    blocks: np.ndarray
    n_blocks: int
    depth: int

    def sites_of(self, order: np.ndarray) -> np.ndarray:
        """int32: the site of each of the spans in `order`."""
        found: np.ndarray = self.spans.reshape(-1, SPAN)[order, NX]
        return found

    def decoded(self, number: int) -> pa.StringArray:
        """See `SpanTable.decoded`."""
        if self.image.is_text(number):
            return self.codec.text(self._places(slice(self._edges[number], self._edges[number + 1])), int(self.sizes[number]))
        order = self.numbered(number)
        sites = self.sites_of(order)
        used, numbers = (sites[:1], np.zeros(len(sites), np.int64)) if len(sites) and (sites == sites[0]).all() else (
            np.unique(sites, return_inverse=True))
        return texts(self, order, self.kinds_of(number), [self.image.sites[site].type for site in used.tolist()], numbers)

    def values(self, path: str) -> Values:
        """See `SpanTable.values`."""
        if path not in self._values:
            text = self.decoded(self.paths.ids[path]) if self.count(path) else pa.array([], pa.string())
            self._values[path] = Values(text, self.kinds(path), self.rows(path))
        return self._values[path]

    def contents(self, path: str) -> Contents:
        """See `SpanTable.contents`; text lies in the records as it is."""
        if self.image.is_text(self.paths.ids.get(path, -1)) and path not in self._values:
            return self._places(self._group(path))
        data, offsets, _ = arrow.parts(self.values(path).text)
        return Contents(data, offsets[:-1], offsets[1:], self.kinds(path))

    def public_keys(self, path: str) -> bool:
        """See `SpanTable.public_keys`."""
        return all(self.image.sites[site].place == "field" for site in self.image.of_path(self.paths.ids[path]).tolist())

    def named(self, node: int, key: bytes) -> str:
        """See `SpanTable.named`; the name of an undeclared field stands in the schema, and is no data."""
        if node >= 0:
            return super().named(node, key)
        above, name = self.image.unknown[-1 - node]
        path = self.paths.labels[above]
        return f"{path}.{name}" if path else name


