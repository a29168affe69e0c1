"""The anonymizing step as a whole: lines, accounts, timers, state."""

import json
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.anonymity.buffer import Buffer
from flink_masking.anonymity.dimensions import HierarchyDimension, NumberDimension, PrefixDimension
from flink_masking.anonymity.logic import KAnonymityLogic, pack, schema
from flink_masking.anonymity.models import Distance, DistinctL, Models, TCloseness
from flink_masking.anonymity.models.t_closeness import MOST
from flink_masking.anonymity.mondrian import WindowMondrian
from flink_masking.anonymity.price import record_bytes
from flink_masking.anonymity.slide_grow import USUAL_PREFERENCE, SlideGrow
from flink_masking.anonymity.space import Space
from flink_masking.errors import InputError
from flink_masking.hierarchy import Hierarchy
from flink_masking.ipc import to_ipc
from flink_masking.logic import Effects, Logic
from flink_masking.records.kinds import Kind

CITIES = Hierarchy([("Boston", "MA", "*"), ("Salem", "MA", "*"), ("Albany", "NY", "*"), ("Reno \"Biggest\"", "N\\V", "*")], "cities")
SPACE = Space({"age": NumberDimension(0, 120), "city": HierarchyDimension(CITIES), "zip": PrefixDimension(5)})
ZIPS = ("94110", "94117", "94", "10001", "60606")

Person = tuple[int, int, int, int, int]
"""Person, age, city, zip, sensitive value: numbers of each."""


def batch_of(people: list[Person], first: int, diverse: bool = False) -> pa.RecordBatch:
    """A packed batch; the released member of a record is its number."""
    columns = ([str(p[1]) for p in people], [CITIES.leaves[p[2]] for p in people], [ZIPS[p[3]] for p in people])
    kinds = (Kind.NUMBER, Kind.STRING, Kind.STRING)
    codes = [dimension.encode(pa.array(column, pa.string()), np.full(len(people), kind, np.int32))[0]
             for dimension, column, kind in zip(SPACE.dimensions, columns, kinds, strict=True)]
    release = pa.array([b'"n":%d,"amount":12.50' % (first + i) for i in range(len(people))], pa.binary())
    subjects, sensitive = (np.array([p[i] for p in people], np.uint64) for i in (0, 4))
    return pack(SPACE, codes, subjects, [sensitive] if diverse else [], release)


Make = Callable[..., Buffer]
CLOSE = Models([DistinctL(0, 2), TCloseness(0, 0.6, Distance.equal(MOST))])
"""Two models on one attribute that comes as hashes, one of which compares with everything seen."""


def rare_first(space: Space, k: int, models: Models, max_buffer: int, max_delay: int | None) -> SlideGrow:
    """Slide-grow as anonymized segments use it."""
    return SlideGrow(space, k, models, max_buffer, max_delay, USUAL_PREFERENCE)


def fresh(k: int = 3, l: int = 1, max_buffer: int = 10, max_delay: int | None = 50, seed: int = 0, space: Space = SPACE,  # noqa: E741
          make: Make = SlideGrow, models: Models | None = None) -> KAnonymityLogic:
    """A logic with its own generator; with the models `CLOSE` the sensitive attribute has no declared domain."""
    rules = models or Models([DistinctL(0, l)] if l > 1 else [])
    generator = np.random.default_rng(seed)
    return KAnonymityLogic(space, rules, lambda: make(space, k, rules, max_buffer, max_delay), max_delay, generator,
                           [0] if rules is CLOSE else [])


def lines(calls: list[Effects]) -> list[dict[str, object]]:
    """All released records."""
    return [json.loads(line) for call in calls for chunk in call.outputs for line in chunk.split(b"\n")]


def total(calls: list[Effects], name: str) -> int:
    """A count over all calls."""
    return sum(call.counts.get(name, 0) for call in calls)


def shape(effects: Effects) -> tuple[object, ...]:
    """An effect up to the order of lines within the call."""
    return [sorted(chunk.split(b"\n")) for chunk in effects.outputs], effects.counts, effects.writes


def covers(label: str, age: int) -> bool:
    """Whether a released age range covers an age."""
    low, _, high = label.partition("-")
    return label == "*" or int(low) <= age <= int(high or low)


