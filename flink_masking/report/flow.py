"""The way of data: source, Protect, views, readers; what passes on each edge, and over which topic or table."""

from typing import Any

from flink_masking.access.principals import Principals
from flink_masking.compliance.subject import PolicyViews, limits
from flink_masking.deployment.model import Deployment
from flink_masking.policy.segments import GrantedView
from flink_masking.report.coverage import other, others
from flink_masking.report.edges import NO_SINK, UNKNOWN, edge


def flow(views: PolicyViews, principals: Principals | None, deployment: Deployment | None = None) -> dict[str, Any]:
    """Source, views and what else leaves, each with what passes and who reads it.

    Args:
        views: of the policy.
        principals: who reads; None: not told.
        deployment: where records come from and go; None: not told. Of addresses topics, tables and kinds are told only.
    """
    policy = views.loaded.policy
    readers = {} if principals is None else {name: list(found.principals) for name, _, found in principals.readers()}
    outputs = [{"name": name, "kind": policy.segments[name].view, "passes": _passes(views, name), "readers": readers.get(name, [])}
               for name in views.segments]
    outputs.append({"name": "quarantine", "kind": "encrypted", "passes": "refused records, sealed; the key ring opens them",
                    "readers": readers.get("quarantine", [])})
    if policy.audit is not None:
        outputs.append({"name": policy.audit.sink, "kind": "audit", "passes": "counts, rules and policy version, no values",
                        "readers": readers.get("audit", [])})
    tables = {} if deployment is None else deployment.sinks
    for one in outputs:
        options = tables.get("audit" if one["kind"] == "audit" else str(one["name"]))
        one |= UNKNOWN if deployment is None else NO_SINK if options is None else edge(options)
    source = UNKNOWN if deployment is None else edge(deployment.source)
    return {
        "source": {"name": policy.stream, "format": policy.format, "passes": f"{len(policy.fields)} declared fields, in clear", **source},
        "job": None if principals is None else principals.job,
        "outputs": outputs, "readers_known": principals is not None, "deployment_known": deployment is not None,
    }


def _passes(views: PolicyViews, name: str) -> str:
    """What a view lets pass, in a line."""
    segment = views.loaded.policy.segments[name]
    if isinstance(segment, GrantedView):
        shown = ", ".join(segment.may_show)
        return f"nothing without a grant; with one, {limits(segment)}, as {segment.of}, and at most of {shown}"
    counts: dict[str, int] = {}
    told = {one.path: one.tell() for one in views.showings if one.segment == name and one.field is not None}
    for word in told.values():
        counts[word] = counts.get(word, 0) + 1
    shown = ", ".join(f"{count} {word}" for word, count in sorted(counts.items(), key=lambda item: -item[1]) if word != "nothing")
    besides = [f"{path} ({cell['tells']})" for path in others(views) if (cell := other(views, name, path))["tells"] != "nothing"]
    return "; ".join((shown or "nothing", f"{counts.get('nothing', 0)} withheld", *([f"besides {', '.join(besides)}"] if besides else [])))
