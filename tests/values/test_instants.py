"""Event times: ISO 8601 texts to instants."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flink_masking.values.instants import parse

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def milliseconds(moment):
    """Whole milliseconds since 1970, digits beyond cut."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


@given(
    moment=st.datetimes(),
    zone=st.none() | OFFSETS,
    separator=st.sampled_from("T "),
    detail=st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
)
@example(moment=datetime(1, 1, 1), zone=timezone(timedelta(hours=23, minutes=59)), separator="T", detail="minutes")
@example(moment=datetime(9999, 12, 31, 23, 59, 59, 999999), zone=None, separator=" ", detail="microseconds")
@example(moment=datetime(1969, 12, 31, 23, 59, 59, 999999), zone=None, separator="T", detail="microseconds")
def test_instants_are_those_of_the_standard_library(moment, zone, separator, detail):
    """Every date-time of years 1 to 9999, with or without offset, is the instant that datetime.fromisoformat reads; without one, UTC."""
    text = moment.replace(tzinfo=zone).isoformat(separator, detail)
    local = datetime.fromisoformat(text).replace(tzinfo=None)  # years 1 and 9999 leave its range once an offset is applied
    east = zone.utcoffset(None) if zone else timedelta()
    expected = (local - datetime(1970, 1, 1)) // timedelta(milliseconds=1) - east // timedelta(milliseconds=1)
    times, parsed = parse(pa.array([text]))
    assert parsed.tolist() == [True]
    assert times.tolist() == [expected]


@given(st.dates())
@example(date(2000, 2, 29))
@example(date(1900, 2, 28))
def test_a_date_is_its_midnight_in_utc(day):
    """A date alone stands for its first instant in UTC."""
    times, parsed = parse(pa.array([day.isoformat()]))
    assert parsed.all() and times[0] == milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "2024", "2024-03", "2024-3-15", "2024-03-15T", "2024-03-15T10", "2024-03-15T10:", "2024-03-15T1:30", "2024-03-15T10:3",
        "2024-03-15T24:00", "2024-03-15T10:60", "2024-03-15T10:30:60", "2024-03-15T10:30:6", "2024-03-15T10:30:", "2024-03-15T10:30:15.",
        "2024-03-15T10:30:15.Z", "2024-03-15T10:30.5", "2024-03-15T10:30ZZ", "2024-03-15T10:30Z ", " 2024-03-15", "2024-03-15\n",
        "2024-02-30", "2023-02-29", "1900-02-29", "2024-04-31", "2024-00-10", "2024-13-10", "2024-01-00", "0000-01-01", "-001-01-01",
        "2024-03-15T10:30+", "2024-03-15T10:30+1", "2024-03-15T10:30+01:", "2024-03-15T10:30+01:60", "2024-03-15T10:30+24:00",
        "2024-03-15T10:30+01:00x", "2024-03-15Z", "2024-03-15+01:00", "2024/03/15", "15.03.2024", "yesterday", "1710498600000", "20240315",
        "2024-W11-5", "2024-03-15_10:30", "２０２４-03-15", "2024-03-15T10:30:15-1e0", "2024-03-15T-1:30",
    ],
)  # fmt: skip
def test_what_is_no_date_time_is_refused(text):
    """Anything else is not parsed, and leaves a zero."""
    times, parsed = parse(pa.array(["2024-03-15", text, "2024-03-15"]))
    assert parsed.tolist() == [True, False, True] and times[1] == 0


@given(st.text(st.sampled_from("0123456789-:T Z+.é"), max_size=30))
def test_no_text_is_read_otherwise_than_by_the_standard_library(text):
    """What is accepted is a date-time for datetime.fromisoformat, too: nothing malformed gets a time."""
    times, parsed = parse(pa.array([text]))
    if parsed[0]:
        moment = datetime.fromisoformat(text)
        assert times[0] == milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def test_nulls_and_slices():
    """Null is not parsed and gives 0, whatever bytes lie under it; slices are read from their first row."""
    data, bits = pa.py_buffer(b"2024-03-152024-03-15"), pa.py_buffer(bytes([0b10]))
    column = pa.Array.from_buffers(pa.string(), 2, [bits, pa.py_buffer(np.array([0, 10, 20], np.int32)), data])
    times, parsed = parse(column)
    assert parsed.tolist() == [False, True] and times.tolist() == [0, 1_710_460_800_000]
    times, parsed = parse(pa.array(["x", "1970-01-02", None, "y"]).slice(1, 2))
    assert (parsed.tolist(), times.tolist()) == ([True, False], [86_400_000, 0])
    assert [len(part) for part in parse(pa.array([], pa.string()))] == [0, 0]