def check(people: list[Person], calls: list[Effects], k: int, l: int = 1) -> None:  # noqa: E741
    """Each record is released once or suppressed, labels cover, every class of the output has k people and l values."""
    released = lines(calls)
    numbers = [line["n"] for line in released]
    assert len(set(numbers)) == len(numbers) == total(calls, "released")
    assert len(numbers) + total(calls, "suppressed") == len(people)
    classes = defaultdict(list)
    for line in released:
        person, age, city, zip_code, sensitive = people[line["n"]]
        assert list(line) == ["age", "city", "zip", "n", "amount"]
        assert covers(line["age"], age)
        assert line["city"] in (*CITIES.paths[city], "*")
        assert line["zip"] == ZIPS[zip_code] or (line["zip"].endswith("*") and ZIPS[zip_code].startswith(line["zip"].rstrip("*")))
        classes[line["age"], line["city"], line["zip"]].append((person, sensitive))
    for members in classes.values():
        assert len({person for person, _ in members}) >= k
        assert len({sensitive for _, sensitive in members}) >= l


someone = st.tuples(st.integers(0, 8), st.integers(0, 120), st.integers(0, 3), st.integers(0, 4), st.integers(0, 2))
steps = st.lists(st.tuples(st.lists(someone, max_size=12), st.integers(-5, 40), st.booleans(), st.booleans()), max_size=8)


@pytest.mark.parametrize("models", [None, CLOSE], ids=["l", "l and t"])
@pytest.mark.parametrize("make", [SlideGrow, rare_first, WindowMondrian])
@settings(max_examples=30)
@given(steps=steps, k=st.integers(2, 4), l=st.integers(1, 2))
def test_a_restored_logic_continues_as_if_nothing_had_happened(make: Make, models: Models | None, steps: list, k: int, l: int):  # noqa: E741
    """With any batches, timers and clocks, and restored from its writes at any point, the same groups leave in the same calls."""
    l = 2 if models else l  # noqa: E741
    one, other = (fresh(k, l, make=make, models=models) for _ in range(2))
    state: dict[str, bytes] = {}
    people: list[Person] = []
    calls, now = [], 0
    for some, passed, timer, crash in steps:
        now += passed
        results = [logic.on_timer(now) if timer else logic.on_batch(batch_of(some, len(people), l > 1), now) for logic in (one, other)]
        people += [] if timer else some
        assert shape(results[0]) == shape(results[1])
        calls.append(results[0])
        for name, entry in results[1].writes.items():
            state[name] = entry
        assert state == one.snapshot() == other.snapshot()
        assert one.next_timer() == other.next_timer()
        if crash:
            other = fresh(k, l, seed=9, make=make, models=models)
            other.restore(state)
    ends = one.on_end(), other.on_end()
    assert shape(ends[0]) == shape(ends[1])
    assert {} == one.snapshot() == other.snapshot()
    assert ends[0].writes == ({"buffer": None} if state else {})
    assert one.next_timer() is None
    check(people, [*calls, ends[0]], k, l)


def stream(people: list[Person], k: int, l: int = 1, size: int = 100, max_buffer: int = 60, seed: int = 0) -> list[Effects]:  # noqa: E741
    """A whole stream at one moment, in batches of one size."""
    logic = fresh(k, l, max_buffer, seed=seed)
    calls = [logic.on_batch(batch_of(people[i : i + size], i, l > 1), 0) for i in range(0, len(people), size)]
    return [*calls, logic.on_end()]


def crowd(n: int, people: int, seed: int = 1) -> list[Person]:
    """n records of so many people, spread unevenly."""
    rng = np.random.default_rng(seed)
    ages = np.clip(rng.normal(45, 20, n), 0, 120)
    columns = (rng.zipf(1.3, n) % people, ages, rng.integers(0, 4, n), rng.integers(0, 5, n), rng.integers(0, 3, n))
    return list(zip(*(column.astype(int).tolist() for column in columns), strict=True))


@pytest.mark.parametrize(("people", "k", "l", "least"), [
    (crowd(2_000, 2_000), 5, 1, 1_900),
    (crowd(2_000, 300), 5, 2, 1_500),
    ([(i if i % 100 == 0 else 1, 40, 1, 1, 0) for i in range(1_000)], 3, 1, 1),
    ([(i, 40, 1, 1, 0) for i in range(1_000)], 10, 1, 1_000),
    ([(i % 4, i % 100, 1, 1, 0) for i in range(500)], 5, 1, 0),
    ([(i, i % 100, 1, 1, 0) for i in range(500)], 5, 2, 0),
    ([(i, 40, 1, 1, 0) for i in range(4)], 5, 1, 0),
], ids=["many people", "few people, two values", "one person sends 99 %", "all the same", "fewer than k people", "one sensitive value",
        "too few records"])
def test_every_class_of_the_output_has_k_people(people: list[Person], k: int, l: int, least: int):  # noqa: E741
    """Whoever sends how much: classes of k people and l values, each record released once or suppressed, and no needless suppression."""
    calls = stream(people, k, l, max_buffer=500)
    check(people, calls, k, l)
    assert total(calls, "released") >= least
    assert least or total(calls, "released") == 0


