# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Places: JSON objects of one latitude, one longitude and nothing else but an altitude or accuracy."""

from flink_masking.contract.number_kernels import BOUNDED, number_fits
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.memory import at

DECIMALS = 15  # of a degree that are read: a tenth of a nanometre
DEGREE = 10**DECIMALS
_LAT, _LON, _LNG, _ALT = (int.from_bytes(x, "little") for x in (b"lat", b"lon", b"lng", b"alt"))
_LATITUDE, _ALTITUDE, _ACCURACY, _LONGITUD = (int.from_bytes(x, "little") for x in (b"latitude", b"altitude", b"accuracy", b"longitud"))
LATITUDE, LONGITUDE, ALTITUDE, ACCURACY = range(4)
"""What a member's name means; -1 for all other names."""


@njit(**JIT)
def blank(p, e):
    """The address behind JSON white space."""
    while p < e and (at(p) == 32 or 9 <= at(p) <= 10 or at(p) == 13):
        p += 1
    return p


@njit(**JIT)
def name_of(p, n):
    """What the member's name of n bytes at p means, see `LATITUDE`; a name with escapes means nothing."""
    if n < 3 or n > 9:
        return -1
    x, m = 0, min(n, 8)
    for k in range(m):
        x |= at(p + k) << (8 * k)
    if n == 3:
        return LATITUDE if x == _LAT else LONGITUDE if x in (_LON, _LNG) else ALTITUDE if x == _ALT else -1
    if n == 8:
        return LATITUDE if x == _LATITUDE else ALTITUDE if x == _ALTITUDE else ACCURACY if x == _ACCURACY else -1
    return LONGITUDE if n == 9 and x == _LONGITUD and at(p + 8) == 101 else -1


@njit(**JIT)
def place_fits(p, e):
    """Whether the JSON text p…e is such an object, its degrees in range (WGS 84) and its numbers of moderate length."""
    if at(p) != 123:
        return False
    seen = 0
    p = blank(p + 1, e)
    while p < e and at(p) == 34:
        key = p + 1
        p = key
        while p < e and at(p) != 34:
            if at(p) == 92:  # an escape could spell a second latitude
                return False
            p += 1
        which = name_of(key, p - key)
        if which < 0 or seen >> which & 1:
            return False
        seen |= 1 << which
        p = blank(p + 1, e)
        if p >= e or at(p) != 58:
            return False
        p = blank(p + 1, e)
        start = p
        while p < e and (48 <= at(p) <= 57 or (43 <= at(p) <= 46 and at(p) != 44) or at(p) | 32 == 101):
            p += 1
        most = (90 if which == LATITUDE else 180) * DEGREE
        if p == start or not number_fits(start, p, BOUNDED if which <= LONGITUDE else 0, DECIMALS, -most, most):
            return False
        p = blank(p, e)
        if p < e and at(p) == 44:
            p = blank(p + 1, e)
        else:
            break
    return seen & (1 << LATITUDE | 1 << LONGITUDE) == (1 << LATITUDE | 1 << LONGITUDE) and p < e and at(p) == 125 and p + 1 == e
