"""redact: constants and same-length fills."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.errors import InputError
from flink_masking.records.kinds import Kind
from flink_masking.techniques import rewriting
from flink_masking.techniques.redact import TECHNIQUE

REFUSED = "(refused)"


@pytest.mark.parametrize("constant", ["***", "hidden", "", "verschwärzt " * 30])
def test_constant(run, constant):
    """Every value that is neither null nor empty becomes the constant, of whatever kind it is."""
    assert [constant, "", None, constant] == run(TECHNIQUE, {"with": constant}, ["clear", "", None, "x" * 500])
    assert [constant] == run(TECHNIQUE, {"with": constant}, ['{"a":1}'], Kind.OBJECT)


def test_default_constant(run):
    """Without parameters the constant is three asterisks."""
    assert ["***"] == run(TECHNIQUE, {}, ["clear"])


@given(st.lists(st.none() | st.text(max_size=80)), st.characters(codec="utf-8"))
def test_fill_keeps_the_length(run, texts, character):
    """With fill a text becomes as many characters as it has code points."""
    assert [None if text is None else character * len(text) for text in texts] == run(TECHNIQUE, {"fill": character}, texts)


def test_fill_takes_scalars_only(run):
    """Numbers and booleans are filled by the length of their text; an object or array is refused."""
    assert ["#####"] == run(TECHNIQUE, {"fill": "#"}, ["12.50"], Kind.NUMBER)
    assert ["####"] == run(TECHNIQUE, {"fill": "#"}, ["true"], Kind.TRUE)
    assert [REFUSED, None] == run(TECHNIQUE, {"fill": "#"}, ['{"a":1}', None], Kind.OBJECT)
    assert [REFUSED] == run(TECHNIQUE, {"fill": "#"}, ["[]"], Kind.ARRAY)


@pytest.mark.parametrize("params", [{"fill": ""}, {"fill": "ab"}, {"fill": "#", "with": "x"}, {"with": 3}, {"fill": "\ud800"}])
def test_bad_parameters(params):
    """fill is exactly one character, with is text, and only one of them may be given."""
    with pytest.raises(ValidationError):
        TECHNIQUE.params.model_validate(params)


def test_a_result_too_large_for_an_array_is_refused(run, monkeypatch):
    """A batch whose masked text could pass the limit of Arrow's offsets ends in an error, not in overflown offsets."""
    monkeypatch.setattr(rewriting, "LARGEST", 39)
    assert ["\U0001f600" * 9] == run(TECHNIQUE, {"fill": "\U0001f600"}, ["x" * 9])
    with pytest.raises(InputError, match="smaller batches"):
        run(TECHNIQUE, {"fill": "\U0001f600"}, ["x" * 10])
