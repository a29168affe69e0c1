"""Checks that the masked segments of a policy are isolated from each other: which of them use the same key domain."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import ValidationError

from flink_masking.documents.document import Path, cut
from flink_masking.documents.faults import did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.bound import bound
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import GrantedView, MaskedSegment, RuleSpec
from flink_masking.techniques.promises import Promises


class _Use(NamedTuple):
    """A rule that takes its key from a domain: of which segment, where below it, what it does and what it promises.

    A granted view belongs to the masked segment that it is of (`owner`).
    """

    owner: str
    segment: str
    place: Path
    technique: str
    promises: Promises


def check_domains(policy: Policy, findings: Findings) -> None:
    """Note every key domain that several segments use and `shared_domains` does not name: an error where isolation is strict.

    A domain names keys: what two segments protect under the same deterministic technique and domain can be joined, and a key ring that is
    exported for the domain opens both. Each later segment of a domain gets one finding, at its first rule with it.
    """
    users: dict[str, list[_Use]] = {}
    noted: set[tuple[str, str]] = set()
    strict = policy.isolation == "strict"
    for domain, use in _uses(policy):
        others = [other for other in users.setdefault(domain, []) if other.owner != use.owner]
        if others and domain not in policy.shared_domains and (domain, use.segment) not in noted:
            noted.add((domain, use.segment))
            loc: Path = ("segments", use.segment, *use.place, "domain")
            what = "can be joined" if any(_joins(other, use) for other in others) else "are opened by the same keys"
            message = f"'{cut(use.segment)}' and '{cut(others[0].segment)}' share the key domain '{cut(domain)}', so their values {what}"
            hint = f"give each segment a domain of its own, or say that it is meant: shared_domains: [{cut(domain)}]"
            (findings.error if strict else findings.warn)(loc, message, hint)
        users[domain].append(use)
    for number, domain in enumerate(policy.shared_domains):
        if len({use.owner for use in users.get(domain, ())}) < 2:
            text = f"no two segments share the key domain '{cut(domain)}'"
            findings.warn(("shared_domains", number), text, did_you_mean(domain, users, "domains"))


def _uses(policy: Policy) -> Iterator[tuple[str, _Use]]:
    for name, segment in policy.segments.items():
        for place, spec in _rules(segment) if isinstance(segment, MaskedSegment) else ():
            promises = _promises(spec)
            for technique, one in () if promises is None else promises.parts or ((spec.technique, promises),):
                if one.domain is not None:
                    yield one.domain, _Use(segment.of if isinstance(segment, GrantedView) else name, name, place, technique, one)


def _rules(segment: MaskedSegment) -> Iterator[tuple[Path, RuleSpec]]:
    """The rules for fields and for the keys of objects, and those for the key and the headers of a record; of a granted view its own."""
    if isinstance(segment, GrantedView):
        yield from ((("may_show", path), spec) for path, spec in segment.may_show.items())
        return
    yield from ((("rules", path), spec) for path, spec in segment.rules.items())
    yield from ((("keys", path), spec) for path, spec in segment.keys.items() if spec is not None)
    if segment.record is not None:
        if segment.record.key is not None:
            yield ("record", "key"), segment.record.key
        yield from ((("record", "headers", name), spec) for name, spec in segment.record.headers.items())


def _promises(spec: RuleSpec) -> Promises | None:
    """What a rule promises; None where the rule is faulty, which the check of rules reports."""
    try:
        technique, params = bound(spec)
        return technique.promises(params)
    except (PolicyError, ValidationError):
        return None


def _joins(one: _Use, other: _Use) -> bool:
    """Whether equal values become equal texts; what is bound to the path of its field does so in the same field only."""
    if one.technique != other.technique or not (one.promises.deterministic and other.promises.deterministic):
        return False
    return not one.promises.bound_to_field or one.place == other.place
