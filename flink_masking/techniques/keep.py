"""keep: the value leaves as it came, byte for byte."""

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Action, Params, RuleContext, Shows, Technique, always, showing


class KeepParams(Params):
    """keep has no parameters."""


def make_keep(params: KeepParams, site: RuleContext) -> Action:
    """The action KEEP: nothing is looked at, null and ``""`` included."""
    return Action.KEEP


TECHNIQUE = Technique(
    name="keep",
    summary="Unchanged, byte for byte.",
    params=KeepParams,
    make=make_keep,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=ANYTHING,
    output=None,
    injective=always,
    shows=showing(Shows.EXACT),
)
