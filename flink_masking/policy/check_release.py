"""Checks of the fields that an anonymized segment releases as they are: what finds a record in its group, or is the same for all of it."""

from flink_masking.documents.document import cut
from flink_masking.documents.findings import Findings
from flink_masking.policy.check_joins import FEW, values
from flink_masking.policy.facts import Facts
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment

TIMES = ("date", "datetime", "time")


def check_released(policy: Policy, facts: Facts, findings: Findings) -> None:
    """Warn of released times, of measures and plain fields with many values, and of sensitive fields without a rule of diversity.

    Args:
        policy: without structural faults.
        facts: what is declared of the fields.
        findings: where warnings go.
    """
    for name, segment in policy.segments.items():
        if isinstance(segment, AnonymizedSegment):
            for number, path in enumerate(segment.release):
                if (field := policy.fields.get(path)) is not None:
                    _check_field(name, segment, number, path, field, facts, findings)


def _check_field(name: str, segment: AnonymizedSegment, number: int, path: str, field: Field, facts: Facts, findings: Findings) -> None:
    place = ("segments", name, "release", number)
    if field.type in TIMES:
        message = f"'{cut(path)}' is a time and is released as it is, which narrows down whose record it is"
        findings.warn(place, message, "make it a quasi-identifier: class quasi with a domain of dates")
    elif field.role in ("measure", "plain") and (count := values(field, path, facts)) > FEW:
        many = f"up to {count:,.0f} values" if count < 1e15 else "any number of values"
        message = f"'{cut(path)}' has {many} and is released as it is: whoever knows one, from a receipt, finds the record in its group"
        findings.warn(place, message, "omit it, or make it a quasi-identifier: class quasi with a domain, which is generalised")
    elif field.role == "sensitive" and segment.mode == "buffered" and path not in segment.sensitive:
        rest = "is released without a rule of diversity: a group with one value tells it of everybody in it"
        message = f"'{cut(path)}' is sensitive and {rest}"
        findings.warn(place, message, f"l_diversity: {{field: {cut(path)}, l: 3}}, t_closeness or alpha_k")
