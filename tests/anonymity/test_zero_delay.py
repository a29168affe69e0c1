"""z-anonymity: every value leaves at once, as finely as enough people showed it lately."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.anonymity.dimensions import HierarchyDimension, NumberDimension, PrefixDimension
from flink_masking.anonymity.ladder import climb, rungs
from flink_masking.anonymity.shown import FORMAT
from flink_masking.anonymity.space import Space
from flink_masking.anonymity.zero_delay import ZeroDelayLogic, schema
from flink_masking.errors import InputError
from flink_masking.hierarchy import Hierarchy
from flink_masking.logic import Effects, Logic

CITIES = Hierarchy([("Boston", "MA", "*"), ("Salem", "MA", "*"), ("Albany", "NY", "*")], "cities")
SPACE = Space({"age": NumberDimension(0, 99, categories=True), "city": HierarchyDimension(CITIES), "zip": PrefixDimension(2)})
ZIPS = [int.from_bytes(text) for text in (b"94", b"95", b"10")]
WINDOW = 100
Row = tuple[int, int, int, int, int | None]
"""Person, age, city, zip, released value (None: missing)."""
some_rows = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, 2, 50, 199]), st.integers(0, 2), st.integers(0, 2),
                               st.one_of(st.none(), st.integers(0, 1))), max_size=8)
steps = st.lists(st.tuples(some_rows, st.integers(-10, 60), st.booleans()), max_size=8)


def batch_of(some: list[Row]) -> pa.RecordBatch:
    """A packed batch."""
    codes = [np.array([row[1] for row in some], np.uint16), np.array([row[2] for row in some], np.uint16),
             np.array([ZIPS[row[3]] for row in some], np.uint64)]
    values = [row[4] for row in some]
    columns = [*codes, np.array([row[0] for row in some], np.uint64), np.array([0 if v is None else v + 7 for v in values], np.uint64)]
    raw = pa.array([None if v is None else b"%d" % v for v in values], pa.binary())
    return pa.RecordBatch.from_arrays([*map(pa.array, columns), raw], schema=schema(SPACE, 1))


class InOrder(np.random.Generator):
    """A generator that leaves lines in their order."""

    def permutation(self, x, axis=0):
        """No permutation."""
        return np.arange(x)


def fresh(z: int = 2, most: int = 1_000) -> ZeroDelayLogic:
    """A logic whose lines keep their order within a call."""
    return ZeroDelayLogic(SPACE, ['v'], z, WINDOW, most, InOrder(np.random.PCG64(0)))


def lines(effects: Effects) -> list[dict[str, object]]:
    """The released records."""
    return [json.loads(line) for chunk in effects.outputs for line in chunk.split(b"\n")]


class Model:
    """The same by plain dictionaries without a bound."""

    def __init__(self, z: int) -> None:
        """Nobody showed anything."""
        self.z = z
        self.shown: dict[tuple[object, ...], dict[int, int]] = defaultdict(dict)

    def may(self, key: tuple[object, ...], person: int, now: int) -> bool:
        """Note a value; whether z people showed it in the window."""
        self.shown[key][person] = now
        return sum(time > now - WINDOW for time in self.shown[key].values()) >= self.z

    def line(self, row: Row, now: int) -> dict[str, object]:
        """What is released of a record."""
        person, age, city, place, value = row
        found: dict[str, object] = {}
        for name, dimension, code in zip(SPACE.names, SPACE.dimensions, (age, city, ZIPS[place]), strict=True):
            forms = [tuple(int(x[0]) for x in climb(dimension, np.array([code], dimension.dtype), r)) for r in range(rungs(dimension))]
            passing = [self.may((name, r, form), person, now) for r, form in enumerate(forms)]
            low, high = forms[passing.index(True)] if True in passing else (0, dimension.top)
            found[name] = dimension.label(low, high)
        if value is not None:
            found["v"] = value if self.may(("v", value), person, now) else None
        return found


@settings(max_examples=60)
@given(steps=steps, z=st.integers(2, 3))
def test_what_is_released_is_what_enough_people_showed(steps: list, z: int):
    """Restored after any call, a logic releases what a model says that sees everything; its state equals the uninterrupted one's."""
    one, other, model, now, clock = fresh(z), fresh(z), Model(z), 0, -(1 << 62)
    for some, passed, crash in steps:
        now += passed
        clock = max(clock, now) if some else clock
        effects = [logic.on_batch(batch_of(some), now) for logic in (one, other)]
        assert effects[0] == effects[1]
        assert [model.line(row, clock) for row in some] == lines(effects[0])
        assert one.snapshot() == other.snapshot()
        if crash:
            state, other = other.snapshot(), fresh(z)
            other.restore(state)
            assert other.snapshot() == state


def test_one_person_makes_nothing_common():
    """However often one person shows a value, it is not released."""
    effects = fresh().on_batch(batch_of([(1, 50, 0, 0, 1)] * 20), 0)
    assert {(line["age"], line["city"], line["zip"], line["v"]) for line in lines(effects)} == {("*", "*", "*", None)}
    assert effects.counts == {"released": 20, "suppressed": 0, "values_withheld": 20}


