"""Event times: ISO 8601 text columns to milliseconds since the epoch."""

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.values.instants_kernels import parse_instants


def parse(text: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Parse a column of ISO 8601 dates or date-times.

    Args:
        text: n values; ``2024-03-15``, ``2024-03-15T10:30``, ``2024-03-15T10:30:00.123+01:00``, …; without an offset, UTC.

    Returns:
        Milliseconds since 1970-01-01T00:00:00Z (int64, n; 0 where not parsed) and whether each was parsed (bool, n; False for null).

    >>> ms, ok = parse(pa.array(["1970-01-01T00:00:01Z", "yesterday", None]))
    >>> ms.tolist(), ok.tolist()
    ([1000, 0, 0], [True, False, False])
    """
    data, offsets, valid = parts(text)
    out, ok = np.empty(len(text), np.int64), np.empty(len(text), np.uint8)
    parse_instants(data, offsets, out, ok)
    parsed = ok.view(bool)
    if len(valid):
        parsed &= valid.view(bool)
        out[~parsed] = 0
    return out, parsed
