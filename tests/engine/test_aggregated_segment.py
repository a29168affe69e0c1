"""Aggregated segments: groups as JSON, measures in their bounds, event times with offsets, what is refused.

The budget is a thousand million, so that noise is far below one unit.
"""

import json
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.ipc import from_ipc
from flink_masking.keys.sealer import Sealer

POLICY = """\
version: 1
stream: sums
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  zip: {class: quasi, prefix: 5}
  place: {class: plain}
  amount: {class: measure, bounds: [-10, 1000], scale: 2}
  sure: {class: measure, bounds: [0, 5], optional: false}
  at: {class: plain, type: datetime}
segments:
  sums:
    view: aggregated
    window: {tumbling: 1min}
    group_by: GROUPS
    metrics: {n: count, spend: {sum: amount}, mean: {mean: amount}, sure: {sum: sure}}
    privacy: {epsilon: 1000000000, delta: 0.1, max_groups_per_subject: 3, max_records_per_group: 3}
"""


def policy(groups="[]"):
    """The policy grouped as given."""
    return POLICY.replace("GROUPS", groups)


def records(count=30, **members):
    """The same record of `count` people; a member that is ... is left out."""
    rest = {"at": "2024-03-15T10:30:00Z", "sure": 1, "amount": 1, "place": "here", **members}
    rest = {name: value for name, value in rest.items() if value is not ...}
    return [json.dumps({"id": f"p{k}", **rest}, ensure_ascii=False).encode() for k in range(count)]


def contributions(done):
    """The packed columns of a run of one batch."""
    (packed,) = done.pieces[0].packed["sums"]
    return from_ipc(Sealer(done.plan.ring, "packed", "sums", (done.plan.policy.stream, "sums")).open(packed.blob))


@pytest.mark.parametrize("place", ["plain", '"quotes"', "\\back\\slash", "😀 Zürich", "\nbreak\ttab\x7f", "", "\u2028x"])
@pytest.mark.parametrize("group", ["place", "{place: {prefix: 1}}"])
def test_group_texts_are_json(run, place, group):
    """Whatever text a group is named by, its row is one line of valid JSON that holds it."""
    done = run(policy(f"[{group}]"), records(place=place))
    (line,) = done.released["sums"]
    row = orjson.loads(line)
    shown = place if group == "place" else place[:1] + "*" * len(place[1:])
    assert (row["place"], row["n"]) == (shown, 30) and b"\n" not in line


def test_one_text_is_one_group_however_it_is_escaped(run):
    """Two spellings of a text in JSON fall into one group, not into two rows with one name."""
    spelt = [row.replace(b'"here"', b'"h\\u0065re"') for row in records(30)]
    done = run(policy("[place]"), [*records(30)[:15], *spelt[15:]])
    assert [json.loads(line)["n"] for line in done.released["sums"]] == [30]


@pytest.mark.parametrize("place", [..., None, 7, True, 1.50])
@pytest.mark.parametrize("group", ["place", "{zip: {generalize: 2}}, place"])
def test_missing_groups_are_null_and_scalars_stay_scalars(run, place, group):
    """A record without a value counts under null; numbers and booleans name groups as they are."""
    done = run(policy(f"[{group}]"), records(place=place))
    (row,) = map(json.loads, done.released["sums"])
    assert row["place"] == (None if place is ... else place)
    assert row.get("zip") is None and row["n"] == 30


def test_groups_are_generalised(run):
    """A group key is published as its generalisation only."""
    rows = [row[:-1] + b',"zip":"941%02d"}' % (k % 100) for k, row in enumerate(records(40))]
    done = run(policy("[{zip: {generalize: 3}}]"), rows)
    assert [(row["zip"], row["n"]) for row in map(json.loads, done.released["sums"])] == [("941**", 40)]


