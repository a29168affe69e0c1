"""From a rule as written to its technique, for the whole value or for a part of it."""

from typing import NamedTuple

from flink_masking.policy.segments import RuleSpec
from flink_masking.techniques import registry
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.within import PARTS, within


class Bound(NamedTuple):
    """A technique with checked parameters."""

    technique: Technique
    params: Params


def technique_of(spec: RuleSpec) -> Technique:
    """The technique that a rule names.

    Raises:
        PolicyError: there is none of that name, or it is none for a part.
        pydantic.ValidationError: the part is not said as it has to be.
    """
    technique = registry.get(spec.technique)
    if spec.within is None:
        return technique
    return within(technique, PARTS.validate_python(spec.within if isinstance(spec.within, list) else [spec.within]))


def bound(spec: RuleSpec) -> Bound:
    """The technique and the parameters of a rule.

    Raises:
        PolicyError, pydantic.ValidationError: as `technique_of`; the parameters are none that the technique takes.
    """
    technique = technique_of(spec)
    return Bound(technique, technique.params.model_validate(spec.parameters))
