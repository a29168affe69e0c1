"""generalize: labels for the ends of a range, subnets, partial dates and times as numbers."""

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values

N, S = Kind.NUMBER, Kind.STRING


def results(name, params, texts, kind=S, facts=None, subjects=None, ring=None):
    """What becomes of each text: (text, whether it is a literal), ``...`` where it is refused."""
    technique = registry.get(name)
    site = RuleContext(facts or FieldFacts("f"), ring or KeyRing.new(), lambda name: "")
    kinds = np.array([Kind.NULL if text is None else kind for text in texts], np.int32)
    values = Values(pa.array(texts, pa.string()), kinds, np.arange(len(texts), dtype=np.int32))
    masked = technique.make(technique.params.model_validate(params), site)(values, Context(bytes(32), subjects))
    refused = np.zeros(len(texts), bool) if masked.refused is None else masked.refused
    literal = masked.literal if masked.literal is not None else np.full(len(texts), pa.types.is_binary(masked.values.type))
    found = masked.values.cast(pa.string()).to_pylist()
    return [... if no else (text, bool(is_literal)) for no, text, is_literal in zip(refused, found, literal, strict=True)]


def test_top_and_bottom_coding():
    """Numbers beyond the ends have one label, whatever their form or size; the others stay as they are written."""
    texts = ["89", "89.0", "89.000001", "90", "1e3", "-5", "17.999", "18", "9" * 30, "-" + "9" * 30, "1.50", None]
    told = results("generalize", {"max": 89, "label": "90+", "min": 18, "low_label": "minor"}, texts, N)
    assert told == [
        ("89", True),
        ("89.0", True),
        ("90+", False),
        ("90+", False),
        ("90+", False),
        ("minor", False),
        ("minor", False),
        ("18", True),
        ("90+", False),
        ("minor", False),
        ("minor", False),
        (None, False),
    ]
    assert results("generalize", {"max": 89}, ["90", "7"], N) == [(">89", False), ("7", True)]
    assert results("generalize", {"min": 1.5}, ["1.4", "1.5"], N) == [("<1.5", False), ("1.5", True)]
    assert results("generalize", {"max": 89}, ["x", "", "90"], S) == [..., ("", False), ...]


def test_ends_beside_ranges():
    """Between the ends ranges or rounded numbers stand; beyond them the label."""
    assert results("generalize", {"max": 89, "label": "90+", "width": 10}, ["34", "89", "95"], N) == [
        ("30-39", False),
        ("80-89", False),
        ("90+", False),
    ]
    assert results("generalize", {"max": 89, "round_to": 5}, ["33", "95"], N) == [("35", True), (">89", False)]


@pytest.mark.parametrize(
    "params",
    [
        {"max": 1, "prefix": 2},
        {"label": "x"},
        {"max": 1, "low_label": "x"},
        {"min": 2, "max": 1},
        {"subnet": 0},
        {"subnet": 32},
        {"subnet_v6": 48},
        {"subnet": 24, "width": 1},
        {"max": "89"},
        {"max": 89, "label": ""},
        {},
    ],
)
def test_ends_and_subnets_are_checked(params):
    """Parameters that do not go together, or are out of range, are refused."""
    with pytest.raises(ValueError, match=r"(?i)generalize"):
        registry.get("generalize").params.model_validate(params)


def test_subnets():
    """Addresses are cut to their networks; what is none is refused."""
    texts = [
        "203.0.113.77",
        "0.0.0.1",
        "255.255.255.255",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3",
        "2001:db8:1:2::5",
        "2001:DB8:1:2::5",
        "::1",
        "fe80::1%eth0",
        "1.2.3.4 ",
        "",
        None,
        "2001:db8:1:2::5/64",
        "::ffff:203.0.113.77",
    ]
    told = [one if one is ... else one[0] for one in results("generalize", {"subnet": 24}, texts)]
    assert told == [
        "203.0.113.0/24",
        "0.0.0.0/24",
        "255.255.255.0/24",
        ...,
        ...,
        ...,
        "2001:db8:1::/48",
        "2001:db8:1::/48",
        "::/48",
        ...,
        ...,
        "",
        None,
        ...,
        "::/48",
    ]
    assert results("generalize", {"subnet": 20, "subnet_v6": 32}, ["10.11.255.1", "2001:db8:1::"])[0][0] == "10.11.240.0/20"
    import ipaddress

    drawn = [str(ipaddress.IPv4Address(int(n))) for n in np.random.default_rng(7).integers(0, 1 << 32, 500)]
    for bits in (8, 19, 31):
        assert [one[0] for one in results("generalize", {"subnet": bits}, drawn)] == [
            str(ipaddress.IPv4Network((one, bits), strict=False)) for one in drawn
        ]


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("year", ["1971", "1971", "1971", ...]),
        ("quarter", ["1971", "1971-Q2", "1971-Q2", ...]),
        ("month", ["1971", "1971-04", "1971-04", ...]),
        ("week", ["1971", "1971-04", "1971-W17", ...]),
        ("day", ["1971", "1971-04", "1971-04-30", ...]),
        ("hour", [..., ..., ..., ...]),
    ],
)
def test_partial_dates_are_cut(level, told):
    """A month or a year is cut where it is finer than the level, and stays where it is not; only where the field says so."""
    texts = ["1971", "1971-04", "1971-04-30", "1971-13"]
    facts = FieldFacts("f", "partial_date")
    found = [one if one is ... else one[0] for one in results("generalize", {"date": level}, texts, facts=facts)]
    assert found == told
    domain = registry.get("generalize").output(registry.get("generalize").params(date=level))
    assert all(domain.contains(one) for one in found if one is not ...)
    assert results("generalize", {"date": "year"}, ["1971", "1971-04"]) == [..., ...]


