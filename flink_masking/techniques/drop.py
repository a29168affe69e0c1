"""drop: the member is removed from the record."""

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Action, Params, Technique
from flink_masking.techniques.promises import WHATEVER, Promises, Shows


class DropParams(Params):
    """drop has no parameters."""


def promises(params: DropParams) -> Promises:
    """Nothing is left, whatever the member holds, null included."""
    return Promises(shows=Shows.NOTHING, deterministic=True, lasting=False, row_local=True, passes=False, hides=WHATEVER)


TECHNIQUE = Technique(
    name="drop",
    summary="The member is removed.",
    params=DropParams,
    promises=promises,
    inputs=ANYTHING,
    action=Action.DROP,
)
