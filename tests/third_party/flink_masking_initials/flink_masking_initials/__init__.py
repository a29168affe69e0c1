"""initials: the first letter of each word (``Jane Doe`` becomes ``J.D.``): a technique of another package."""

from typing import Literal

from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import Promises, Shows


class InitialsParams(Params):
    """Parameters of initials.

    Attributes:
        mark: what stands behind each letter.
    """

    mark: Literal[".", "-", ""] = "."


def promises(params: InitialsParams) -> Promises:
    """The first letter of each word, and how many words there are."""
    return Promises(shows=Shows.PART, deterministic=True, lasting=False, row_local=True, passes=True)


TECHNIQUE = Technique(
    name="initials",
    summary="The first letter of each word.",
    params=InitialsParams,
    promises=promises,
    inputs=TEXT,
    implementation="flink_masking_initials.mask",
    examples=({}, {"mark": "-"}),
)
