"""What travels from Protect to the keyed operators in one BYTES cell: a small clear header before the sealed batch."""

import struct
from typing import NamedTuple

from flink_masking.engine.watermark import NO_TIME

__all__ = ["NO_TIME", "Packet"]
_HEADER = struct.Struct(">iq")


class Packet(NamedTuple):
    """A sealed batch on its way.

    Attributes:
        shard: the instance of the segment's logic that it is for.
        watermark: event time in ms before which its sender expects no record any more; NO_TIME when it cannot tell.
        blob: the sealed batch.
    """

    shard: int
    watermark: int
    blob: bytes

    def encode(self) -> bytes:
        """As one cell."""
        return _HEADER.pack(self.shard, self.watermark) + self.blob

    @classmethod
    def decode(cls, cell: bytes) -> "Packet":
        """From one cell."""
        shard, watermark = _HEADER.unpack_from(cell)
        return cls(shard, watermark, cell[_HEADER.size :])
