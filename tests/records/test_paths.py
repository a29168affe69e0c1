"""The path grammar: what parses, what it means, what is refused."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.errors import PolicyError
from flink_masking.records.paths import MAX_KEY, At, Where, Wild, format_path, parents, parse_path, selects, unselected

KEYS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("email", ("email",)),
        ("card.number", ("card", "number")),
        ("contacts[*].phone", ("contacts", Wild.ELEMENT, "phone")),
        ("tags[*]", ("tags", Wild.ELEMENT)),
        ("grid[*][*]", ("grid", Wild.ELEMENT, Wild.ELEMENT)),
        ("meta.*", ("meta", Wild.KEY)),
        ("*", (Wild.KEY,)),
        ("*.*[*]", (Wild.KEY, Wild.KEY, Wild.ELEMENT)),
        ('"a.b"', ("a.b",)),
        ('"a.b".c', ("a.b", "c")),
        ('"*"', ("*",)),
        ('""', ("",)),
        ('a."q\\"\\u00e9[*]"[*]', ("a", 'q"é[*]', Wild.ELEMENT)),
        ("first name.ключ", ("first name", "ключ")),
        ("a[0].b", ("a", At(0), "b")),
        ("a[k=v].b", ("a", Where(("k",), "v"), "b")),
        ("a[t.c[*].code=SS][1]", ("a", Where(("t", "c", Wild.ELEMENT, "code"), "SS"), At(1))),
        ('a["k=v"=x = y.z]', ("a", Where(("k=v",), "x = y.z"))),
        ('a[k="]\\""]', ("a", Where(("k",), ']"'))),
        ("a[url=http://x/y?z=*]", ("a", Where(("url",), "http://x/y?z=*"))),
        ("a[*]?.b[*]?", ("a", Wild.MAYBE, "b", Wild.MAYBE)),
    ],
)
def test_a_path_means_its_steps(text, steps):
    """Each form of the grammar gives the keys and wildcards that it stands for."""
    assert steps == parse_path(text)


WITHIN = st.lists(KEYS | st.just(Wild.ELEMENT), min_size=1, max_size=3).filter(lambda steps: steps[0] is not Wild.ELEMENT).map(tuple)
SELECTORS = st.builds(Where, WITHIN, KEYS) | st.builds(At, st.integers(0, 99))


STEPS = st.lists(KEYS | st.sampled_from(Wild) | SELECTORS, min_size=1, max_size=5)


@given(STEPS.filter(lambda steps: steps[0] is Wild.KEY or isinstance(steps[0], str)))
def test_any_steps_can_be_written_and_read(steps):
    """Formatting and parsing are inverse, whatever characters the keys hold."""
    assert tuple(steps) == parse_path(format_path(tuple(steps)))


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0), (".a", 0), ("a.", 2), ("a..b", 2), ("[*]", 0), ("a[*", 2), ("a[*]b", 4), ("a*", 1), ("*a", 1), ("a.*b", 3),
        ('"a', 0), ('a."b', 2), ('"a"b', 3), ('"\\x"', 0), ('"\\ud800"', 0), ("a]", 1), (" a", 0), ("a .b", 0), ('a"b"', 1), ("a\n", 1),
        ("a[0", 3), ("a[-1]", 4), ("a[k]", 3), ("a[k=]", 4), ("a[k= v]", 4), ("a[=v]", 2), ("a[k=v", 5), ("a[k.*=v]", 4), ("a[k=v]]", 6),
        ('a[k="x]', 4), ('a[k="\\ud800"]', 4), ("[0]", 0), ("[k=v]", 0), ("a[*]??", 5), ("a[k[0]=v]", 3), ("a[k=[v]]", 4),
        ("x." + "k" * (MAX_KEY + 1), 2),
    ],
)
def test_a_wrong_path_is_refused_with_its_position_and_a_hint(text, position):
    """The error names the position of the fault and shows how a path is written."""
    with pytest.raises(PolicyError, match=f"position {position}: .*Hint: ") as caught:
        parse_path(text)
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


def test_a_path_is_text():
    """Another type than text is refused by its type's name."""
    with pytest.raises(PolicyError, match="not int"):
        parse_path(7)


def test_a_key_of_the_greatest_length_is_accepted():
    """The limit on the length of a key is inclusive and counts bytes."""
    assert ("é" * (MAX_KEY // 2),) == parse_path("é" * (MAX_KEY // 2))


def test_parents_are_the_paths_above_outermost_first():
    """All prefixes of a path are its parents, in canonical form."""
    assert ("contacts", "contacts[*]", 'contacts[*]."e.x"') == parents('"contacts"[*]."e.x".phone')
    assert () == parents("email")


def test_a_path_with_selectors_is_part_of_the_one_with_wildcards():
    """Without its selectors a path is that of all elements; a path without any is itself."""
    steps = parse_path("a[k=v].b[2].c[*]")
    assert selects(steps) and format_path(unselected(steps)) == "a[*].b[*].c[*]"
    assert not selects(parse_path("a[*]?.b")) and unselected(parse_path("a[*]?.b")) == parse_path("a[*]?.b")
