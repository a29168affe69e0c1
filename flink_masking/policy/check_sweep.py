"""Checks of sweeps: what masked segments do to undeclared members, and to declared ones that no rule names."""

from typing import NamedTuple

from flink_masking.documents.document import Path, cut, listed
from flink_masking.documents.findings import Findings
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import DEFAULT, IDENTIFYING, Rule, RuleCompiler, bind
from flink_masking.policy.segments import KEY_VERSIONS, MaskedSegment, RuleSpec
from flink_masking.records.codec import FORMATS
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action

SWEEPING = "redact_text"
"""The technique that sweeps."""


class Sweeping(NamedTuple):
    """What a masked segment sweeps.

    Attributes:
        fields: declared fields without a rule of their own, by their rule.
        undeclared: the rule for undeclared members; None where they do not stay.
    """

    fields: tuple[str, ...] = ()
    undeclared: Rule | None = None


def check_sweep(name: str, segment: MaskedSegment, by_default: dict[str, Rule], policy: Policy, compiler: RuleCompiler,
                findings: Findings) -> Sweeping:
    """Check what a masked segment sweeps.

    Args:
        name: of the segment.
        segment: as in the policy.
        by_default: the rules of the fields that ``"*"`` stands for.
        policy: that it belongs to.
        compiler: of the policy's rules.
        findings: where faults go.
    """
    loc: Path = ("segments", name)
    fields = tuple(path for path, rule in by_default.items() if rule.technique is registry.get(SWEEPING))
    if segment.unknown_fields is not None and not _may_stand(segment.unknown_fields):
        hint = f"{{technique: {SWEEPING}, entities: [EMAIL, PHONE]}}"
        findings.error((*loc, "unknown_fields"), f"undeclared members can be left out, or go by {SWEEPING}", hint)
        return Sweeping()
    shown = [path for path in fields if path in policy.fields and policy.fields[path].role in (*IDENTIFYING[:2], "sensitive")]
    if shown:
        text = f"'*' shows what is not detected of {listed(shown)}, which identify a person or are sensitive"
        findings.warn((*loc, "rules", DEFAULT), text, "write a rule for each of them")
    swept = FORMATS[policy.format].swept and not policy.described if policy.format in FORMATS else False
    if policy.unknown_fields != "scan":
        if segment.unknown_fields is not None:
            text = "it is for policies with 'unknown_fields: scan'"
            findings.error((*loc, "unknown_fields"), text, "unknown_fields: scan at the top, too")
        return Sweeping(fields if swept else ())
    if not swept:
        return Sweeping()
    spec = segment.unknown_fields or segment.rules.get(DEFAULT)
    if spec is None or (segment.unknown_fields is None and (spec.technique != SWEEPING or spec.within is not None)):
        spec = RuleSpec(technique=SWEEPING)
    if spec.technique != SWEEPING:
        return Sweeping(fields)
    if segment.key_versions:  # an undeclared member of that name would stay, and the key would be a duplicate
        text = f"it does not go together with 'unknown_fields: scan': an undeclared '{KEY_VERSIONS}' would stay beside it"
        findings.error((*loc, "key_versions"), text, "unknown_fields: drop in this segment")
    place = (*loc, "unknown_fields") if segment.unknown_fields is not None else (*loc, "rules", DEFAULT)
    if segment.unknown_fields is None and DEFAULT in segment.rules and fields:
        return Sweeping(fields, by_default[fields[0]]._replace(path=DEFAULT))
    pair = bind(spec, place, findings)
    if pair is None:
        return Sweeping(fields)
    return Sweeping(fields, compiler.undeclared(*pair, place))


def _may_stand(spec: RuleSpec) -> bool:
    """Whether a rule may be the one for undeclared members."""
    technique = registry.TECHNIQUES.get(spec.technique)
    drops = technique is not None and technique.action is Action.DROP and not spec.parameters
    return spec.within is None and (drops or spec.technique == SWEEPING)


def check_unknown(policy: Policy, findings: Findings) -> None:
    """Check `unknown_fields: scan` of a policy."""
    if policy.unknown_fields != "scan":
        return
    loc = ("unknown_fields",)
    if policy.format in FORMATS and not FORMATS[policy.format].swept:
        findings.error(loc, f"records of {cut(policy.format)} cannot be swept", "unknown_fields: drop, or redact")
    elif policy.described:
        findings.error(loc, "records with a schema cannot be swept", "unknown_fields: drop, or redact")
    masked = [segment for segment in policy.segments.values() if isinstance(segment, MaskedSegment)]
    if any(segment.unknown_fields is None or segment.unknown_fields.technique == SWEEPING for segment in masked):
        findings.warn(loc, "undeclared members are shown, except for what is detected in them", "declare what you know of, or quarantine")
