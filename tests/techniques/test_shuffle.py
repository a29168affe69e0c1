"""shuffle: values change places and stay what they are."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.shuffle import TECHNIQUE, ShuffleParams
from flink_masking.techniques.shuffle.mask import cycle

RING = KeyRing.ephemeral()
MANY = [f"v{i}" for i in range(40)]


def run(texts, kinds=None, rows=None, seed=bytes(32), path="f", fields=None, **params):
    """Masked values (None where refused or null, bytes for literals), refusals and the array's type."""
    n = len(texts)
    kinds = [Kind.NULL if text is None else Kind.STRING for text in texts] if kinds is None else kinds
    rows = np.arange(n, dtype=np.int32) if rows is None else np.array(rows, np.int32)
    fields = {} if fields is None else fields
    mask = TECHNIQUE.make(ShuffleParams(**params), RuleContext(FieldFacts(path), RING, read=str))
    context = Context(seed, rows_of=lambda name: np.array(fields[name], np.int32))
    masked = mask(Values(pa.array(texts, pa.string()), np.array(kinds, np.int32), rows), context)
    masked.values.validate(full=True)
    refused = [False] * n if masked.refused is None else masked.refused.tolist()
    literal = [False] * n if masked.literal is None else masked.literal.tolist()
    pairs = zip(literal, masked.values.to_pylist(), strict=True)
    values = [value.encode() if other and value is not None else value for other, value in pairs]
    return values, refused, masked.values.type


@given(st.lists(st.none() | st.text(max_size=3), max_size=60), st.binary(min_size=32, max_size=32))
def test_values_are_kept_or_all_refused(texts, seed):
    """The same values come out, null and "" in their places; or, with too few distinct ones, every value is refused."""
    values, refused, kind = run(texts, seed=seed, min_distinct=3)
    there = [text is not None and text != "" for text in texts]
    assert kind == pa.string()
    if len({text for text in texts if text}) < 3:
        assert refused == there
        assert values == [None if moves else text for text, moves in zip(texts, there, strict=True)]
    else:
        assert not any(refused)
        assert Counter(values) == Counter(texts)
        assert all(value == text for value, text, moves in zip(values, texts, there, strict=True) if not moves)


def test_no_value_keeps_its_place():
    """With distinct values every row gets another row's value."""
    for seed in range(20):
        values, _, _ = run(MANY, seed=bytes([seed]) * 32)
        assert all(value != text for value, text in zip(values, MANY, strict=True))


def test_new_in_every_batch_and_field():
    """Another seed and another field give another order; the same seed and field the same."""
    first = run(MANY)[0]
    assert run(MANY)[0] == first
    assert run(MANY, seed=b"x" * 32)[0] != first
    assert run(MANY, path="g")[0] != first


def test_every_source_is_equally_likely():
    """Each place gets each other place's value equally often, and the permutation is one cycle."""
    counts = np.zeros((5, 5), int)
    for seed in range(4_000):
        source = cycle(np.random.default_rng(seed), 5)
        counts[np.arange(5), source] += 1
        place, steps = source[0], 1
        while place != 0:
            place, steps = source[place], steps + 1
        assert steps == 5
    assert (np.diag(counts) == 0).all()
    off = counts[~np.eye(5, dtype=bool)]
    assert ((off - 1_000) ** 2 / 1_000).sum() < 60
    assert cycle(np.random.default_rng(0), 0).tolist() == []
    assert cycle(np.random.default_rng(0), 1).tolist() == [0]


@pytest.mark.parametrize(("distinct", "shuffled"), [(9, False), (10, True)])
def test_minimum_is_ten_distinct_values(distinct, shuffled):
    """Nine distinct values are too few by default, ten are enough, however often each occurs."""
    values, refused, _ = run([f"v{i % distinct}" for i in range(100)])
    assert (not any(refused)) == shuffled
    assert (values != [None] * 100) == shuffled


