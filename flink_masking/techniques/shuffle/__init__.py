"""shuffle: the values of a field change places within the batch."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import SCALAR
from flink_masking.techniques.base import Params, RuleContext, Technique
from flink_masking.techniques.promises import Promises, Shows

Path = Annotated[str, StringConstraints(min_length=1)]


class ShuffleParams(Params):
    """Parameters of shuffle.

    Attributes:
        min_distinct: fewer distinct values in a batch than these hide nobody, and all are refused.
        group: paths of the fields that move together, this one among them, each with the same rule; empty when it moves alone.
    """

    min_distinct: int = Field(10, ge=2, strict=True)
    group: tuple[Path, ...] = ()

    @field_validator("group")
    @classmethod
    def _two_or_more(cls, group: tuple[str, ...]) -> tuple[str, ...]:
        if len(group) == 1 or len(set(group)) != len(group):
            raise ValueError("a group has two or more different fields. Hint: omit group for a field that moves alone")
        return group


def promises(params: ShuffleParams) -> Promises:
    """Nothing of the own value; the values of the batch leave as they came, each in another row."""
    return Promises(shows=Shows.NOTHING, deterministic=False, lasting=False, row_local=False, passes=True, moves_with=params.group,
                    result="same")


def check(params: ShuffleParams, rule_context: RuleContext) -> None:
    """Refuse a group that lacks the field.

    Raises:
        PolicyError: it does.
    """
    if params.group and rule_context.facts.path not in params.group:
        raise PolicyError("the group of shuffle lacks the field that the rule is for. Hint: list every field that moves together")


TECHNIQUE = Technique(
    name="shuffle",
    summary="Values change places within the batch.",
    params=ShuffleParams,
    promises=promises,
    inputs=SCALAR,
    implementation="flink_masking.techniques.shuffle.mask",
    check=check,
    examples=({}, {"min_distinct": 2}),
)
