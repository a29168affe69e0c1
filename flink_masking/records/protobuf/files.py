"""Files of Protobuf records: there are none, since the wire format tells no record from the next."""

from collections.abc import Iterator
from typing import IO

from flink_masking.errors import InputError


def records(stream: IO[bytes], place: str, longest: int) -> Iterator[bytes]:
    """Refuse a file.

    Args:
        stream: of the file.
        place: its name.
        longest: bytes of a record.

    Raises:
        InputError: always.
    """
    raise InputError(f"{place}: files of Protobuf records are not read. Hint: the job reads them from Kafka, and Protector takes them one "
                     "by one")
