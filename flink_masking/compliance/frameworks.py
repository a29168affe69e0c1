"""The list of frameworks, and their assessment."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from flink_masking.compliance import ccpa, expert, gdpr, pci, safe_harbor
from flink_masking.compliance.model import Assessment, Framework
from flink_masking.compliance.subject import PolicyViews

FRAMEWORKS: Mapping[str, Framework] = MappingProxyType({
    module.FRAMEWORK.name: module.FRAMEWORK for module in (gdpr, safe_harbor, expert, ccpa, pci)})
"""By name on the command line."""


def assess(name: str, views: PolicyViews) -> Assessment:
    """Ask all points of one framework of a policy.

    Args:
        name: a key of `FRAMEWORKS`.
        views: the policy and the views to look at.
    """
    framework, policy = FRAMEWORKS[name], views.loaded.policy
    figures = tuple(framework.figures(views)) if framework.figures is not None else ()
    return Assessment(name, framework.title, views.loaded.source.name, policy.stream, policy.version, views.segments,
                      tuple(framework.points(views)), figures, framework.text)


def assess_all(views: PolicyViews, names: Collection[str] = ()) -> list[Assessment]:
    """Some frameworks, or all of them, in their order."""
    return [assess(name, views) for name in FRAMEWORKS if not names or name in names]
