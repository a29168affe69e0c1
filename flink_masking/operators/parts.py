"""Kafka's own parts of the records of a batch, from the arguments that a Flink function gets beside the payload."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from flink_masking.engine.record import Parts, RecordPlan, Transport, header_names, keyed
from flink_masking.operators.exchange import binary_array


def parts_of(arguments: "Sequence[pd.Series[Any]]", records: Sequence[RecordPlan], transport: Transport) -> Parts:
    """The parts of n records.

    Args:
        arguments: in the order of `Tables.protected`: source partitions, keys, and the values of each header that a rule names; what
            does not come along is not among them.
        records: what each masked segment does with them.
        transport: what comes along.
    """
    given = iter(arguments)
    partitions = next(given).to_numpy() if transport.partitioned else None
    key = binary_array(next(given)) if keyed(records, transport) else None
    return Parts(partitions, key, {name: binary_array(next(given)) for name in header_names(records, transport)})
