"""All figures of the report as plain data: what ``--json`` prints, and what the page is made of."""

import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from flink_masking.access.principals import Principals
from flink_masking.compliance import assess_all
from flink_masking.compliance.subject import PolicyViews
from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError
from flink_masking.policy.load import load
from flink_masking.policy.privacy_account import account, stream_account
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.report.aggregated import aggregated
from flink_masking.report.anonymized import anonymized
from flink_masking.report.coverage import coverage
from flink_masking.report.flow import flow
from flink_masking.report.governance import governance
from flink_masking.verify.files import read_policy
from flink_masking.verify.joint import verify_joint
from flink_masking.verify.report import Report

FORM = 1
"""Version of the form of these data; keys are added without a new one."""


def figures(source: PolicySource, raw: Path, released: Path, principals: Principals | None = None,
            deployment: Deployment | None = None) -> dict[str, Any]:
    """Measure every view of an output directory, and tell all of it.

    Args:
        source: of the policy.
        raw: a file or a directory: what the job read.
        released: the output directory, which holds a directory for each segment.
        principals: who reads which view; None: not told.
        deployment: of the job, for what it declares of control, audit and transport; None: not told.

    Returns:
        Plain values. Of raw records there are counts only, of k people or more, where k is that of the view.

    Raises:
        PolicyError: the policy cannot be used.
        InputError: files are not there, or cannot be read.
    """
    if not released.is_dir():
        raise InputError(f"{released}: is no directory. Hint: --released is the output directory of a run")
    loaded, policy = load(source), read_policy(source, people=False)
    groups, series, reports, missing = [], [], dict[str, Report](), []
    for name, segment in policy.segments.items():
        if segment.view in ("masked", "granted"):  # what a granted view holds depends on grants
            continue
        if not (released / name).is_dir():
            missing.append(name)
        elif isinstance(segment, AnonymizedSegment):
            told, reports[name] = anonymized(name, segment, policy, source, raw, released / name)
            groups.append(told)
        elif isinstance(segment, AggregatedSegment):
            told, reports[name] = aggregated(name, segment, policy, raw, released / name, loaded.aggregate(name))
            series.append({**told, "account": account(name, loaded.aggregate(name))})
    joins = None
    if groups:
        try:
            joins = verify_joint(source, raw, released)
        except InputError:  # a view whose lines cannot be read one way only: its own promises say so
            missing.append("views together")
    views = PolicyViews(loaded, (), reports, joins)
    spending = {name: one for name, one in loaded.policy.segments.items() if isinstance(one, AggregatedSegment)}
    lifetime = loaded.policy.privacy.lifetime_epsilon if loaded.policy.privacy is not None else None
    return {
        "form": FORM, "made_by": f"flink-masking {metadata.version('flink-masking')}",
        "made_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "policy": {"file": Path(source.name).name, "stream": policy.stream, "version": policy.version, "fields": len(loaded.policy.fields),
                   "segments": len(policy.segments)},
        "flow": flow(views, principals),
        "coverage": coverage(views),
        "governance": governance(loaded, deployment),
        "anonymized": groups,
        "aggregated": series,
        "budget": stream_account(spending, lifetime) if spending else None,
        "joins": None if joins is None else [join.as_dict() for join in joins],
        "compliance": [one.as_dict() for one in assess_all(views)],
        "not_measured": missing,
    }


def broken(told: dict[str, Any]) -> bool:
    """Whether a promise is broken, or the views together single somebody out."""
    return any(view["broken"] for view in (*told["anonymized"], *told["aggregated"])) or any(
        join["singled_out"] for join in told["joins"] or ())
