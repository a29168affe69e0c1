"""keep: the value leaves as it came, byte for byte."""

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Action, Params, Technique
from flink_masking.techniques.promises import Bounds, Promises, Shows


class KeepParams(Params):
    """keep has no parameters."""


def promises(params: KeepParams) -> Promises:
    """Nothing is hidden."""
    return Promises(shows=Shows.EXACT, deterministic=True, lasting=True, row_local=True, injective=True, bounds=Bounds("either"))


TECHNIQUE = Technique(
    name="keep",
    summary="Unchanged, byte for byte.",
    params=KeepParams,
    promises=promises,
    inputs=ANYTHING,
    action=Action.KEEP,
)
