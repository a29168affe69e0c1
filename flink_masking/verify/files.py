"""Verifies views from a policy and files."""

from pathlib import Path

from flink_masking.documents.document import Document, cut
from flink_masking.documents.faults import PolicyFaults
from flink_masking.documents.findings import Findings
from flink_masking.errors import InputError, PolicyError
from flink_masking.files.opened import data_files, input_files
from flink_masking.policy.expand import expanded
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, GrantedSegment, MaskedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.policy.structure import build
from flink_masking.policy.tagged import write_out
from flink_masking.records.codec import FORMATS
from flink_masking.verify.aggregated import verify_aggregated
from flink_masking.verify.anonymized import verify_anonymized
from flink_masking.verify.release import Raw, Release, read_trees, segment_of
from flink_masking.verify.report import Report
from flink_masking.verify.sensitive import Sensitive
from flink_masking.verify.swept import verify_swept


def read_policy(source: PolicySource, people: bool = True) -> Policy:
    """The policy as it is written: its promises, and nothing of what keeps them.

    Args:
        source: of the policy.
        people: whether people are counted, so that it must say whom a record is about.

    Raises:
        PolicyFaults: it is no policy.
        PolicyError: its format is not known; it names no subject, or a field that it does not declare.
    """
    document = Document(source.name, source.text)
    policy, faults = build(document)
    if policy is None:
        raise PolicyFaults(source.name, faults)
    findings = Findings(document)
    policy, _ = write_out(policy, source, findings)
    if findings.errors:
        raise PolicyFaults(source.name, findings.errors)
    readable = [name for name, known in FORMATS.items() if not known.schemas and not known.single]
    if policy.format not in readable:
        raise PolicyError(f"{source.name}: records of format {cut(policy.format)} cannot be read. Hint: use {' or '.join(readable)}")
    if policy.record is not None:
        policy, _ = expanded(policy, policy.record)
    if people:
        _count_people(policy, source)
    for segment in policy.segments.values():
        named = [*segment.quasi_identifiers, *segment.release, *segment.sensitive] if isinstance(segment, AnonymizedSegment) else []
        for path in [*([policy.subject] if policy.subject is not None else []), *named]:
            if path not in policy.fields:
                raise PolicyError(f"{source.name}: '{cut(path)}' is not a declared field. Hint: flink-masking check finds all faults")
    return policy


def _count_people(policy: Policy, source: PolicySource) -> None:
    if policy.subject is None:
        raise PolicyError(f"{source.name}: 'subject' is missing: k counts people. Hint: name the field that says whom a record is about")


def _look(released: Path) -> None:
    """Raise an InputError unless there are files of a view, before the name of their folder is taken for that of a segment."""
    if released.is_dir() and not data_files(released):
        raise InputError(f"{released}: the view is empty: nothing was released, so there is nothing to measure. Hint: flink-masking run "
                         "says why a view is empty; names that begin with . or _ are skipped")
    input_files(released)


def verify(source: PolicySource, raw: Path, released: Path, segment: str | None = None) -> Report:
    """Measure one view.

    Args:
        source: of the policy that it was made under.
        raw: a file or a directory: what the job read.
        released: a file or a directory: the view, with the header that `run` writes if its format has one.
        segment: its name in the policy; None: the folder's name, or the only one.

    Raises:
        PolicyError: the policy cannot be used, or it is not clear which segment is meant.
        InputError: there are no such files, or the view is empty.
    """
    policy = read_policy(source, people=False)
    if isinstance(policy.segments.get(segment or released.name), GrantedSegment):
        raise PolicyError(f"'{cut(segment or released.name)}' is a granted view: what it holds depends on grants. Hint: flink-masking "
                          "audit trace tells which grants were used for a record")
    _look(released)
    name = segment_of(policy, segment, released.name)
    found = policy.segments[name]
    if isinstance(found, MaskedSegment):
        return verify_swept(name, found, policy, released)
    _count_people(policy, source)
    if isinstance(found, AggregatedSegment):
        return verify_aggregated(name, found, policy, raw, released)
    assert isinstance(found, AnonymizedSegment)
    trees = read_trees(policy, source.file)
    fields = dict.fromkeys([*found.quasi_identifiers, *found.release, *found.sensitive])
    records = Raw.read(raw, policy, list(fields))
    return verify_anonymized(Release(name, found, policy, records, released, trees), policy, Sensitive(policy, trees))
