"""All figures of the report as plain data: what ``--json`` prints, and what the page is made of."""

import datetime
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from flink_masking.access.principals import Principals
from flink_masking.compliance import assess_all
from flink_masking.compliance.measured import absent, joined, measurable, views_of
from flink_masking.compliance.subject import PolicyViews
from flink_masking.deployment.model import Deployment
from flink_masking.policy.load import load
from flink_masking.policy.model import Policy
from flink_masking.policy.privacy_account import account, stream_account
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.report.aggregated import aggregated
from flink_masking.report.anonymized import anonymized
from flink_masking.report.coverage import coverage
from flink_masking.report.flow import flow
from flink_masking.report.governance import governance
from flink_masking.report.sample import Sample
from flink_masking.verify.files import read_policy
from flink_masking.verify.passed_on import beside_noise
from flink_masking.verify.records import Held
from flink_masking.verify.report import Report

FORM = 1
"""Version of the form of these data; keys are added without a new one."""


def figures(source: PolicySource, raw: Path | Held, released: Path | Mapping[str, Held], principals: Principals | None = None,
            deployment: Deployment | None = None, sample: Sample | None = None) -> dict[str, Any]:
    """Measure every view of an output directory, and tell all of it.

    Args:
        source: of the policy.
        raw: a file or a directory: what the job read; or such records.
        released: the output directory, which holds a directory for each segment; or records by segment.
        principals: who reads which view; None: not told.
        deployment: of the job, for topics, tables and transport, and what it declares of control and audit; None: not told.
        sample: what `raw` and `released` are a sample of. Where it was cut, a promise that is not kept in it stays open, since the records
            that are missing decide.

    Returns:
        Plain values. Of raw records there are counts only, of k people or more, where k is that of the view.

    Raises:
        PolicyError: the policy cannot be used.
        InputError: files are not there, or cannot be read, or nothing of what the policy has to measure is among them.
    """
    loaded, policy = load(source), read_policy(source, people=False)
    places = views_of(policy, raw, released)
    groups, series, reports, missing = [], [], dict[str, Report](), absent(policy, places)
    for name, segment, place in measurable(policy, places):
        if isinstance(segment, AnonymizedSegment):
            told, reports[name] = anonymized(name, segment, policy, source, raw, place)
            groups.append(told)
        else:
            told, reports[name] = aggregated(name, segment, policy, raw, place, loaded.aggregate(name))
            series.append({**told, "account": account(name, loaded.aggregate(name))})
    cut = sample is not None and bool(sample.cut)
    if cut:
        reports = {name: in_a_part(report) for name, report in reports.items()}
        for told in (*groups, *series):
            told |= {key: value for key, value in reports[told["segment"]].as_dict().items() if key in ("promises", "broken")}
    joins = joined(source, policy, raw, places, missing)
    views = PolicyViews(loaded, (), reports, None if cut else joins)  # joins of a part are no evidence about the whole
    spending = {name: one for name, one in loaded.policy.segments.items() if isinstance(one, AggregatedSegment)}
    lifetime = loaded.policy.privacy.lifetime_epsilon if loaded.policy.privacy is not None else None
    return {
        "form": FORM, "made_by": f"flink-masking {metadata.version('flink-masking')}",
        "made_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "policy": {"file": Path(source.name).name, "stream": policy.stream, "version": policy.version, "fields": len(loaded.policy.fields),
                   "segments": len(policy.segments)},
        "flow": flow(views, principals, deployment),
        "coverage": coverage(views),
        "governance": governance(loaded, deployment),
        "anonymized": groups,
        "aggregated": series,
        "budget": stream_account(spending, lifetime) if spending else None,
        "joins": None if joins is None else [join.as_dict() for join in joins],
        "compliance": [{**one.as_dict(), "policy": Path(source.name).name} for one in assess_all(views)],
        "not_measured": list(missing), "why_not_measured": missing,
        "sample": None if sample is None else _read(sample, policy),
    }


def _read(sample: Sample, policy: Policy) -> dict[str, Any]:
    """How many records a sample has, but not of a whole source whose records a view counts with noise."""
    hidden = beside_noise(policy) and "source" not in sample.cut
    source = {} if hidden else {"source": len(sample.raw.records)}
    return {"limit": sample.limit, "cut": list(sample.cut),
            "records": source | {name: len(held.records) for name, held in sample.released.items()}}


def in_a_part(report: Report) -> Report:
    """A report on a part of the records: what is not kept in it stays open."""
    return replace(report, promises=[
        replace(one, verdict="open", note="; ".join(part for part in (one.note, "the sample does not hold all records") if part))
        if one.verdict == "broken" else one for one in report.promises])


def unmet(told: dict[str, Any]) -> bool:
    """Whether a promise is broken, views together single somebody out, or something was not measured."""
    return broken(told) or bool(told["not_measured"])


def broken_promises(told: dict[str, Any]) -> list[str]:
    """A line for each view with a broken promise, and for views that together single somebody out: what `broken` is about."""
    if not broken(told):
        return []
    views = [(view["segment"], [one["name"] for one in view["promises"] if one["verdict"] == "broken"])
             for view in (*told["anonymized"], *told["aggregated"])]
    joins = [(" + ".join(join["views"]), join["singled_out"]) for join in told["joins"] or () if join["singled_out"]]
    return [f"broken  {name}: {', '.join(names)}" for name, names in views if names] + [
        f"broken  {name} single{'s' if ' + ' not in name else ''} out {people:,} people" for name, people in joins]


def broken(told: dict[str, Any]) -> bool:
    """Whether a promise is broken, or the views together single somebody out; not known of a sample that was cut."""
    if told["sample"] is not None and told["sample"]["cut"]:
        return False
    return any(view["broken"] for view in (*told["anonymized"], *told["aggregated"])) or any(
        join["singled_out"] for join in told["joins"] or ())
