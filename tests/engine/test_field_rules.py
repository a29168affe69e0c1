"""A rule over the values of a field: what reaches its mask, and how refused values are written."""

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.engine.masking import FieldRule, accepted_kinds, apply, edit
from flink_masking.records.edits import DROP_VALUE, USE, USE_LITERAL, Replace
from flink_masking.records.kinds import TEXT, Kind
from flink_masking.records.spans import Values
from flink_masking.techniques.masks import Context, Masked

TEXTS = ["a", "b", "7", "true", "false", None, "{}", "[]"]
VALUES = Values(pa.array(TEXTS), np.array(Kind, np.int32), np.arange(8, dtype=np.int32))


def rule(mask):
    """A rule that takes text."""
    return FieldRule("field", "echo", mask, accepted_kinds(TEXT), "redact")


def echo(values, context):
    """A mask that would let everything pass."""
    return Masked(values.text)


def test_kinds_that_a_technique_does_not_take_are_refused_for_it():
    """Whatever a mask makes of them, values of other kinds count as refused; null never does."""
    masked, refused = apply(rule(echo), VALUES, Context(b""))
    assert masked.values.to_pylist() == TEXTS
    assert refused.tolist() == [False, False, True, True, True, False, True, True]


def test_a_mask_sees_live_values_only():
    """Values that are not live never reach the mask; results come back to their places."""
    seen = []

    def mask(values, context):
        seen.append((values.text.to_pylist(), values.rows.tolist()))
        return Masked(pa.array([f"<{text}>" for text in values.text.to_pylist()]), np.array([True, False]))

    masked, refused = apply(rule(mask), VALUES, Context(b""), np.arange(8) < 2)
    assert seen == [(["a", "b"], [0, 1])]
    assert masked.values.to_pylist() == ["<a>", "<b>"] + [None] * 6
    assert refused.tolist() == [True] + [False] * 7
    masked, refused = apply(rule(mask), VALUES, Context(b""), np.zeros(8, bool))
    assert len(seen) == 1 and masked.values.to_pylist() == [None] * 8 and refused is None


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()])
@pytest.mark.parametrize("scalar", [False, True])
@pytest.mark.parametrize("on_error", ["redact", "nullify", "drop", "quarantine"])
def test_refused_values_are_never_written(kind, scalar, on_error):
    """Redacted, nullified or dropped, whether a mask gives one replacement for all or one for each, as text or as literals."""
    values = pa.scalar("x", kind) if scalar else pa.array(["x", "x"], kind)
    done = edit(Masked(values), np.array([True, False]), on_error)
    assert isinstance(done, Replace)
    kept = "x" if kind == pa.string() else b"x"
    if on_error == "drop":
        assert done.how.tolist() == [DROP_VALUE, USE] and done.values.to_pylist()[1] == kept
    elif on_error == "nullify" or kind == pa.string():
        assert done.how is None and done.values.to_pylist() == [None if on_error == "nullify" else "***", kept]
    else:
        assert done.how.tolist() == [USE, USE_LITERAL] and done.values.to_pylist() == ["***", "x"]
