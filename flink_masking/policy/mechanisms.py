"""From checked segments to the values that the anonymity and privacy mechanisms are built from."""

from collections.abc import Callable, Mapping

from flink_masking.anonymity.dimensions import (
    BooleanDimension,
    DateDimension,
    Dimension,
    GeoDimension,
    Grid,
    HierarchyDimension,
    LabelsDimension,
    NumberDimension,
    PrefixDimension,
)
from flink_masking.anonymity.models import AlphaK, Distance, DistinctL, EntropyL, Model, Models, RecursiveCL, TCloseness
from flink_masking.anonymity.models.t_closeness import MOST
from flink_masking.anonymity.sensitive import Binned, Listed, SensitiveDomain
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.privacy_models import Closeness, Diversity
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.techniques.base import PARTIAL

GEOHASH = 6
"""Characters of a place's geohash at most, where the policy does not say: cells of about one kilometre."""


def dimension(field: Field, hierarchies: Mapping[str, Hierarchy], categories: bool = False, labels: bool = False) -> Dimension:
    """The dimension of a quasi-identifier.

    Args:
        field: has a domain, a hierarchy or a prefix, or is of type boolean or geo.
        hierarchies: by file name, as written in the policy.
        categories: whether missing and unknown values have codes.
        labels: whether the field is an array of labels of its hierarchy.

    Raises:
        PolicyError: the field has none of them, or the dimension cannot be built from it.
    """
    if field.derive is not None and not labels:
        return NumberDimension(*field.derive.range, 0, categories)
    if field.hierarchy is not None:
        return (LabelsDimension if labels else HierarchyDimension)(hierarchies[field.hierarchy], categories)
    if labels:
        raise PolicyError("an array needs a hierarchy of its labels. Hint: hierarchy: tags.csv")
    if field.type == "geo":
        return GeoDimension(field.prefix or GEOHASH, categories)
    if field.prefix is not None:
        return PrefixDimension(field.prefix, categories)
    if field.domain is None and field.type == "boolean":
        return BooleanDimension(categories)
    if field.domain is None:
        raise PolicyError("a quasi-identifier needs a domain, a hierarchy or a prefix. Hint: domain: [low, high]")
    low, high = field.domain
    if isinstance(low, str) and isinstance(high, str):
        return DateDimension(low, high, categories, field.type == PARTIAL, field.unit)
    return NumberDimension(low, high, field.scale or 0, categories)


def sensitive_domain(path: str, segment: AnonymizedSegment, policy: Policy, hierarchies: Mapping[str, Hierarchy]) -> SensitiveDomain | None:
    """The declared values of a sensitive field, where a closeness rule names them; None where values are only told apart.

    Raises:
        PolicyError: a rule's distance needs an order or a tree that is not declared.
    """
    domains = [_declared(rule, policy.fields[path], hierarchies) for rule in segment.closenesses if rule.field == path]
    return next((domain for domain in domains if domain is not None), None)


def _declared(rule: Closeness, field: Field, hierarchies: Mapping[str, Hierarchy]) -> SensitiveDomain | None:
    folded = field.compare == "folded"
    if rule.distance == "hierarchical":
        name = rule.hierarchy or field.hierarchy
        if name is None or name not in hierarchies:
            raise PolicyError("t_closeness: the hierarchical distance needs a hierarchy. Hint: hierarchy: diagnoses.csv")
        return Listed(hierarchies[name].leaves, folded)
    if isinstance(rule.reference, dict):
        return Listed(tuple(rule.reference), folded)
    if rule.values is not None:
        return Listed(rule.values, folded)
    if rule.distance == "equal":
        return None
    if field.domain is None:
        raise PolicyError("t_closeness: the ordered distance needs an order. Hint: values: [low, medium, high], or a domain of the field")
    grid = dimension(field.model_copy(update={"hierarchy": None, "prefix": None}), hierarchies)
    assert isinstance(grid, Grid)
    return Binned(grid, rule.bins)


def privacy_models(segment: AnonymizedSegment, domains: Mapping[str, SensitiveDomain | None], hierarchies: Mapping[str, Hierarchy],
                   policy: Policy, watched: Callable[[str, tuple[str, ...]], tuple[int, ...]]) -> Models:
    """What groups of a segment must satisfy besides k.

    Args:
        segment: the rules.
        domains: of the fields of `segment.sensitive`, which are the columns in that order.
        hierarchies: by file name.
        policy: the policy that the segment belongs to.
        watched: field, values → their codes.

    Raises:
        PolicyError: a rule's numbers are out of range, or rules contradict each other.
    """
    column = segment.sensitive.index
    models: list[Model] = [_diversity(rule, column(rule.field)) for rule in segment.diversities]
    for closeness in segment.closenesses:
        path, domain = closeness.field, domains[closeness.field]
        shares = None
        if isinstance(closeness.reference, dict):
            values = domain.values if isinstance(domain, Listed) else ()
            if set(values) < set(closeness.reference):
                raise PolicyError("t_closeness: a reference for a value that is not in the hierarchy. Hint: the same values in both")
            shares = tuple(closeness.reference.get(value, 0.0) for value in values)
        if closeness.distance == "hierarchical":
            distance = Distance.hierarchical(hierarchies[closeness.hierarchy or policy.fields[path].hierarchy or ""])
        else:
            size = MOST if domain is None else domain.size
            distance = Distance.equal(size) if closeness.distance == "equal" else Distance.ordered(size)
        models.append(TCloseness(column(path), closeness.t, distance, shares))
    for alpha in segment.alphas:
        models.append(AlphaK(column(alpha.field), alpha.alpha, watched(alpha.field, alpha.values) if alpha.values else ()))
    return Models(models)


def _diversity(rule: Diversity, column: int) -> Model:
    if rule.kind == "entropy":
        return EntropyL(column, rule.l)
    return DistinctL(column, rule.l) if rule.c is None else RecursiveCL(column, rule.l, rule.c)
