# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""How JSON objects that tell a place name its coordinates."""

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.memory import at

LAT, LON, LNG, ALT = (int.from_bytes(x, "little") for x in (b"lat", b"lon", b"lng", b"alt"))
LATITUDE, ALTITUDE, ACCURACY, LONGITUD = (int.from_bytes(x, "little") for x in (b"latitude", b"altitude", b"accuracy", b"longitud"))


@njit(**JIT)
def blank(p, e):
    """The address behind JSON white space."""
    while p < e and (at(p) == 32 or 9 <= at(p) <= 10 or at(p) == 13):
        p += 1
    return p


@njit(**JIT)
def coordinate(p, n):
    """0 for the name of a latitude, 1 of a longitude, 2 of an altitude, 3 of an accuracy, -1 of anything else; p…p+n is a key without
    its quotes."""
    if n < 3 or n > 9:
        return -1
    x, m = 0, min(n, 8)
    for k in range(m):
        x |= at(p + k) << (8 * k)
    if n == 3:
        return 0 if x == LAT else 1 if x in (LON, LNG) else 2 if x == ALT else -1
    if n == 8:
        return 0 if x == LATITUDE else 2 if x == ALTITUDE else 3 if x == ACCURACY else -1
    return 1 if n == 9 and x == LONGITUD and at(p + 8) == 101 else -1
