"""date_shift: one shift a person, the form stays."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.date_shift import TECHNIQUE, DateShiftParams
from flink_masking.techniques.date_shift.kernels import civil_from_days
from flink_masking.techniques.date_shift.mask import output_domain, shifts
from flink_masking.techniques.masks import Context, Values

RING = KeyRing.new()


def rule_context(has_subject=True, keys=RING, path="birthDate"):
    """Where the rule stands."""
    return RuleContext(FieldFacts(path), keys, read=str, has_subject=has_subject)


def run(texts, subjects="p", keys=RING, rows=None, path="birthDate", **params):
    """Shifted dates (None where refused, as where null) and the refusals."""
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    n = len(column)
    rows = np.arange(n, dtype=np.int32) if rows is None else np.array(rows, np.int32)
    if isinstance(subjects, str):
        subjects = [subjects] * n
    context = Context(bytes(32), None if subjects is None else pa.array(subjects, pa.string()))
    mask = TECHNIQUE.make(DateShiftParams(**{"max_days": 30, **params}), rule_context(keys=keys, path=path))
    masked = mask(Values(column, np.zeros(n, np.int32), rows), context)
    masked.values.validate(full=True)
    refused = [False] * n if masked.refused is None else masked.refused.tolist()
    return masked.values.to_pylist(), refused


def moved(before, after):
    """Days between two dates in text."""
    return (dt.date.fromisoformat(after[:10]) - dt.date.fromisoformat(before[:10])).days


@given(st.lists(st.dates(dt.date(1, 3, 1), dt.date(9999, 10, 1)), max_size=20), st.text(max_size=10))
def test_all_dates_of_a_person_move_alike(dates, person):
    """Every date of one person moves by the same number of days, not zero, within the bound."""
    texts = [d.isoformat() for d in dates]
    made, refused = run(texts, person)
    assert not any(refused)
    days = {moved(b, a) for b, a in zip(texts, made, strict=True)}
    assert len(days) <= 1
    assert all(0 < abs(d) <= 30 for d in days)


def test_fields_and_streams_agree_and_domains_do_not():
    """Another field of the same domain moves alike; another domain or key moves on its own."""
    people = [f"p{i}" for i in range(200)]
    first = run(["2000-01-01"] * 200, people, max_days=3000)[0]
    assert run(["2000-01-01"] * 200, people, path="visits[*].day", max_days=3000)[0] == first
    assert sum(a == b for a, b in zip(first, run(["2000-01-01"] * 200, people, domain="x", max_days=3000)[0], strict=True)) < 5
    assert sum(a == b for a, b in zip(first, run(["2000-01-01"] * 200, people, keys=KeyRing.new(), max_days=3000)[0], strict=True)) < 5


@pytest.mark.parametrize(("tail", "cleared"), [
    ("", ""), ("T10:30", "T00:00"), (" 10:30", " 00:00"), ("T23:59:59", "T00:00:00"), ("T10:30:00.5", "T00:00:00.0"),
    ("T10:30:00.123456789012", "T00:00:00.000000000000"), ("T10:30Z", "T00:00Z"), ("T10:30:01Z", "T00:00:00Z"),
    (" 10:30:00.250+05:30", " 00:00:00.000+05:30"), ("T10:30-11:00", "T00:00-11:00"),
])
def test_the_form_stays(tail, cleared):
    """The time stays byte for byte, or becomes zeros without keep_time; the offset always stays."""
    plain, kept = run(["2024-02-28", "2024-02-28" + tail])[0]
    assert kept == plain + tail
    assert run(["2024-02-28" + tail], keep_time=False)[0] == [plain + cleared]


@pytest.mark.parametrize("text", [
    "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "0000-01-01", "24-01-01", "2024-1-1", "20240101",
    "2024-01-01T", "2024-01-01T1", "2024-01-01T10", "2024-01-01T24:00", "2024-01-01T10:60", "2024-01-01T10:00:60", "2024-01-01T10:00:",
    "2024-01-01T10:00:00.", "2024-01-01T10:00:00,5", "2024-01-01t10:00", "2024-01-01T10:00z", "2024-01-01T10:00+5",
    "2024-01-01T10:00+0530", "2024-01-01T10:00+24:00", "2024-01-01T10:00+05:60", "2024-01-01T10:00ZZ", "2024-01-01 ", " 2024-01-01",
    "2024/01/01", "2024-01-01x", "-2024-01-01", "x", "٢٠٢٤-٠١-٠١", "2024-W10-1", "2024-01-01T10:00:00.5.5", "2024-01-01TZ", "2024-01-0１",
])
def test_other_texts_are_refused(text):
    """A text that is no such date is refused, and nothing of it is in the result."""
    assert run([text, "2024-01-01"])[1] == [True, False]
    assert not run([text])[0][0]


def test_ends_of_the_calendar():
    """A result before year 1 or after 9999 is refused; the last days inside are not."""
    people = [f"p{i}" for i in range(100)]
    for edge in ("0001-01-01", "9999-12-31"):
        made, refused = run([edge] * 100, people)
        days = [moved("2000-01-01", d) for d in run(["2000-01-01"] * 100, people)[0]]
        assert refused == [(d < 0) == (edge == "0001-01-01") for d in days]
        assert all(output_domain(DateShiftParams(max_days=30)).contains(d) for d in made)


def test_no_subject_no_date():
    """A value whose record has no subject is refused; with no subjects at all every value is."""
    assert run(["2024-01-01", "2024-01-01", None, ""], ["p", None, None, None])[1] == [False, True, False, False]
    assert run(["2024-01-01", None, ""], None)[1] == [True, False, False]


def test_null_and_empty():
    """Null stays null and "" stays ""."""
    assert run([None, "", None]) == ([None, "", None], [False] * 3)


def test_rows_name_the_subject():
    """Several values of a row, and rows without the field, take the subject of their own row."""
    made, _ = run(["2000-01-01"] * 4, ["a", "b", "c"], rows=[0, 0, 2, 2], max_days=3000)
    alone = [run(["2000-01-01"], person, max_days=3000)[0][0] for person in "ac"]
    assert made == [alone[0], alone[0], alone[1], alone[1]]


def test_slices_change_nothing():
    """A batch cut in pieces gives the same dates."""
    column = pa.array(["2024-01-01", None, "", "x", "1999-12-31T10:00Z"] * 4)
    people = [f"p{i % 3}" for i in range(20)]
    whole = run(column, people)
    pieces = [run(column[i:i + 3], people[i:i + 3]) for i in range(0, 20, 3)]
    assert ([x for p in pieces for x in p[0]], [x for p in pieces for x in p[1]]) == whole


def test_shifts_cover_the_range_evenly():
    """Every shift from -max to max but zero comes equally often, the ends included."""
    days = shifts(np.random.default_rng(1).integers(0, 1 << 64, 60_000, np.uint64), 3)
    counts = {d: int((days == d).sum()) for d in range(-3, 4)}
    assert counts.pop(0) == 0
    assert all(9_500 < c < 10_500 for c in counts.values())
    assert shifts(np.array([0, (1 << 64) - 1], np.uint64), 36_500).tolist() == [-36_500, 36_500]


@given(st.dates())
def test_calendar_is_python_s(day):
    """Days since 1970 become the date that Python says."""
    assert civil_from_days((day - dt.date(1970, 1, 1)).days) == (day.year, day.month, day.day)


def test_needs_a_subject():
    """A policy without a subject is told so when it is compiled."""
    with pytest.raises(PolicyError, match=r"no subject.*Hint"):
        TECHNIQUE.make(DateShiftParams(max_days=3), rule_context(has_subject=False))


@pytest.mark.parametrize("params", [
    {}, {"max_days": 0}, {"max_days": 36_501}, {"max_days": "3"}, {"max_days": 3, "per": "record"}, {"max_days": 3, "domain": ""},
])
def test_wrong_parameters(params):
    """A bound outside 1 to 36,500 days and anything unknown are refused."""
    with pytest.raises(ValidationError):
        DateShiftParams(**params)


def test_output_domain():
    """The output domain has dates and date-times, with zeros for the time where it is not kept, and nothing else."""
    kept, cleared = (output_domain(DateShiftParams(**example)) for example in TECHNIQUE.examples)
    assert all(kept.contains(t) for t in ("2024-02-29", "2024-02-29 10:30:59.123+05:30", ""))
    assert not any(kept.contains(t) for t in ("2023-02-29", "0000-01-01", "2024-01-01T25:00", "2024-01-01x", "x", "***"))
    assert cleared.contains("2024-02-29T00:00:00.000Z")
    assert not cleared.contains("2024-02-29T00:00:01Z")
