"""Kafka's own parts of the records of a batch, from the arguments that a Flink function gets beside the payload."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from flink_masking.engine.record import Origin, Parts, RecordPlan, Transport, header_names, keyed
from flink_masking.flink.compat.arrow_columns import binary_array


def parts_of(arguments: "Sequence[pd.Series[Any]]", records: Sequence[RecordPlan], transport: Transport) -> Parts:
    """The parts of n records.

    Args:
        arguments: in the order of `Queries.protected`: source partitions and Kafka's timestamps, keys, the values of each header that a
            rule names, partitions, offsets and topics; what the source has not got is not among them.
        records: what each masked segment does with them.
        transport: what comes along.
    """
    given = iter(arguments)
    partitions = next(given).to_numpy() if transport.partitioned else None
    if transport.partitioned:
        next(given)
    key = binary_array(next(given)) if keyed(records, transport) else None
    headers = {name: binary_array(next(given)) for name in header_names(records, transport)}
    return Parts(partitions, key, headers, _origin(given, transport) if transport.origins else None)


def _origin(given: "Iterator[pd.Series[Any]]", transport: Transport) -> Origin:
    """Partition, offset and, of several, the topic of each record."""
    numbers, offsets = next(given).to_numpy(), next(given).to_numpy()
    return Origin(transport.topic or pa.Array.from_pandas(next(given)).cast(pa.string()), numbers, offsets)


def partitions_of(arguments: "Sequence[pd.Series[Any]]", transport: Transport) -> tuple[list[int], int | None]:
    """The source partitions of a batch, and how far the one that is furthest behind has been read: ms since 1970, by Kafka's timestamps.

    Of each partition the newest record counts: a transaction, whose records are seen together, may have been open for long.

    Args:
        arguments: as for `parts_of`.
        transport: what comes along; without partitions, nothing is known.
    """
    if not transport.partitioned:
        return [], None
    numbers = arguments[0].to_numpy()
    stamps = pa.Array.from_pandas(arguments[1]).cast(pa.timestamp("ms")).cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    found = np.unique(numbers)
    newest = [int(stamps[numbers == number].max()) for number in found]
    known = [stamp for stamp in newest if stamp >= 0]
    return found.tolist(), min(known, default=None)
