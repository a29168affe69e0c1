"""What a batch covers of the source's partitions."""

import numpy as np
import pyarrow as pa

from flink_masking.audit.reports import SourceRange
from flink_masking.engine.record import Origin


def source_ranges(origin: Origin | None) -> tuple[SourceRange, ...]:
    """The smallest and the largest offset of each topic and partition, in their order.

    Args:
        origin: of the batch's records; None: nothing is known.
    """
    if origin is None or not len(origin.offsets):
        return ()
    if isinstance(origin.topic, str):
        return tuple(_ranges(origin.topic, origin.partitions, origin.offsets))
    coded: pa.DictionaryArray = origin.topic.dictionary_encode()
    of = coded.indices.to_numpy()
    named = sorted((str(name), number) for number, name in enumerate(coded.dictionary.to_pylist()))
    return tuple(one for name, number in named for one in _ranges(name, origin.partitions[of == number], origin.offsets[of == number]))


def _ranges(topic: str, partitions: np.ndarray, offsets: np.ndarray) -> list[SourceRange]:
    ranges = []
    for partition in np.unique(partitions):
        mine = offsets[partitions == partition]
        ranges.append(SourceRange(topic, int(partition), int(mine.min()), int(mine.max()), len(mine)))
    return ranges