def test_the_batch_size_changes_nothing():
    """The same records in batches of any size give the same lines."""
    people = crowd(300, 100)
    outputs = [sorted(map(str, lines(stream(people, 4, size=size)))) for size in (1, 33, 300)]
    assert outputs[0] == outputs[1] == outputs[2]


def test_lines_are_shuffled_and_nothing_else():
    """Another generator gives the same lines of each call in another order, which is not that of arrival."""
    people = crowd(400, 400)
    first, second = (stream(people, 4, seed=seed) for seed in (1, 2))
    assert [shape(call) for call in first] == [shape(call) for call in second]
    assert lines(first) != lines(second)
    numbers = [line["n"] for line in lines(first[:1])]
    assert numbers != sorted(numbers)


def test_an_idle_stream_drains_by_timer():
    """The timer is due max_delay after the oldest arrival; then what forms groups leaves, and the rest waits for its own time."""
    logic = fresh(k=2)
    logic.on_batch(batch_of([(1, 30, 0, 0, 0), (2, 31, 0, 0, 0)], 0), 1_000)
    logic.on_batch(batch_of([(3, 90, 3, 4, 0)], 2), 1_020)
    assert logic.next_timer() == 1_050
    assert logic.on_timer(1_049) == Effects()
    assert [line["n"] for line in lines([logic.on_timer(1_050)])] in ([0, 1], [1, 0])
    assert logic.next_timer() == 1_070
    assert logic.on_timer(1_070).counts == {"released": 0, "suppressed": 1, "groups": 0, "suppressed_people": 1}
    assert logic.next_timer() is None
    assert (logic.next_watermark(), logic.on_watermark(10**15)) == (None, Effects())


def test_without_a_time_limit_there_is_no_timer():
    """With max_delay None only the buffer and the end let records go."""
    logic = fresh(max_delay=None)
    logic.on_batch(batch_of(crowd(5, 5), 0), 0)
    assert logic.next_timer() is None
    assert logic.on_timer(1 << 50) == Effects()


def test_never_more_than_max_buffer_is_held():
    """After every batch at most max_buffer records are held, and the state does not grow with what has left."""
    logic, people, sizes = fresh(k=3, max_buffer=20), crowd(3_000, 3_000), []
    for i in range(0, 3_000, 100):
        effects = logic.on_batch(batch_of(people[i : i + 100], i), 0)
        with pa.ipc.open_stream(effects.writes["buffer"]) as reader:
            assert reader.read_next_batch().num_rows <= 20
        sizes.append(len(effects.writes["buffer"]))
    assert max(sizes) < 4_000


def test_lines_are_valid_json_byte_for_byte():
    """Labels are escaped, released members stay as they came, and a record without any ends after its labels."""
    logic = fresh(k=2)
    batch = batch_of([(1, 30, 3, 0, 0), (2, 30, 3, 0, 0)], 0)
    release = pa.array([b"", b'"x":1.50e0'], pa.binary())
    logic.on_batch(pa.RecordBatch.from_arrays([*batch.columns[:-1], release], schema=schema(SPACE, 0)), 0)
    chunk = logic.on_end().outputs[0]
    head = b'{"age":"30","city":"Reno \\"Biggest\\"","zip":"94110"'
    assert sorted(chunk.split(b"\n")) == sorted([head + b"}", head + b',"x":1.50e0}'])


def test_nothing_of_a_suppressed_record_leaves():
    """A suppressed record leaves no trace in any output or count but one."""
    logic = fresh(k=2)
    effects = [logic.on_batch(batch_of([(1, 99, 3, 4, 0)], 7), 0), logic.on_end()]
    assert [call.outputs for call in effects] == [[], []]
    assert effects[1].counts == {"released": 0, "suppressed": 1, "groups": 0, "suppressed_people": 1}


@pytest.mark.parametrize("spoil", [
    lambda batch: batch.select(["q0", "q1", "subject", "release"]),
    lambda batch: batch.set_column(0, "q0", pa.array([121] * batch.num_rows, pa.uint16())),
    lambda batch: batch.set_column(4, "release", pa.array([None] * batch.num_rows, pa.binary())),
], ids=["a column is missing", "outside the domain", "null"])
def test_foreign_batches_are_refused(spoil):
    """A batch that is not of this segment is an error that changes nothing."""
    logic = fresh()
    with pytest.raises(InputError, match="Hint: "):
        logic.on_batch(_same_nullability(spoil(batch_of(crowd(3, 3), 0))), 0)
    assert {} == logic.snapshot()


