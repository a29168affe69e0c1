"""What `flink_masking.verify` measures of all views of a run, and what of it is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flink_masking.errors import InputError
from flink_masking.files.opened import data_files, input_files, is_stream
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.verify.files import read_policy, verify
from flink_masking.verify.joint import join_views
from flink_masking.verify.passed_on import passed_on
from flink_masking.verify.records import Held, Records
from flink_masking.verify.report import Report
from flink_masking.verify.sequences import Join

TOGETHER = "views together"
_UNTRIED = "a view cannot be read, or its lines not one way only: 'flink-masking verify --joint' says which"


@dataclass(frozen=True)
class Measured:
    """Reports and joins.

    Attributes:
        reports: by segment, of those that can be verified, as they may be passed on.
        joins: of the views together; None: they could not be tried.
        missing: segments without files, or what could not be tried, and why.
    """

    reports: dict[str, Report]
    joins: list[Join] | None
    missing: dict[str, str] = field(default_factory=dict)


def measured(source: PolicySource, raw: Path, released: Path) -> Measured:
    """Verify every anonymized and aggregated view of an output directory, and try their joins.

    Args:
        source: of the policy.
        raw: a file or a directory: what the job read.
        released: holds a directory for each segment.

    Raises:
        PolicyError: the policy cannot be used.
        InputError: a directory is not there, or none of these views is, there are no raw records, or a view cannot be read.
    """
    policy = read_policy(source, people=False)
    views = views_of(policy, raw, released)
    missing = absent(policy, views)
    reports = {name: passed_on(verify(source, raw, released / name, name), policy) for name, _, _ in measurable(policy, views)}
    return Measured(reports, joined(source, policy, raw, views, missing), missing)


def views_of(policy: Policy, raw: Path | Held, released: Path | Mapping[str, Held]) -> Mapping[str, Path | Held]:
    """The views that there are, by segment.

    Args:
        policy: that they were made under.
        raw: a file or a directory; or such records.
        released: holds a directory for each segment; or records by segment.

    Raises:
        InputError: `released` is no directory, it holds nothing of what the policy has to measure, or there are no raw records.
    """
    if isinstance(released, Path):
        if not released.is_dir():
            raise InputError(f"{released}: is no directory. Hint: --released is the output directory of a run")
        found: dict[str, Path | Held] = {name: released / name for name in policy.segments if data_files(released / name)}
    else:
        found = {name: held for name, held in released.items() if held.records}
    wanted = [name for name, segment in policy.segments.items() if isinstance(segment, AnonymizedSegment | AggregatedSegment)]
    if wanted and not any(name in found for name in wanted):
        where, hint = (f"{released}: it", "--released is the output directory of a run") if isinstance(released, Path) else (
            "the sample", "name a deployment whose sinks are Kafka topics with records in them")
        raise InputError(f"{where} holds nothing of {', '.join(wanted)}, so there is nothing to measure. Hint: {hint}")
    _some_raw(policy, raw)
    return found


def _some_raw(policy: Policy, raw: Path | Held) -> None:
    if isinstance(raw, Held):
        if not raw.records:
            raise InputError("the source holds no records, so there is nothing to measure against. Hint: look at the deployment's source")
    elif any(is_stream(file) for file in input_files(raw)):
        raise InputError("--raw: a pipe can be read once, and each view reads the raw records. Hint: name a file or a directory")
    elif not any(True for _ in Records(raw, policy, raw=True)):
        raise InputError(f"{raw}: it holds no records, so there is nothing to measure against. Hint: --raw is what the job read")


def planned(source: PolicySource, raw: Path, released: Path, twice: bool = False) -> list[Path]:
    """Files and directories that measuring reads, each as often as it does: what progress is reckoned by.

    Args:
        source: of the policy.
        raw: a file or a directory.
        released: holds a directory for each segment.
        twice: aggregated views are read once more, for their series.

    Raises:
        PolicyError: the policy cannot be used.
        InputError: as of `views_of`.
    """
    policy = read_policy(source, people=False)
    views = views_of(policy, raw, released)
    found: list[Path] = []
    for name, segment, _ in measurable(policy, views):
        found += [raw, released / name, *([released / name] if twice and isinstance(segment, AggregatedSegment) else [])]
    if any(isinstance(segment, AnonymizedSegment) for _, segment, _ in measurable(policy, views)):
        found += [raw, *(released / name for name in views if policy.segments[name].view in ("masked", "anonymized"))]
    return found


def measurable(policy: Policy, views: Mapping[str, Path | Held],
               ) -> Iterator[tuple[str, AnonymizedSegment | AggregatedSegment, Path | Held]]:
    """Name, segment and place of each view that is measured: anonymized and aggregated ones; what a granted one holds depends on grants."""
    for name, segment in policy.segments.items():
        if isinstance(segment, AnonymizedSegment | AggregatedSegment) and name in views:
            yield name, segment, views[name]


def absent(policy: Policy, views: Mapping[str, Path | Held]) -> dict[str, str]:
    """Views that would be measured, or joined with those, and are not there, and why they are missing."""
    joins = any(isinstance(segment, AnonymizedSegment) for segment in policy.segments.values())
    missing = {}
    for name, segment in policy.segments.items():
        if name in views:
            continue
        if isinstance(segment, AnonymizedSegment | AggregatedSegment):
            missing[name] = "there are no files of it" if _files(views) else "there are no records of it"
        elif segment.view == "masked" and joins:
            missing[name] = f"there are no {'files' if _files(views) else 'records'} of it, so it is in no join"
    return missing


def joined(source: PolicySource, policy: Policy, raw: Path | Held, views: Mapping[str, Path | Held],
           missing: dict[str, str]) -> list[Join] | None:
    """Try the joins of the views that there are.

    Args:
        source: of the policy.
        policy: of `source`.
        raw: the raw records.
        views: of `views_of`.
        missing: gets why joins were not tried.

    Returns:
        The joins; None: there is no anonymized view, or lines cannot be read one way only.
    """
    if not any(isinstance(segment, AnonymizedSegment) for _, segment, _ in measurable(policy, views)):
        return None
    try:
        return join_views(read_policy(source), source, raw, views)
    except InputError:
        missing[TOGETHER] = _UNTRIED
        return None


def _files(views: Mapping[str, Path | Held]) -> bool:
    return not any(isinstance(place, Held) for place in views.values())
