"""Synthetic records of well-known kinds, for the example policies: FHIR resources, CloudTrail events, OTLP logs, taxi trips."""

import os
import pathlib
from collections.abc import Callable, Iterator

from flink_masking.files.opened import created
from flink_masking.generate.streams.cloudtrail import cloudtrail
from flink_masking.generate.streams.fhir import conditions, encounters, patients
from flink_masking.generate.streams.otlp import otlp_logs
from flink_masking.generate.streams.taxi import taxi_trips

STREAMS: dict[str, Callable[[int, int], Iterator[bytes]]] = {
    "fhir-patient": patients, "fhir-encounter": encounters, "fhir-condition": conditions,
    "cloudtrail": cloudtrail, "otlp-logs": otlp_logs, "taxi-trips": taxi_trips,
}  # fmt: skip
"""By name of the stream what makes its lines from a number of people and a seed. The same arguments make the same lines (with the same
faker), and resources of the same number and seed refer to each other."""


def write_stream(path: str | os.PathLike[str], name: str, people: int, seed: int = 0) -> int:
    """Write a stream's records, one a line; .gz and .zst are compressed.

    Args:
        path: written whole or not at all; what is there is replaced.
        name: a key of `STREAMS`.
        people: patients, users or drivers, 1 or more.
        seed: 0 or more.

    Returns:
        The number of lines.

    Raises:
        OSError: the file cannot be written.
    """
    target = pathlib.Path(path)
    part = target.with_name(f".{target.name}.part")
    count = 0
    try:
        with created(part, target) as stream:
            for line in STREAMS[name](people, seed):
                stream.write(line + b"\n")
                count += 1
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return count
