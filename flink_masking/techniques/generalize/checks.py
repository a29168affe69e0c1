"""What can be wrong with a rule of generalize, and the numbers and trees that are found on the way."""

from decimal import Decimal
from typing import Any, NamedTuple

from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.techniques.base import RuleContext

REACH = 1 << 60
"""Largest magnitude, in units, of what ranges are computed with; as in `number_kernels`."""
MOST_DECIMALS = 9


class Steps(NamedTuple):
    """Ranges of numbers in whole units of 10^-scale.

    Attributes:
        width: of a range.
        origin: where one starts.
        lowest: end of the domain.
        highest: the other end; 0 and 0 without a domain.
        scale: decimals of a unit.
    """

    width: int
    origin: int
    lowest: int
    highest: int
    scale: int


def decimals(*numbers: Decimal) -> int:
    """Decimals that are needed to write all of the numbers."""
    return max(0, *(-int(number.normalize().as_tuple().exponent) for number in numbers))


def steps(width: Decimal, origin: Decimal, domain: tuple[Any, Any] | None, path: str) -> Steps:
    """The steps of ranges of `width` from `origin` on within a domain.

    Raises:
        PolicyError: the domain is not of numbers, or the numbers have too many digits.
    """
    low, high = _ends(domain, path) if domain is not None else (Decimal(0), Decimal(0))
    scale = decimals(width, origin, low, high)
    found = [int(x.scaleb(scale)) for x in (width, origin, low, high)] if scale <= MOST_DECIMALS else [REACH + 1]
    if any(abs(x) > REACH for x in found):
        raise PolicyError(f"{path}: width, origin and domain have too many digits. Hint: at most nine decimals")
    return Steps(found[0], found[1], found[2], found[3], scale)


def _ends(domain: tuple[Any, Any], path: str) -> tuple[Decimal, Decimal]:
    """The domain as decimal numbers."""
    if not all(isinstance(end, int | float | Decimal) and not isinstance(end, bool) for end in domain):
        raise PolicyError(f"{path}: width needs a domain of numbers. Hint: dates are generalised by date: month")
    low, high = (Decimal(str(end)) for end in domain)
    if not (low.is_finite() and high.is_finite() and low <= high):
        raise PolicyError(f"{path}: the domain is not a range of numbers. Hint: domain: [low, high]")
    return low, high


def tree_of(hierarchy: str | None, level: int, rule_context: RuleContext) -> Hierarchy:
    """The hierarchy of a rule, or of its field.

    Args:
        hierarchy: name of the rule's file; None: the field's own hierarchy.
        level: 1 (the parents of the values) to its height (the root).
        rule_context: of the rule.

    Raises:
        PolicyError: there is none, the file cannot be read as a hierarchy, or it has no such level.
    """
    path = rule_context.facts.path
    if hierarchy is not None:
        tree, name = Hierarchy.from_csv(rule_context.read(hierarchy), hierarchy), hierarchy
    elif rule_context.facts.hierarchy is not None:
        tree, name = rule_context.facts.hierarchy, "hierarchy"
    else:
        raise PolicyError(f"{path}: level without a hierarchy. Hint: add hierarchy: FILE.csv to the rule or to the field")
    if not 1 <= level <= tree.height:
        raise PolicyError(f"{path}: level {level} of {name} does not exist. Hint: it has levels 1 to {tree.height}")
    return tree
