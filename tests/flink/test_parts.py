"""What a batch of a Kafka source tells of its partitions."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from flink_masking.engine.record import Transport
from flink_masking.flink.parts import partitions_of


def arguments(partitions, stamps):
    """Columns as they come from Flink."""
    column = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(stamps, pa.timestamp("ms"))])), copy=False)
    return [pd.Series(np.array(partitions, np.int32)), column]


@pytest.mark.parametrize(("partitions", "stamps", "found"), [
    ([2, 0, 2, 0], [50, 900, 70, 10], ([0, 2], 70)),  # of each the newest, of these the one furthest behind
    ([1, 1], [5, 5], ([1], 5)),
    ([1, 3], [-1, 8], ([1, 3], 8)),  # Kafka's word for no timestamp
    ([1, 3], [None, -1], ([1, 3], None)),
])  # fmt: skip
def test_how_far_a_batch_has_been_read(partitions, stamps, found):
    """The partitions of the batch, and the timestamp that the one furthest behind has been read to."""
    assert found == partitions_of(arguments(partitions, stamps), Transport(partitioned=True))


def test_a_source_without_partitions_tells_nothing():
    """There is neither a partition nor a timestamp."""
    assert ([], None) == partitions_of([], Transport())
