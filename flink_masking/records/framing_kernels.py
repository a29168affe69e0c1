# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Whether records begin alike, as those of one schema do."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, njit
from flink_masking.kernels.memory import at, differ32


@njit([I64(U8, I32, I64)], **JIT)
def other_prefix(data, offsets, width):
    """The first row of which the first `width` bytes are not those of row 0, or that is shorter; the number of rows where there is none.

    width: 32 at most.
    """
    base = np.int64(data.ctypes.data)
    first, limit = base + offsets[0], base + len(data)
    bits = (np.int64(1) << width) - 1
    for row in range(len(offsets) - 1):
        p = base + offsets[row]
        if offsets[row + 1] - offsets[row] < width:
            return row
        if p + 32 <= limit and first + 32 <= limit:
            if differ32(p, first) & bits:
                return row
            continue
        for k in range(width):
            if at(p + k) != at(first + k):
                return row
    return len(offsets) - 1
