"""ISO 8601 date-times to milliseconds since 1970-01-01T00:00:00Z, a column at a time."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W64, njit
from flink_masking.kernels.memory import at
from flink_masking.values.calendar_kernels import NO_ZONE, POINT, date, days_from_civil, number, offset, zone_at

BAD = -(1 << 62)


@njit(I64(I64, I64), **JIT)
def instant(p, e):
    """Milliseconds of the text p…e, or BAD; without a zone the time is taken as UTC, digits beyond milliseconds are cut."""
    year, month, day = date(p, e)
    if year < 0:
        return BAD
    zone = zone_at(p + 10, e)
    if zone < 0:
        return BAD
    total = days_from_civil(year, month, day) * 86_400_000
    if zone == p + 10:
        return total if zone == e else BAD
    east = offset(zone, e)
    if east == NO_ZONE:
        return BAD
    total += number(p + 11, e, 2) * 3_600_000 + (number(p + 14, e, 2) - east) * 60_000
    if p + 16 < zone:
        total += number(p + 17, e, 2) * 1000
    if p + 19 < zone and at(p + 19) == POINT:
        unit, p = 100, p + 20
        while p < zone and unit > 0:
            total += (at(p) - 48) * unit
            unit //= 10
            p += 1
    return total


@njit([(U8, I32, W64, W8)], **JIT)
def parse_instants(data, offsets, out, ok):
    """Parse every value; ok[k] = 0 and out[k] = 0 where the text is no date-time."""
    base = np.int64(data.ctypes.data)
    for k in range(len(offsets) - 1):
        x = instant(base + offsets[k], base + offsets[k + 1])
        ok[k] = x != BAD
        out[k] = x if x != BAD else 0
