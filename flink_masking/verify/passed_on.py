"""What of a measurement may be handed to people who do not hold the raw records.

`flink_masking.verify` is run by who holds the raw records, and its reports are exact. Beside a figure with noise, an exact count or
distance takes the noise off: a report that is passed on, and evidence from it, tells verdicts, what was published, and statistics over many
figures.
"""

from dataclasses import replace

from flink_masking.policy.model import Policy
from flink_masking.verify.report import Promise, Report

MANY = 30
"""Figures of a kind from which on statistics of their noise are told: fewer lead to the residual of a single one."""
NOISE, COMPARED = "noise, 1 as promised", "figures compared"
ROUNDED = "shares of the raw records are in whole percent, because an aggregated view counts these records with noise"
_PUBLISHED = ("rows", "windows", "released", "classes")
"""Counts that the released view itself shows."""
_OF_INPUTS = ("suppression", "loss")
"""Figures that are shares of the raw records."""


def passed_on(report: Report, policy: Policy) -> Report:
    """A report without what only holders of the raw records may know.

    Args:
        report: of one view.
        policy: that it was made under. Where it has an aggregated view, counts of raw records are left out of anonymized views, too, and
            shares of them rounded to whole percent: these are the records that the aggregated view counts with noise.

    Returns:
        The same verdicts. Of aggregated views, the mean distance of the noise to one decimal for kinds of at least `MANY` figures.
    """
    promises = [outside(promise) for promise in report.promises]
    if report.view == "aggregated":
        return replace(report, promises=promises, counts=_published(report), figures=_noise(report))
    if beside_noise(policy):
        figures = {section: {name: round(value, 2) for name, value in values.items()} if section in _OF_INPUTS else values
                   for section, values in report.figures.items()}
        return replace(report, promises=promises, counts=_published(report), figures=figures, notes=[*report.notes, ROUNDED])
    return replace(report, promises=promises)


def beside_noise(policy: Policy) -> bool:
    """Whether any view of a policy shows the raw records as figures with noise."""
    return any(segment.view == "aggregated" for segment in policy.segments.values())


def outside(promise: Promise) -> Promise:
    """A promise in words without exact figures of raw records, and without names that the policy does not have: these can be data."""
    if promise.name == "members" and promise.verdict == "broken":
        return replace(promise, found="other members, or unreadable lines", note="'flink-masking verify' names them")
    if promise.outside is None:
        return promise
    found, note = promise.outside
    return replace(promise, found=found, note=note, outside=None)


def _published(report: Report) -> dict[str, int]:
    return {name: count for name, count in report.counts.items() if name in _PUBLISHED}


def _noise(report: Report) -> dict[str, dict[str, float]]:
    sizes = report.figures.get(COMPARED, {})
    told = {name: round(ratio, 1) for name, ratio in report.figures.get(NOISE, {}).items() if sizes.get(name, 0) >= MANY}
    return {NOISE: told} if told else {}
