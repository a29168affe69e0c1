"""drop: the member is removed from the record."""

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Action, Params, RuleContext, Shows, Technique, always, never, showing


class DropParams(Params):
    """drop has no parameters."""


def make_drop(params: DropParams, site: RuleContext) -> Action:
    """The action DROP: the member goes, whatever it holds, null included."""
    return Action.DROP


TECHNIQUE = Technique(
    name="drop",
    summary="The member is removed.",
    params=DropParams,
    make=make_drop,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=ANYTHING,
    output=None,
    shows=showing(Shows.NOTHING),
    lasting=never,
)
