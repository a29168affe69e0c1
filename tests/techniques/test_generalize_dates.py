"""generalize: dates, against the standard library."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.records.kinds import Kind
from flink_masking.techniques.generalize import TECHNIQUE

REFUSED = "(refused)"
CLOCKS = st.sampled_from(["T00:00", "T10:30", " 10:30", "T23:59:59", "T01:02:03.000000001"])
TIMES = st.just("") | st.tuples(CLOCKS, st.sampled_from(["", "Z", "+02:00", "-11:30"])).map("".join)


def cut(day: dt.date, level: str) -> str:
    """The expected text of a date at a level."""
    year, week, _ = day.isocalendar()
    return {
        "day": day.isoformat(),
        "week": f"{year:04d}-W{week:02d}",
        "month": day.isoformat()[:7],
        "quarter": f"{day.year:04d}-Q{(day.month + 2) // 3}",
        "year": f"{day.year:04d}",
    }[level]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.dates(max_value=dt.date(9999, 12, 26)), min_size=1, max_size=10),
    TIMES,
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
)
def test_levels(run, days, time, level):
    """A date, with or without time and zone, is cut as the standard library says."""
    assert [cut(day, level) for day in days] == run(TECHNIQUE, {"date": level}, [f"{day.isoformat()}{time}" for day in days])


def test_weeks_around_every_new_year(run):
    """The weeks of ISO 8601 are right on the seven days around each new year of 400 years, the whole cycle of the calendar."""
    days = [dt.date(year, 1, 1) + dt.timedelta(days=d) for year in range(1900, 2301) for d in range(-4, 5)]
    assert [cut(day, "week") for day in days] == run(TECHNIQUE, {"date": "week"}, [day.isoformat() for day in days])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-15T10:30:00Z", "2024-03-15T10Z"),
        ("2024-03-15T10:30", "2024-03-15T10"),
        ("2024-03-15 10:30Z", "2024-03-15T10Z"),
        ("2024-03-15T10:30:59.999+02:00", "2024-03-15T10+02:00"),
        ("2024-03-15", REFUSED),
    ],
)
def test_hour_keeps_the_zone(run, value, expected):
    """The hour keeps the zone that it was told in; a date without a time has no hour."""
    assert [expected] == run(TECHNIQUE, {"date": "hour"}, [value])


@pytest.mark.parametrize(
    "value",
    [
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "2024-13-01",
        "2024-00-10",
        "2024-01-00",
        "0000-01-01",
        "2024-1-1",
        "2024-03-15_10:30",
        "2024-03-15Z",
        "2016-12-31T23:59:60Z",
        "20240315",
        "2024-03-15T",
        "2024-03-15T10",
        "2024-03-15T24:00",
        "2024-03-15T10:60",
        "2024-03-15T10:30:61",
        "2024-03-15T10:30:00.",
        "2024-03-15T10:30:00.1x",
        "2024-03-15T10:30z",
        "2024-03-15T10:30+2:00",
        "2024-03-15T10:30+24:00",
        "2024-03-15T10:30+02:00 ",
        "2024-03-15x",
        "yesterday",
        "2024-03",
        "२०२४-03-15",
        "2024/03/15",
        "2024-03-1",
    ],
)
def test_only_dates(run, value):
    """Text that is no date of the calendar in the documented form is refused at every level."""
    for level in ("hour", "day", "week", "month", "quarter", "year"):
        assert [REFUSED] == run(TECHNIQUE, {"date": level}, [value])


def test_only_text(run):
    """A number is refused, even a year; null stays null and the empty text stays empty."""
    assert [REFUSED] == run(TECHNIQUE, {"date": "year"}, ["2024"], Kind.NUMBER)
    assert [None, ""] == run(TECHNIQUE, {"date": "year"}, [None, ""])