def test_a_value_goes_out_of_use():
    """What nobody else showed within the window is not released any more."""
    logic = fresh()
    logic.on_batch(batch_of([(1, 50, 0, 0, 1)]), 0)
    assert lines(logic.on_batch(batch_of([(2, 50, 0, 0, 1)]), WINDOW - 1))[0]["v"] == 1
    assert lines(logic.on_batch(batch_of([(3, 50, 0, 0, 1)]), 2 * WINDOW - 1))[0]["v"] is None


def size(logic: ZeroDelayLogic) -> int:
    """Bytes of all entries of the state."""
    return sum(map(len, logic.snapshot().values()))


def test_a_batch_writes_what_it_changed():
    """However many values are remembered, a call writes those that it was shown; the sum of the writes is the state."""
    logic, entries = fresh(most=200_000), {}
    for effects in (logic.on_batch(batch_of([(p, p % 100, p % 3, p % 3, v) for p, v in enumerate(range(10_000))]), 0),
                    *(logic.on_batch(batch_of([(1, 50, 0, 0, 7), (2, 50, 0, 0, 9)]), now) for now in range(1, 300))):
        written = {name: blob for name, blob in effects.writes.items() if blob is not None}
        entries = {name: blob for name, blob in (entries | effects.writes).items() if blob is not None}
    assert entries == logic.snapshot() and size(logic) > 400_000
    assert sum(map(len, written.values())) < 2_000
    assert len(entries) < 300
    other = fresh(most=200_000)
    other.restore(entries)
    again = [one.on_batch(batch_of([(p, p % 100, p % 3, p % 3, p) for p in range(50)]), 750) for one in (logic, other)]
    assert again[0] == again[1] and logic.snapshot() == other.snapshot()


def test_the_state_of_earlier_releases_is_read():
    """The table that a release wrote as one entry is taken over, and written in entries of today's from the next call on."""
    logic, old = fresh(), (Path(__file__).parent / "shown_1.arrow").read_bytes()
    logic.restore({"shown": old})
    assert logic.snapshot() == {"shown": old}
    effects = logic.on_batch(batch_of([(6, 7, 1, 1, 2), (6, 50, 1, 1, 1)]), 1_250)
    assert [(line["age"], line["v"]) for line in lines(effects)] == [("7", 2), ("48-63", None)]
    assert effects.writes == logic.snapshot() and effects.writes["shown"].startswith(b"z-anonymity 2")
    other = fresh()
    other.restore(logic.snapshot())
    assert other.snapshot() == logic.snapshot()


def test_the_state_is_bounded():
    """No more values are remembered than allowed; those that find no room are withheld, until old ones have left the window."""
    logic = fresh(most=12)
    for now in range(50):
        logic.on_batch(batch_of([(now, now, now % 3, now % 3, now % 2)]), now)
    for now in range(50, 500):
        logic.on_batch(batch_of([(now, now % 100, now % 3, now % 3, now % 2)]), now)
    assert size(logic) <= 256 * (len(FORMAT) + 1 + 12 * 5 * 8) + 200  # the entries after which all is written anew, each of all values
    lines_of_late = [lines(logic.on_batch(batch_of([(p, 50, 0, 0, 1)]), 5_000 + p))[0] for p in range(2)]
    assert lines_of_late[1] == {"age": "50", "city": "Boston", "zip": "94", "v": 1}


def test_states_of_others_are_refused():
    """Damaged state, state of other settings or of another version is an error with a hint."""
    logic: Logic = fresh()
    logic.on_batch(batch_of([(1, 50, 0, 0, 1)]), 0)
    state = logic.snapshot()
    damaged = [state | {"shown": state["shown"][:12]}, state | {"shown:0": state["shown:0"][:-3]}, state | {"shown:0": b""}]
    later = state | {"shown": state["shown"].replace(b"z-anonymity 2", b"z-anonymity 3")}
    for entries, stranger in [*((entries, fresh()) for entries in (*damaged, later)), (state, fresh(z=3)), (state, fresh(most=2))]:
        with pytest.raises(InputError, match="Hint: "):
            stranger.restore(entries)
    assert logic.on_end().writes == {"shown": None, "shown:0": None} and logic.snapshot() == {}
    with pytest.raises(InputError, match="Hint: "):
        logic.on_batch(batch_of([(1, 50, 0, 0, 1)]).select(["q0"]), 0)


@pytest.mark.parametrize("dimension", SPACE.dimensions, ids=SPACE.names)
@given(data=st.data())
def test_a_form_covers_its_value_and_the_finer_form(dimension, data: st.DataObject):
    """Each rung of the ladder holds the one below it, and all values of a rung climb to the same one."""
    codes = [*range(100), 199, 299] if isinstance(dimension, NumberDimension) else ZIPS if dimension.dtype is np.uint64 else [0, 1, 2]
    code = np.array([data.draw(st.sampled_from(codes))], dimension.dtype)
    low, high = code, code
    for rung in range(rungs(dimension)):
        a, b = climb(dimension, code, rung)
        assert a[0] <= low[0] and high[0] <= b[0]
        assert all(climb(dimension, end.astype(dimension.dtype), rung)[0] == a for end in (a,))
        low, high = a, b