def test_partial_dates_are_shifted():
    """A month is moved by the person's days as its middle is, a year likewise; order and precision stay."""
    subjects, ring = pa.array(["p"] * 4), KeyRing.new()
    facts = FieldFacts("f", "partial_date")
    texts = ["1971-04-15", "1971-04", "1971", "2000-12"]
    day, month, year, later = (
        one[0] for one in results("date_shift", {"max_days": 3_000}, texts, facts=facts, subjects=subjects, ring=ring)
    )
    assert day[:7] == month and len(year) == 4 and len(later) == 7 and abs(int(year) - int(day[:4])) <= 1
    assert results("date_shift", {"max_days": 30}, ["1971", "1971-04"], subjects=subjects) == [..., ...]


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_times_as_numbers_are_cut(unit, scale):
    """A number since 1970 becomes the beginning of its period, in its unit and of its kind; what is no time is refused."""
    facts, second = FieldFacts("f", unit=unit), 1_710_498_659  # 2024-03-15T10:30:59Z, a Friday
    told = {
        "hour": 1_710_496_800,
        "day": 1_710_460_800,
        "week": 1_710_115_200,
        "month": 1_709_251_200,
        "quarter": 1_704_067_200,
        "year": 1_704_067_200,
    }
    for level, begun in told.items():
        assert results("generalize", {"date": level}, [str(second * scale)], N, facts) == [(str(begun * scale), True)]
        assert results("generalize", {"date": level}, [str(second * scale), "", "x"], S, facts) == [
            (str(begun * scale), False),
            ("", False),
            ...,
        ]
    assert results("generalize", {"date": "year"}, [str(-scale)], N, facts) == [(str(-31_536_000 * scale), True)]
    assert results("generalize", {"date": "day"}, ["1e300", "99" * 20, None], N, facts) == [..., ..., (None, False)]


def test_times_as_numbers_are_shifted():
    """A number since 1970 is moved by whole days, as a date of the same person is; the time of day stays unless it is not to."""
    ring, subjects = KeyRing.new(), pa.array(["p"] * 2)
    date, _ = results("date_shift", {"max_days": 30}, ["2024-03-15", ""], subjects=subjects, ring=ring)
    days = (np.datetime64(date[0]) - np.datetime64("2024-03-15")).astype(int)
    facts = FieldFacts("f", unit="ms")
    moved = results("date_shift", {"max_days": 30}, ["1710498659123", "x"], N, facts, subjects, ring)
    assert moved == [(str(1_710_498_659_123 + days * 86_400_000), True), ...]
    moved = results("date_shift", {"max_days": 30, "keep_time": False}, ["1710498659123"], N, facts, subjects, ring)
    assert moved == [(str(1_710_460_800_000 + days * 86_400_000), True)]
    assert results("date_shift", {"max_days": 30}, ["1710498659123"], N, subjects=subjects) == [...]


def test_what_comes_round_again():
    """The hour of the day and the day of the week, of texts in the value's own zone and of numbers in UTC; what has none is refused."""
    texts = ["2024-03-15T10:30:59+02:00", "2024-03-17 23:00", "2024-03-18", "x", "", None]
    hours = [one if one is ... else one[0] for one in results("generalize", {"date": "hour_of_day"}, texts)]
    days = [one if one is ... else one[0] for one in results("generalize", {"date": "weekday"}, texts)]
    assert hours == ["10", "23", ..., ..., "", None] and days == ["5", "7", "1", ..., "", None]
    facts = FieldFacts("f", unit="s")
    assert results("generalize", {"date": "hour_of_day"}, ["1710498659", "-1", "x"], N, facts) == [("10", False), ("23", False), ...]
    assert results("generalize", {"date": "weekday"}, ["1710498659", "-1"], N, facts) == [("5", False), ("3", False)]


def test_age_on_a_day():
    """A date of birth becomes the years that were completed on the day, or their range or label; no date, or a later one, is refused."""
    texts = ["1990-06-15", "1990-06-16", "1990-06-15T23:00:00Z", "2024-06-15", "2024-06-16", "1900-02-29", "90", "", None, "0001-01-01"]
    told = results("generalize", {"age_on": "2024-06-15"}, texts)
    assert told == [("34", True), ("33", True), ("34", True), ("0", True), ..., ..., ..., ("", False), (None, False), ("2023", True)]
    told = results(
        "generalize",
        {"age_on": "2024-06-15", "width": 10, "max": 89, "label": "90+"},
        texts,
        facts=FieldFacts("f", domain=("1900-01-01", "2024-12-31")),
    )
    assert [one if one is ... else one[0] for one in told] == ["30-39", "30-39", "30-39", "0-9", ..., ..., ..., "", None, "90+"]
    import datetime

    drawn = [datetime.date(1920, 1, 1) + datetime.timedelta(days=37 * n) for n in range(1_000)]
    day = datetime.date(2024, 2, 29)
    ages = [day.year - born.year - ((day.month, day.day) < (born.month, born.day)) for born in drawn]
    told = results("generalize", {"age_on": day}, [born.isoformat() for born in drawn])
    assert told == [... if born > day else (str(age), True) for born, age in zip(drawn, ages, strict=True)]
    for wrong in ("2024-13-01", 5, "today"):
        with pytest.raises(ValueError, match="must be a date"):
            registry.get("generalize").params.model_validate({"age_on": wrong})
