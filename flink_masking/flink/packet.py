"""The packet from Protect to the keyed operators in one BYTES cell: a clear header and the sealed batch."""

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">iI")


class Packet(NamedTuple):
    """A sealed batch on its way.

    Attributes:
        shard: the instance of the segment's logic that it is for.
        blob: the sealed batch; empty where there is nothing but marks.
        marks: what the sender tells the clock of event time (`flink_masking.engine.watermark.Marks`), or empty.
    """

    shard: int
    blob: bytes
    marks: bytes = b""

    def encode(self) -> bytes:
        """As one cell."""
        return _HEADER.pack(self.shard, len(self.marks)) + self.marks + self.blob

    @classmethod
    def decode(cls, cell: bytes) -> "Packet":
        """From one cell."""
        shard, marked = _HEADER.unpack_from(cell)
        start = _HEADER.size + marked
        return cls(shard, cell[start:], cell[_HEADER.size : start])

    @staticmethod
    def shard_of(cell: bytes) -> int:
        """The shard alone, without a copy of the batch."""
        shard: int = _HEADER.unpack_from(cell)[0]
        return shard
