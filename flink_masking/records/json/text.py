"""Text columns as JSON strings."""

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.records.json.quote_kernel import quote_rows
from flink_masking.records.json.splice_kernel import count_special


def quote(text: pa.StringArray) -> pa.BinaryArray:
    """Every value as a JSON string, quotes included; null stays null.

    >>> quote(pa.array(['a"b', None])).to_pylist()
    [b'"a\\\\"b"', None]
    """
    data, offsets, valid = arrow.parts(text)
    used = data[offsets[0] : offsets[-1]]
    buffer, out = arrow.output(len(used) + 5 * int(count_special(used)) + 2 * len(text))
    ends = np.zeros(len(text) + 1, np.int32)
    quote_rows(data, offsets, valid, out, ends)
    return arrow.assemble(pa.binary(), buffer, ends, valid)
