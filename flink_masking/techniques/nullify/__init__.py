"""nullify: the value becomes JSON null."""

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import WHATEVER, Promises, Shows


class NullifyParams(Params):
    """nullify has no parameters."""


def promises(params: NullifyParams) -> Promises:
    """Nothing but that the member was there."""
    return Promises(shows=Shows.NOTHING, deterministic=True, lasting=False, row_local=True, passes=False, hides=WHATEVER, always_null=True)


TECHNIQUE = Technique(
    name="nullify",
    summary="JSON null.",
    params=NullifyParams,
    promises=promises,
    inputs=ANYTHING,
    implementation="flink_masking.techniques.nullify.mask",
)
