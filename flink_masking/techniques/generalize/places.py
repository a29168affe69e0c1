"""Places as geohash cells."""

import numpy as np

from flink_masking.records.kinds import Kind
from flink_masking.techniques.generalize import geohash_kernels as kernels
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import padded, refusals, rewrite

GEOHASH_ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"


def geohash_cells(length: int) -> Mask:
    """The geohash of objects ``{"lat": …, "lon": …}``; also ``latitude``, ``longitude`` and ``lng``; other members do not matter.

    Refused: an object without exactly one latitude and one longitude that are numbers of degrees (WGS 84) in range, or with a key that
    has escapes, which could spell a second one.

    Args:
        length: characters, 1 (about 5,000 km) to 12 (about 4 cm).
    """
    alphabet = padded(GEOHASH_ALPHABET)

    def to_cells(values: Values, context: Context) -> Masked:
        refused = np.zeros(len(values.text), np.uint8)
        args = (alphabet, length, refused)
        return Masked(rewrite(kernels.geohash_rows, values.text, *args, grow=0, add=length), refusals(values, {Kind.OBJECT}, refused))

    return to_cells
