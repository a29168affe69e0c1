"""Sets, places, booleans, and records without a value or outside the domain, as quasi-identifiers."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.anonymity.buffer import Buffer, Records
from flink_masking.anonymity.dimensions import (
    BooleanDimension,
    DateDimension,
    Dimension,
    GeoDimension,
    HierarchyDimension,
    LabelsDimension,
    NumberDimension,
    PrefixDimension,
)
from flink_masking.anonymity.mondrian import WindowMondrian
from flink_masking.anonymity.slide_grow import SlideGrow
from flink_masking.anonymity.space import Space
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import Kind

TREE = Hierarchy([(f"v{i}", f"group {i // 2}", f"kind {i // 5}", "*") for i in range(8) if i != 4], "tree")
LABELS = LabelsDimension(TREE)
DIMENSIONS: dict[str, Dimension] = {
    "number": NumberDimension(0, 99, categories=True), "wide": NumberDimension(0, 10**6, categories=True),
    "two": NumberDimension(0, 1, categories=True), "date": DateDimension("2020-01-01", "2024-12-31", categories=True),
    "tree": HierarchyDimension(TREE, categories=True), "labels": LabelsDimension(TREE, categories=True),
    "prefix": PrefixDimension(5, categories=True), "geo": GeoDimension(8, categories=True), "boolean": BooleanDimension(categories=True),
}


def some_codes(dimension: Dimension) -> st.SearchStrategy[int]:
    """Codes of values in the domain."""
    if isinstance(dimension, PrefixDimension):
        words = st.text("0123bcz", min_size=1, max_size=dimension.length)
        return words.map(lambda text: int.from_bytes(text.encode().ljust(dimension.length, b"\0")))
    return st.integers(0, dimension.span if hasattr(dimension, "span") else dimension.top - 2)


@pytest.mark.parametrize("name", DIMENSIONS)
@given(data=st.data())
def test_missing_and_unknown_share_a_label_with_nothing_else(name: str, data: st.DataObject):
    """Alone they are null and "unknown" and lose nothing; with anything else the label is * and loses everything."""
    dimension = DIMENSIONS[name]
    missing, unknown, value = dimension.missing, dimension.unknown, data.draw(some_codes(dimension))
    assert [None, "unknown"] == [dimension.label(code, code) for code in (missing, unknown)]
    assert [0, 0] == [dimension.loss(code, code) for code in (missing, unknown)]
    for a, b in ((missing, unknown), (missing, value), (unknown, value)):
        low, high = min(a, b), max(a, b)
        assert (dimension.label(low, high), dimension.loss(low, high)) == ("*", 1)


@pytest.mark.parametrize("make", [SlideGrow, WindowMondrian])
@pytest.mark.parametrize("name", DIMENSIONS)
@settings(max_examples=20)
@given(data=st.data())
def test_groups_of_records_without_values(make, name: str, data: st.DataObject):
    """Every member lies in its group's label, and the loss that groups are chosen by is that of the label."""
    dimension = DIMENSIONS[name]
    space = Space({"q": dimension})
    some = data.draw(st.lists(st.one_of(some_codes(dimension), st.sampled_from([dimension.missing, dimension.unknown])), max_size=30))
    n = len(some)
    people = np.arange(n, dtype=np.uint64) % np.uint64(9)
    records = Records([np.array(some, dimension.dtype)], people, np.zeros((0, n), np.uint64), np.arange(n), np.zeros(n, np.int64))
    buffer: Buffer = make(space, 2, None, 10)
    for call in (buffer.push(records, 0), buffer.flush()):
        for members, low, high in zip(np.split(call.seq, call.end)[:-1], call.low[:, 0].tolist(), call.high[:, 0].tolist(), strict=True):
            codes = [some[i] for i in members.tolist()]
            assert dimension.label(low, high) == dimension.label(min(codes), max(codes))


def encode_sets(sets: list[list[str]]) -> tuple[list[int], list[bool], list[bool]]:
    """Codes of sets of labels."""
    flat = [label for labels in sets for label in labels]
    rows = np.repeat(np.arange(len(sets)), [len(labels) for labels in sets]).astype(np.int32)
    codes, ok, empty = LABELS.encode_sets(pa.array(flat, pa.string()), np.full(len(flat), Kind.STRING, np.int32), rows, len(sets))
    return codes.tolist(), ok.tolist(), empty.tolist()


def node_of(labels: list[str]) -> tuple[str, float]:
    """The lowest node that holds all labels, by the paths, and what it loses."""
    paths = [next(path for path in TREE.paths if path[0] == label) for label in labels]
    level = next(level for level in range(4) if len({path[level] for path in paths}) == 1)
    leaves = sum(path[level] == paths[0][level] for path in TREE.paths)
    return ("*" if level == 3 else paths[0][level]), (leaves - 1) / (len(TREE.paths) - 1)


@given(sets=st.lists(st.lists(st.sampled_from(TREE.leaves), min_size=1, max_size=4), min_size=1, max_size=5))
def test_a_set_stands_for_the_lowest_node_of_its_labels(sets: list[list[str]]):
    """The label of a group of sets is the lowest node that holds every label of every set, and loses what that node loses."""
    codes, ok, empty = encode_sets(sets)
    assert all(ok) and not any(empty)
    low, high = min(codes), max(codes)
    expected = node_of([label for labels in sets for label in labels])
    assert expected[0] == LABELS.label(low, high)
    assert expected[1] == pytest.approx(LABELS.loss(low, high))


def test_empty_sets_and_unknown_labels():
    """An empty set has no value; one label outside the hierarchy takes the whole record out of the domain."""
    codes, ok, empty = encode_sets([[], ["v1"], ["v1", "nowhere"]])
    assert ([True, True, False], [True, False, False]) == (ok, empty)
    assert codes[1] == 1 and codes[2] == 0


def test_booleans_are_no_words():
    """true and false are in the domain, the texts of these words are not."""
    dimension = DIMENSIONS["boolean"]
    codes, ok = dimension.encode(pa.array(["true", "false", "true", None]), np.array([Kind.TRUE, Kind.FALSE, Kind.STRING, Kind.NULL]))
    assert [True, True, False, False] == ok.tolist()
    assert ["true", "false"] == [dimension.label(int(code), int(code)) for code in codes[:2]]


def test_a_place_is_cut_from_the_right():
    """Cells are geohashes; each character cut leaves 32 times as much of the world open."""
    place, near = (int.from_bytes(text) for text in (b"9q8yyk", b"9q8yzz"))
    dimension = GeoDimension(6)
    assert "9q8y**" == dimension.label(place, near)
    assert dimension.loss(place, near) == (32**2 - 1) / (32**6 - 1)


def test_impossible_settings_are_refused():
    """A domain of one number has no room beside it for categories."""
    with pytest.raises(PolicyError, match="Hint: "):
        NumberDimension(5, 5, categories=True)