def _same_nullability(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with fields that are not nullable, as in the schema."""
    return pa.RecordBatch.from_arrays(batch.columns, schema=pa.schema([field.with_nullable(False) for field in batch.schema]))


@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_damaged_state_is_refused(cut: float):
    """A state that was cut anywhere is an error, not a smaller buffer."""
    logic = fresh()
    logic.on_batch(batch_of(crowd(9, 9), 0), 0)
    entry = logic.snapshot()["buffer"]
    body = entry[: int(cut * (len(entry) - 8))]  # the last eight bytes only mark the end of the stream
    with pytest.raises(InputError, match="Hint: "):
        fresh().restore({"buffer": body})


def test_the_state_of_another_segment_is_refused():
    """State is bound to the quasi-identifiers and to whether there is a sensitive field."""
    logic = fresh()
    logic.on_batch(batch_of(crowd(9, 9), 0), 0)
    other = Space({"age": NumberDimension(0, 121), "city": SPACE.dimensions[1], "zip": SPACE.dimensions[2]})
    for stranger in (fresh(space=other), fresh(l=2)):
        with pytest.raises(InputError, match="Hint: "):
            stranger.restore(logic.snapshot())


def test_the_state_of_the_first_format_is_taken_over():
    """A buffer that the first release wrote goes on as if it had been written today."""
    people = crowd(40, 40)
    logic, old = fresh(), fresh()
    logic.on_batch(batch_of(people[:9], 0), 0)
    with pa.ipc.open_stream(logic.snapshot()["buffer"]) as reader:
        batch = reader.read_next_batch()
    facts = {name: batch.schema.metadata[name] for name in (b"space", b"next", b"clock")} | {b"format": b"k-anonymity 1"}
    old.restore({"buffer": to_ipc(batch.replace_schema_metadata(facts))})
    later = batch_of(people[9:], 9)
    assert shape(logic.on_batch(later, 10)) == shape(old.on_batch(later, 10))


@pytest.mark.parametrize(("number", "word"), [(b"3", "newer"), (b"99", "newer"), (b"0", "no longer"), (b"x", "damaged")])
def test_the_state_of_another_format_is_refused(number: bytes, word: str):
    """State from a newer version, or one that is no longer read, is refused with what to do."""
    logic = fresh()
    logic.on_batch(batch_of(crowd(9, 9), 0), 0)
    with pa.ipc.open_stream(logic.snapshot()["buffer"]) as reader:
        batch = reader.read_next_batch()
    facts = {**batch.schema.metadata, b"format": b"k-anonymity " + number}
    with pytest.raises(InputError, match=f"{word}.*Hint: restore"):
        fresh().restore({"buffer": to_ipc(batch.replace_schema_metadata(facts))})


def test_the_state_of_another_algorithm_or_model_is_refused():
    """A buffer is not moved between segments that promise different things."""
    logic = fresh(l=2)
    logic.on_batch(batch_of(crowd(9, 9), 0, True), 0)
    for stranger in (fresh(l=3), fresh(models=CLOSE)):
        with pytest.raises(InputError, match="Hint: "):
            stranger.restore(logic.snapshot())


def test_a_late_record_waits_for_its_own_group():
    """A record that comes after its look-alikes have left joins no group that was published, and leaves with people of its own."""
    logic = fresh(k=2)
    logic.on_batch(batch_of([(1, 30, 0, 0, 0), (2, 30, 0, 0, 0)], 0), 0)
    assert len(lines([logic.on_timer(50)])) == 2
    logic.on_batch(batch_of([(3, 30, 0, 0, 0)], 2), 60)
    assert logic.next_timer() == 110
    assert logic.on_timer(110).counts["suppressed"] == 1


def test_memory_is_reckoned_as_high_as_it_is():
    """What `check` says a record takes covers the arrays of a full buffer and the state entry."""
    logic = fresh(k=5, max_buffer=3_000, max_delay=None)
    effects = [logic.on_batch(batch_of(crowd(1_000, 1_000, seed), 1_000 * seed), 0) for seed in range(3)]
    held = logic._buffer._held
    arrays = sum(column.nbytes for column in held) + sum(column.nbytes for column in logic._buffer._left)
    assert arrays + len(effects[-1].writes["buffer"]) <= 3_000 * record_bytes(SPACE, 0)


def test_an_untouched_logic_ends_quietly():
    """A logic that has seen nothing has nothing to say at the end and no state to delete."""
    logic: Logic = fresh()
    assert logic.on_end() == Effects([], {"released": 0, "suppressed": 0, "groups": 0}, {})