def test_numbers_stay_numbers():
    """Numbers, booleans and texts keep their kinds in their new rows, as literals or as texts."""
    texts = ["1.50", "2", "true", "false", "a\"b\\", "1.50", "\n", None, "", "é"]
    kinds = [Kind.NUMBER, Kind.NUMBER, Kind.TRUE, Kind.FALSE, Kind.STRING, Kind.STRING, Kind.ENCODED, Kind.NULL, Kind.STRING, Kind.STRING]
    values, refused, kind = run(texts, kinds, min_distinct=2)
    assert kind == pa.string()
    assert not any(refused)
    assert (values[7], values[8]) == (None, "")
    assert Counter(values) == Counter([b"1.50", b"2", b"true", b"false", "a\"b\\", "1.50", "\n", None, "", "é"])


def test_only_numbers():
    """A column of numbers comes out as numbers, text for text."""
    values, _, _ = run([f"{i}.50" for i in range(20)], [Kind.NUMBER] * 20)
    assert Counter(values) == Counter(f"{i}.50".encode() for i in range(20))


def test_objects_take_no_part():
    """An object is refused, and its text reaches no other row."""
    values, refused, _ = run([*MANY, "{}"], [Kind.STRING] * 40 + [Kind.OBJECT])
    assert refused == [False] * 40 + [True]
    assert Counter(values) == Counter([*MANY, None])


def test_several_values_of_a_row():
    """Values under [*] change places like any others."""
    values, refused, _ = run(MANY, rows=[i // 4 for i in range(40)])
    assert not any(refused)
    assert Counter(values) == Counter(MANY)


def test_group_moves_together():
    """Fields of a group keep together in their new rows; rows without just one value of each are refused."""
    fields = {"city": [0, 1, *range(2, 30)], "zip": [1, *range(2, 30), 29]}
    city = run([f"city{r}" for r in fields["city"]], rows=fields["city"], path="city", fields=fields, group=("city", "zip"))
    code = run([f"zip{r}" for r in fields["zip"]], rows=fields["zip"], path="zip", fields=fields, group=("zip", "city"))
    assert city[1] == [True] + [False] * 28 + [True]
    assert code[1] == [False] * 28 + [True, True]
    by_row = dict(zip(fields["city"], city[0], strict=True))
    pairs = {row: (by_row[row], value) for row, value in zip(fields["zip"][:28], code[0], strict=False)}
    assert all(a.removeprefix("city") == b.removeprefix("zip") != str(row) for row, (a, b) in pairs.items())
    assert len(set(pairs.values())) == 28


def test_group_with_null_and_objects():
    """In a group a null stays null and is what its partner receives; an object reaches no row."""
    fields = {"a": range(30), "b": range(30)}
    texts = [f"v{i}" for i in range(27)] + [None, "", "{}"]
    kinds = [Kind.STRING] * 27 + [Kind.NULL, Kind.STRING, Kind.OBJECT]
    values, refused, _ = run(texts, kinds, path="a", fields=fields, group=("a", "b"))
    assert values[27:] == [None, "", None]
    assert refused[27:] == [False, False, True]
    assert "{}" not in values
    assert sum(refused) <= 2
    assert set(values) <= {*texts[:27], None, ""}
    assert all(value != text for value, text in zip(values[:27], texts, strict=False))


def test_group_must_have_the_field():
    """A group that lacks the rule's own field is told when the policy is compiled."""
    with pytest.raises(PolicyError, match=r"group of shuffle lacks.*Hint"):
        TECHNIQUE.make(ShuffleParams(group=("a", "b")), RuleContext(FieldFacts("c"), RING, read=str))


@pytest.mark.parametrize("params", [{"min_distinct": 1}, {"min_distinct": "10"}, {"group": ("a",)}, {"group": ("a", "a")}, {"seed": 1}])
def test_wrong_parameters(params):
    """A minimum below two, a group of one and anything unknown are refused."""
    with pytest.raises(ValidationError):
        ShuffleParams(**params)


def test_empty_batch():
    """A batch without the field gives nothing."""
    assert run([])[:2] == ([], [])
