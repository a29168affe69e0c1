"""The registry: names, faults and the table for documentation."""

import importlib
import pickle

import pytest

from flink_masking.errors import PolicyError
from flink_masking.techniques.registry import TECHNIQUES, get, table


def test_names_are_module_names():
    """Every technique is called as its module is, and is found by that name."""
    for name, technique in TECHNIQUES.items():
        assert importlib.import_module(f"flink_masking.techniques.{name}").TECHNIQUE is technique
        assert get(name) is technique


@pytest.mark.parametrize(
    ("name", "hint"), [("nulify", "did you mean 'nullify'"), ("generalise", "'generalize'"), ("?", "keep, drop, nullify")]
)
def test_unknown_names_get_a_hint(name, hint):
    """An unknown name is a fault of the policy that says what was probably meant, or what there is."""
    with pytest.raises(PolicyError, match="unknown technique") as caught:
        get(name)
    assert hint in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_table_is_derived():
    """The table lists every technique in order, its parameters as a policy writes them, and its promises."""
    rows = {row.name: row for row in table()}
    assert list(TECHNIQUES) == list(rows)
    assert (("with", '"***"'), ("fill", "–")) == rows["redact"].parameters
    assert ("keep_first", "0") in rows["partial"].parameters
    assert ("keep_separators", "false") in rows["partial"].parameters
    assert ("yes", False, True) == rows["partial"][3:]


def test_the_grammar_is_covered():
    """Every technique of the grammar is registered."""
    first = {"keep", "drop", "nullify", "redact", "partial", "pseudonym", "generalize", "date_shift", "substitute", "shuffle", "perturb"}
    assert first <= set(TECHNIQUES)
    assert {"fpe", "encrypt", "encrypt_deterministic", "tokenize", "redact_text"} <= set(TECHNIQUES)