@pytest.mark.parametrize(
    ("amount", "total"),
    [("5000", 1000), ("-11", -10), ("1e30", 1000), ("-99999999999999999999", -10), ("1e999", 1000), ("12.344", 12.34), ("12.346", 12.35),
     ("0.125", 0.12), ("1.5e1", 15), ("-0", 0), ("1000.004", 1000)],
)  # fmt: skip
def test_measures_are_clipped_and_rounded_never_refused(run, amount, total):
    """A number beyond the bounds counts as the bound, however large; finer decimals are rounded to the scale, halves to even."""
    done = run(policy(), [row.replace(b'"amount": 1', b'"amount": ' + amount.encode()) for row in records(30)])
    assert done.entries == {}
    (row,) = map(json.loads, done.released["sums"])
    assert row["spend"] == pytest.approx(30 * total) and row["mean"] == pytest.approx(total)


@pytest.mark.parametrize("amount", ["12", True, False])
def test_a_measure_of_another_type_goes_to_quarantine(run, amount):
    """A text or boolean where a number is declared breaks the contract, also when it looks like a number."""
    done = run(policy(), records(3, amount=amount))
    assert done.reasons == dict.fromkeys(range(3), ("out_of_domain", "amount"))


def test_missing_measures_count_as_records_without_a_value(run):
    """A record without an optional measure counts, and adds nothing to its sum and mean."""
    without = [row.replace(b'"p', b'"q', 1) for row in (*records(10, amount=None), *records(10, amount=...))]
    done = run(policy(), [*records(20, amount=4), *without])
    (row,) = map(json.loads, done.released["sums"])
    assert (row["n"], row["spend"], row["mean"]) == (40, 80, 4)


@pytest.mark.parametrize("sure", [..., None])
def test_a_measure_that_must_be_there_may_not_be_null(run, sure):
    """A mean over a field that every record has divides by the records, so a record without it is refused."""
    done = run(policy(), records(2, sure=sure))
    assert done.reasons == dict.fromkeys(range(2), ("missing_field", "sure"))


@given(
    moment=st.datetimes(datetime(1960, 1, 1), datetime(2024, 3, 15)),
    offset=st.sampled_from(["Z", "", "+00:00", "-05:00", "+05:30", "+14:00"]),
    separator=st.sampled_from("T "),
)
@settings(max_examples=30)
def test_event_times_with_offsets_are_instants(run, moment, offset, separator):
    """Times are read with their offset, without one as UTC, and a record falls into the window of its instant."""
    text = moment.isoformat(separator, "milliseconds") + offset
    done = run(policy(), records(2, at=text))
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    milliseconds = round((instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    assert contributions(done).column("time").to_pylist() == [milliseconds] * 2
    assert done.pieces[0].event_time == milliseconds


def test_the_event_time_of_a_batch_is_that_of_its_accepted_records(run):
    """A rejected record does not move the watermark; a batch without accepted records has no event time."""
    late, early = records(1, at="2024-03-15T10:30:00Z", amount="x"), records(1, at="2024-01-01")
    assert run(policy(), [*late, *early]).pieces[0].event_time == 1_704_067_200_000
    assert run(policy(), late).pieces[0].event_time is None


def test_windows_are_of_event_time(run):
    """Records fall into the tumbling window of their instant, and a row names its bounds in UTC."""
    times = ["2024-03-15T10:30:59.999Z", "2024-03-15T10:31:00Z", "2024-03-15T12:31:30+02:00"]
    done = run(policy(), [row for k, at in enumerate(times) for row in records(20 + k, at=at)])
    rows = [json.loads(line) for line in done.released["sums"]]
    assert [(row["window_start"], row["window_end"]) for row in rows] == [
        ("2024-03-15T10:30:00Z", "2024-03-15T10:31:00Z"), ("2024-03-15T10:31:00Z", "2024-03-15T10:32:00Z")]
    assert [row["n"] for row in rows] == [20, 43]


def test_event_times_in_milliseconds(run):
    """A field of type number holds milliseconds since 1970; text, fractions and times beyond all windows go to quarantine."""
    text = policy().replace("at: {class: plain, type: datetime}", "at: {class: plain, type: number}")
    good = records(3, at=1710498600000)
    bad = [record for at in ("2024-03-15T10:30:00Z", 1.5, 10**17, True) for record in records(1, at=at)]
    done = run(text, good + bad)
    assert contributions(done).column("time").to_pylist() == [1710498600000] * 3
    assert done.pieces[0].quarantined == len(bad)
