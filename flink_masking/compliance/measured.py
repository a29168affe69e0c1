"""What `flink_masking.verify` measures of all views of an output directory."""

from dataclasses import dataclass, field
from pathlib import Path

from flink_masking.errors import FlinkMaskingError, InputError
from flink_masking.policy.source import PolicySource
from flink_masking.verify.files import read_policy, verify
from flink_masking.verify.joint import verify_joint
from flink_masking.verify.passed_on import passed_on
from flink_masking.verify.report import Report
from flink_masking.verify.sequences import Join


@dataclass(frozen=True)
class Measured:
    """Reports and joins.

    Attributes:
        reports: by segment, of those that can be verified, as they may be passed on.
        joins: of the views together; None: they could not be tried.
        missing: segments without files, or that cannot be verified, and why.
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
        InputError: a directory is not there, or a view cannot be read.
    """
    policy = read_policy(source, people=False)
    if not released.is_dir():
        raise InputError(f"{released}: is no directory. Hint: --released is the output directory of a run")
    reports, missing = {}, {}
    for name, segment in policy.segments.items():
        if segment.view in ("masked", "granted"):  # what a granted view holds depends on grants
            continue
        if (released / name).is_dir():
            reports[name] = passed_on(verify(source, raw, released / name, name), policy)
        else:
            missing[name] = "there are no files of it"
    joins = None
    if any(segment.view == "anonymized" and name in reports for name, segment in policy.segments.items()):
        try:
            joins = verify_joint(source, raw, released)
        except FlinkMaskingError as error:
            missing["views together"] = str(error)
    return Measured(reports, joins, missing)
