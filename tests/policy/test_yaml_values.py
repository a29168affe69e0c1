"""YAML as policies read it."""

import pytest

from flink_masking.documents.document import Document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-7", -7), ("010", 10), ("1.5", 1.5), ("1e-9", 1e-9), (".5", 0.5), ("true", True), ("False", False),
        ("null", None), ("~", None), ("", None),
        ("NO", "NO"), ("yes", "yes"), ("1:30", "1:30"), ("2024-03-15", "2024-03-15"), ("0x1F", "0x1F"), (".inf", ".inf"),
        ("1_000", "1_000"), ("'1'", "1"), ('"*"', "*"), ("5s", "5s"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(text, value):
    """Numbers, booleans and null are those of YAML 1.2; what only YAML 1.1 converts stays text."""
    found = Document("p", f"key: {text}").value["key"]
    assert found == value and type(found) is type(value)


def test_keys_are_text_as_written():
    """A key is never converted."""
    assert Document("p", "1: a\ntrue: b\n~: c\n2024-03-15: d").value == {"1": "a", "true": "b", "~": "c", "2024-03-15": "d"}


def test_marks_of_keys_and_values():
    """A value on the line of its key has its own place; one that begins below has the place of its key."""
    document = Document("p", "a:\n  b: [x,\n      y]\nc: 1\n")
    assert document.mark(("a",)) == (1, 1)
    assert document.mark(("a", "b")) == (2, 6)
    assert document.mark(("a", "b", 1)) == (3, 7)
    assert document.key_mark(("a", "b", 1)) == (3, 7)
    assert document.key_mark(("c",)) == (4, 1)
    assert document.mark(("a", "missing")) == (1, 1)


def test_an_alias_has_the_value_of_its_anchor():
    """Aliases can be used where they hold no cycle."""
    assert Document("p", "a: &x {n: 1}\nb: *x").value == {"a": {"n": 1}, "b": {"n": 1}}
