"""The three techniques that need no look at the value."""

import pytest
from pydantic import ValidationError

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import drop, keep, nullify
from flink_masking.techniques.base import Action, FieldFacts, RuleContext

SITE = RuleContext(FieldFacts("field"), KeyRing.new(), lambda name: "")


def test_keep_and_drop_are_actions():
    """keep and drop are told to the engine as actions and never see a value."""
    assert keep.TECHNIQUE.make(keep.KeepParams(), SITE) is Action.KEEP
    assert drop.TECHNIQUE.make(drop.DropParams(), SITE) is Action.DROP


def test_nullify_is_null_for_everything(run):
    """Every value becomes null, the empty text and whole objects included."""
    assert [None, None, None] == run(nullify.TECHNIQUE, {}, ["clear", "", None])
    assert [None] == run(nullify.TECHNIQUE, {}, ['{"a":1}'], Kind.OBJECT)


@pytest.mark.parametrize("module", [keep, drop, nullify])
def test_no_parameters(module):
    """A parameter that these techniques do not have is refused, without showing its value."""
    with pytest.raises(ValidationError) as caught:
        module.TECHNIQUE.params.model_validate({"with": "SECRET"})
    assert "SECRET" not in str(caught.value)
