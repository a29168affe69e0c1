"""Times as numbers since 1970-01-01T00:00:00Z, in seconds or parts of them: read, cut to a period, moved by days."""

import numpy as np
import pyarrow as pa

from flink_masking.values.decimals import BAD, parse_floor
from flink_masking.values.units import A_SECOND, Unit

FIRST, LAST = -62_135_596_800, 253_402_300_799
"""0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds."""
_HOUR, _DAY = 3_600, 86_400


def ticks(text: pa.StringArray, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Read number texts as whole ticks, rounded down.

    Args:
        text: n JSON numbers, nulls allowed.
        unit: of a tick.

    Returns:
        int64, n, 0 where not read; and whether each is a time of the years 0001 to 9999 (bool, n; False for null). In nanoseconds an int64
        holds the years 1678 to 2262.

    >>> ticks(pa.array(["1710498600.7", "1e20", "x"]), "s")[0].tolist()
    [1710498600, 0, 0]
    """
    found, status = parse_floor(text, 0)
    whole = np.floor_divide(found, A_SECOND[unit])
    read = (status != BAD) & (whole >= FIRST) & (whole <= LAST)
    found[~read] = 0
    return found, read


def milliseconds(text: pa.StringArray, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Read number texts as whole milliseconds, rounded down; seconds may have decimals. For the rest see `ticks`."""
    if unit != "s":
        found, read = ticks(text, unit)
        return np.floor_divide(found, A_SECOND[unit] // 1_000), read
    found, status = parse_floor(text, 3)
    read = (status != BAD) & (found >= FIRST * 1_000) & (found < (LAST + 1) * 1_000)
    found[~read] = 0
    return found, read


def beginnings(times: np.ndarray, unit: Unit, level: str) -> np.ndarray:
    """The first tick of the hour, day, ISO week, month, quarter or year, in UTC, that each time is in; int64, n."""
    hour, day = _HOUR * A_SECOND[unit], _DAY * A_SECOND[unit]
    if level == "hour":
        return times - times % hour
    days = np.floor_divide(times, day)
    if level == "week":
        days = days - (days + 3) % 7  # 1970-01-01 was a Thursday
    elif level in ("month", "quarter", "year"):
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        months -= months % {"month": 1, "quarter": 3, "year": 12}[level]
        days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    begun: np.ndarray = days * day
    return begun


def moved(times: np.ndarray, unit: Unit, days: np.ndarray) -> np.ndarray:
    """Times moved by days; int64, n."""
    found: np.ndarray = times + days * (_DAY * A_SECOND[unit])
    return found
