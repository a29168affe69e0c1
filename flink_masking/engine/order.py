"""The order in which a masked segment's records leave, for segments that ask for another than the one they were read in."""

import numpy as np
import pyarrow as pa

from flink_masking.techniques.masks import Context


def shuffled(live: np.ndarray, seed: bytes) -> pa.Int64Array:
    """A random order of a batch, each order of the accepted records as likely; rejected rows keep their places.

    Args:
        live: bool, n: the accepted records.
        seed: 32 bytes, drawn for this batch and segment alone.

    Returns:
        n row numbers: the source of each row.
    """
    order = np.arange(len(live))
    rows = np.flatnonzero(live)
    order[rows] = Context(seed).generator("order").permutation(rows)
    return pa.array(order)
