"""Generalisation hierarchies and their CSV form."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy

CITIES = "Boston;MA;East;*\nAlbany;NY;East;*\nReno;NV;West;*\nSalem;MA;East;*\n"


def test_leaves_are_in_depth_first_order():
    """Leaves of one node stand side by side at every level, whatever the order of the lines."""
    tree = Hierarchy.from_csv(CITIES, "city.csv")
    assert ("Boston", "Salem", "Albany", "Reno") == tree.leaves
    assert (("MA", "MA", "NY", "NV"), ("East", "East", "East", "West"), ("*",) * 4) == tuple(tree.labels(level) for level in (1, 2, 3))
    assert tree.height == 3
    assert tree.leaves == tree.labels(0)
    assert ("Boston", "MA", "East", "*") == tree.paths[0]


@given(st.permutations(range(27)), st.integers(1, 3))
def test_every_node_is_a_range_of_leaves(order, level):
    """At every level equal labels are contiguous."""
    tree = Hierarchy([[str(k), f"a{k // 3}", f"b{k // 9}", "*"] for k in order], "x.csv")
    labels = tree.labels(level)
    changes = sum(one != two for one, two in pairwise(labels))
    assert len(set(labels)) == changes + 1


@pytest.mark.parametrize(
    "text",
    ["a,b,*\nc,b,*\n", "\ufeffa;b;*\r\nc;b;*\r\n", "\n\n a ; b ; * \n\nc;b;*\n  \n", '"a";"b";*\nc;b;*', "a;b;*\nc;b;*"],
)
def test_forms_of_the_file(text):
    """Comma or semicolon, byte order mark, blank lines, quotes, spaces and line ends of all kinds are read alike."""
    assert (("a", "b", "*"), ("c", "b", "*")) == Hierarchy.from_csv(text, "x.csv").paths


def test_quoted_cells_hold_separators():
    """A quoted cell may hold the separator and quotes."""
    assert ('a;"b"', "*") == Hierarchy.from_csv('"a;""b""";*\nc;*\n', "x.csv").paths[0]


def test_a_missing_root_is_added():
    """Where lines end in different nodes, or name the value only, the root * is implied."""
    assert ("*", "*") == Hierarchy.from_csv("a;x\nb;y\n", "x.csv").labels(2)
    assert (1, ("*",)) == ((one := Hierarchy.from_csv("a\n", "x.csv")).height, one.labels(1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("a;b;*\nc;*\n", "2 to 3 cells"),
        ("a;*\na;*\n", "twice"),
        ("a;b;x;*\nc;b;y;*\n", "two different parents"),
        ("a;b;\nc;b;\n", "cell 3 is empty"),
        ("a;;*\n", "cell 2 is empty"),
        ('"a;b;*\n', "not a CSV"),
        ('"a;b",c,*\n', "not a CSV"),
        ("x" * 200_000 + ";*\n", "not a CSV"),
    ],
)
def test_faults_are_told_with_the_file(text, says):
    """What is no balanced tree is a fault of the policy that names the file, what is wrong, and a way out."""
    with pytest.raises(PolicyError, match=says) as caught:
        Hierarchy.from_csv(text, "city.csv")
    assert str(caught.value).startswith("city.csv")
    assert "Hint: " in str(caught.value)
    assert caught.value.__context__ is None


def test_a_tree_in_yaml_is_the_same_tree():
    """Nested mappings and lists give the tree that the lines of a CSV file give; scalars are text, whatever they look like."""
    text = "East:\n  MA: [Boston, 02139]\n  NY: [Albany]\nWest: {NV: [Reno], no: [yes]}\n"
    lines = "Boston;MA;East\n02139;MA;East\nAlbany;NY;East\nReno;NV;West\nyes;no;West\n"
    assert Hierarchy.read(lines, "city.csv").paths == Hierarchy.read(text, "city.YAML").paths


def test_values_at_different_depths_and_a_named_root():
    """A value that lies less deep is repeated below itself; a single outermost key is the root."""
    tree = Hierarchy.from_yaml("World: {Land: {Wet: [bog]}, Sea: }", "x.yaml")
    assert tree.paths == (("bog", "Wet", "Land", "World"), ("Sea", "Sea", "Sea", "World"))


@pytest.mark.parametrize(("text", "says"), [
    ("", "not a tree"), ("[a, b]", "not a tree"), ("a: [b", "not a tree"), ("? [a]\n: b", "not a text"), ("a: &x {b: *x}", "too deep"),
    ("a: [x]\nb: [x]", "two different parents"), ("a: [x, x]", "twice"), ("a: {b: [x]}\nc: {b: [y]}", "two different parents"),
    ("a: !!python/object:os.system [x]\nb: [x]", "two different parents"),
])  # fmt: skip
def test_faults_of_a_tree_in_yaml(text, says):
    """What is no tree, or one without end, is a fault that names the file; tags build nothing."""
    with pytest.raises(PolicyError, match=says) as caught:
        Hierarchy.from_yaml(text, "city.yaml")
    assert str(caught.value).startswith("city.yaml") and "Hint: " in str(caught.value) and caught.value.__context__ is None
