"""Checks of an anonymized segment against the fields."""

from flink_masking.policy.check_fields import GENERALISED_BY, check_single, declared
from flink_masking.policy.document import Path, cut
from flink_masking.policy.findings import Findings
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.policy.tree import FieldTree

WEAK_K = 5
MANY_QUASI_IDENTIFIERS = 10
NOT_RELEASED = {
    "identifier": "an identifier, or a pseudonym of it, makes records of a person linkable",
    "direct": "it says who the person is",
    "quasi": "name it in 'quasi_identifiers', where it is generalised",
    "free_text": "free text can name people",
}


def check_anonymized(name: str, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    """Note all that contradicts the fields, is not available yet, or protects little."""
    loc: Path = ("segments", name)
    if policy.subject is None:
        findings.error(loc, "'subject' is missing: k counts people", "name the field that says whom a record is about", at_key=True)
    if segment.t_closeness is not None:
        findings.later((*loc, "t_closeness"), "t_closeness", "use l_diversity")
    if segment.algorithm != "slide_grow":
        findings.later((*loc, "algorithm"), f"algorithm {segment.algorithm}", "use slide_grow")
    if segment.mode != "buffered":
        findings.later((*loc, "mode"), f"mode {segment.mode}", "use buffered")
    if segment.max_buffer < segment.k:
        findings.error((*loc, "max_buffer"), f"'max_buffer' must be at least k, {segment.k}", "a smaller buffer never holds k people")
    if segment.k < WEAK_K:
        findings.warn((*loc, "k"), f"a k of {segment.k} protects little", f"{WEAK_K} or more is usual")
    if len(segment.quasi_identifiers) > MANY_QUASI_IDENTIFIERS:
        text = f"{len(segment.quasi_identifiers)} quasi-identifiers lose almost everything"
        findings.warn((*loc, "quasi_identifiers"), text, f"keep at most {MANY_QUASI_IDENTIFIERS}")
    _check_quasi_identifiers(loc, segment, policy, tree, findings)
    _check_release(loc, segment, policy, tree, findings)
    if segment.l_diversity is not None:
        _check_diversity(loc, segment, policy, tree, findings)


def _check_quasi_identifiers(loc: Path, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    seen: set[str] = set()
    for number, path in enumerate(segment.quasi_identifiers):
        place, name = (*loc, "quasi_identifiers", number), cut(path)
        if not check_single(policy, tree, findings, place, path):
            continue
        found = tree.find(path) or path
        field = declared(policy, tree, path)
        if found in seen:
            findings.error(place, f"'{name}' is there twice")
        elif policy.subject is not None and found == tree.find(policy.subject):
            findings.error(place, f"'{name}' is the subject, not a quasi-identifier")
        elif field.role != "quasi":
            findings.error(place, f"'{name}' is of class {field.role}, not quasi", "name fields of class quasi")
        elif field.type == "geo":
            findings.later(place, f"'{name}': a quasi-identifier of type geo")
        elif not any(getattr(field, way) is not None for way in GENERALISED_BY):
            hint = f"give it one of {', '.join(GENERALISED_BY)} under 'fields'"
            findings.error(place, f"'{name}' does not say how it is generalised", hint)
        seen.add(found)


def _check_release(loc: Path, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    seen: set[str] = set()
    for number, path in enumerate(segment.release):
        place, name = (*loc, "release", number), cut(path)
        if not check_single(policy, tree, findings, place, path):
            continue
        found = tree.find(path) or path
        role = declared(policy, tree, path).role
        if found in seen:
            findings.error(place, f"'{name}' is there twice")
        elif policy.subject is not None and found == tree.find(policy.subject):
            findings.error(place, f"'{name}' is the subject and cannot be released", NOT_RELEASED["identifier"])
        elif policy.event_time is not None and found == tree.find(policy.event_time.field):
            findings.error(place, f"'{name}' is the event time and cannot be released", "the time of an event narrows down who it was")
        elif role in NOT_RELEASED:
            findings.error(place, f"'{name}' is of class {role} and cannot be released", NOT_RELEASED[role])
        seen.add(found)


def _check_diversity(loc: Path, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    rule = segment.l_diversity
    assert rule is not None
    place = (*loc, "l_diversity")
    if check_single(policy, tree, findings, (*place, "field"), rule.field):
        role = declared(policy, tree, rule.field).role
        if role != "sensitive":
            findings.error((*place, "field"), f"'{cut(rule.field)}' is of class {role}, not sensitive", "name a field of class sensitive")
    if rule.l > segment.k:
        findings.error((*place, "l"), f"'l' must be at most k, {segment.k}", "k people cannot have more than k values")
