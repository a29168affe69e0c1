"""Whether readers of one view can join it with another: what the policy rules out, and what joins of the released views found."""

from collections.abc import Iterator
from itertools import combinations

from flink_masking.compliance.model import Evidence
from flink_masking.compliance.questions import setting
from flink_masking.compliance.subject import PolicyViews
from flink_masking.policy.segments import GrantedView


def separated(views: PolicyViews) -> list[Evidence]:
    """One piece of evidence: met where the policy rules joins out, unless joins that were tried on the released views single people out."""
    place, rule, met, note = _ruled_out(views)
    if views.joins is not None:
        tried = [join for join in views.joins if set(join.views) <= set(views.segments)]
        alone = sum(join.singled_out for join in tried)
        found = f"{len(tried)} joins tried on the released views: {alone:,} people singled out" if tried else (
            "no join could be tried on the released views")
        met, note = met and alone == 0, f"{note}; {found}"
    return [setting(place, rule, met, note)]


def _ruled_out(views: PolicyViews) -> tuple[str, str, bool, str]:
    """Place, rule, whether the policy rules joins out, and why."""
    policy = views.loaded.policy
    if len(views.segments) < 2:
        return "segments", ", ".join(views.segments), True, "one view only"
    if policy.isolation == "strict":
        shared = list(_shared(views))
        if not shared:
            apart = [name for name in views.segments if name in policy.held_apart]
            return "isolation", "strict", True, "no principal reads two views, and no two share a key domain" + (
                f", but for those held apart: {', '.join(apart)}" if apart else "")
        return "isolation", "strict", False, (
            f"no principal reads two views, but who holds two of them can join them: {'; '.join(shared)}; give each a domain of its own, "
            "or name in held_apart whose readers have no other view")
    together = [name for name in views.segments if name not in policy.held_apart]
    return "held_apart", ", ".join(policy.held_apart) or "none", len(together) < 2, (
        "no reader of these views reads another one" if len(together) < 2 else
        f"one reader may read {', '.join(together)}; isolation: strict or held_apart rules that out")


def _shared(views: PolicyViews) -> Iterator[str]:
    """Key domains that views share, and granted views with what they are of; pairs of which one is held apart are left out."""
    users: dict[str, dict[str, None]] = {}
    for one in views.showings:
        for _, domain in one.promises.keys:
            users.setdefault(domain, {})[one.segment] = None
    for domain, names in sorted(users.items()):
        pairs = [pair for pair in combinations(names, 2) if _joined(views, *pair) and _owner(views, pair[0]) != _owner(views, pair[1])]
        if domain and pairs:
            yield f"key domain '{domain}' of {', '.join(dict.fromkeys(name for pair in pairs for name in pair))}"
    for pair in combinations(views.segments, 2):
        owner = _owner(views, pair[0])
        if _owner(views, pair[1]) == owner and _joined(views, *pair):
            granted = [name for name in pair if name != owner]
            yield f"{' and '.join(granted)}, granted of {owner}, {'has' if len(granted) == 1 else 'have'} its records and key domains"


def _owner(views: PolicyViews, name: str) -> str:
    """The masked segment whose rules a granted view has; any other view by itself."""
    segment = views.loaded.policy.segments[name]
    return segment.of if isinstance(segment, GrantedView) else name


def _joined(views: PolicyViews, one: str, other: str) -> bool:
    """Whether the policy does not hold two views apart."""
    return not {one, other} & set(views.loaded.policy.held_apart)
