"""Checks of an anonymized segment against the fields."""

from collections.abc import Mapping

from flink_masking.anonymity.price import LIMIT, loss_factor, record_bytes, value_bytes
from flink_masking.anonymity.space import Space
from flink_masking.documents.document import Path, cut, listed
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.policy.check_fields import GENERALISED_BY, check_single
from flink_masking.policy.check_privacy_models import check_privacy_models
from flink_masking.policy.fields import Field
from flink_masking.policy.mechanisms import dimension
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.policy.tree import FieldTree, repeats

WITHOUT_SAYING = ("boolean", "geo")
"""Types that are generalised in one way only."""
TEXTS = ("city", "company", "country", "gender", "street", "text")
"""Types of words without an order."""
OF_TEXT = "give it a hierarchy under 'fields': a CSV file with a column for each level, such as city, country, *; or, for codes, a prefix"
WEAK_K = 5
MANY_QUASI_IDENTIFIERS = 10
NOT_RELEASED = {
    "identifier": "an identifier, or a pseudonym of it, makes records of a person linkable",
    "direct": "it says who the person is",
    "quasi": "name it in 'quasi_identifiers', where it is generalised",
    "free_text": "free text can name people",
}


def check_anonymized(
    name: str, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, hierarchies: Mapping[str, Hierarchy], findings: Findings
) -> None:
    """Report contradictions to the fields, unavailable features and weak parameters."""
    loc: Path = ("segments", name)
    if policy.subject is None:
        findings.error(loc, "'subject' is missing: k counts people", "name the field that says whom a record is about", at_key=True)
    if segment.mode == "zero_delay":
        _check_zero_delay(loc, segment, findings)
    if segment.max_buffer < segment.k:
        findings.error((*loc, "max_buffer"), f"'max_buffer' must be at least k, {segment.k}", "a smaller buffer never holds k people")
    if segment.k < WEAK_K:
        kind = "k" if segment.mode == "buffered" else "z (mode zero_delay)"
        text = f"a {kind} of {segment.k} protects little where {listed(segment.quasi_identifiers)} are known of a person"
        findings.warn((*loc, "k"), text, f"{WEAK_K} or more is usual")
    if len(segment.quasi_identifiers) > MANY_QUASI_IDENTIFIERS:
        text = f"{len(segment.quasi_identifiers)} quasi-identifiers lose almost everything: {listed(segment.quasi_identifiers)}"
        findings.warn((*loc, "quasi_identifiers"), text, f"keep at most {MANY_QUASI_IDENTIFIERS}, and drop the others")
    if segment.shards > 1:
        text = f"{segment.shards} shards divide the traffic: in the same delay groups form among a {segment.shards}th of the records; " \
               f"expect about {loss_factor(segment.shards):.1f} times the information loss"
        findings.warn((*loc, "shards"), text, "one shard, as long as one core keeps up; or a longer max_delay")
    before = len(findings.errors)
    _check_quasi_identifiers(loc, segment, policy, tree, hierarchies, findings)
    if len(findings.errors) == before:
        _check_memory(loc, segment, policy, hierarchies, findings)
    _check_release(loc, segment, policy, tree, findings)
    check_privacy_models(loc, segment, policy, tree, hierarchies, findings)


def _check_zero_delay(loc: Path, segment: AnonymizedSegment, findings: Findings) -> None:
    for key, rules in (("l_diversity", segment.l_diversity), ("t_closeness", segment.t_closeness), ("alpha_k", segment.alpha_k)):
        if rules is not None:
            findings.error((*loc, key), f"'{key}' is about groups, and mode zero_delay forms none", "mode: buffered", at_key=True)
    if segment.algorithm != "slide_grow":
        findings.error((*loc, "algorithm"), "mode zero_delay forms no groups", "omit the algorithm")
    text = "mode zero_delay protects each value by itself: a combination of common values can still single out a person"
    findings.warn((*loc, "mode"), text, "mode: buffered, where a delay is acceptable")


def _check_memory(loc: Path, segment: AnonymizedSegment, policy: Policy, hierarchies: Mapping[str, Hierarchy], findings: Findings) -> None:
    """Refuse a buffer that takes more memory than a shard may have."""
    fields = {path: policy.fields[path] for path in segment.quasi_identifiers}
    if any(field.hierarchy is not None and field.hierarchy not in hierarchies for field in fields.values()):
        return
    try:
        space = Space({path: dimension(field, hierarchies, segment.categories, path.endswith("[*]")) for path, field in fields.items()})
    except PolicyError:  # noted where the field is declared
        return
    buffered = segment.mode == "buffered"
    each = record_bytes(space, len(segment.sensitive)) if buffered else value_bytes(segment.k)
    if segment.max_buffer * each > LIMIT:
        memory = f"{segment.max_buffer * each >> 20:,} MiB a shard, {each:,} bytes a {'record' if buffered else 'value'}"
        text = f"'max_buffer' takes about {memory}; {LIMIT >> 20} MiB are allowed"
        findings.error((*loc, "max_buffer"), text, f"at most {LIMIT // each:,}")


def _check_quasi_identifiers(
    loc: Path, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, hierarchies: Mapping[str, Hierarchy], findings: Findings
) -> None:
    seen: set[str] = set()
    for number, path in enumerate(segment.quasi_identifiers):
        place, name = (*loc, "quasi_identifiers", number), cut(path)
        field = _quasi_field(policy, tree, findings, place, path)
        if field is None:
            continue
        if path in seen:
            findings.error(place, f"'{name}' is a duplicate")
        elif path == policy.subject:
            findings.error(place, f"'{name}' is the subject, not a quasi-identifier")
        elif field.role != "quasi":
            findings.error(place, f"'{name}' is of class {field.role}, not quasi", "name fields of class quasi")
        else:
            _check_dimension(place, path, field, segment.categories, hierarchies, findings)
        seen.add(path)


def _quasi_field(policy: Policy, tree: FieldTree, findings: Findings, place: Path, path: str) -> Field | None:
    """The declaration of a quasi-identifier: one value, a place, or an array of labels, ``tags[*]``."""
    field = policy.fields.get(path)
    if field is not None and field.hierarchy is not None and path.endswith("[*]") and not repeats(path.removesuffix("[*]")):
        return field
    return check_single(policy, tree, findings, place, path, objects=field is not None and field.type == "geo")


def _check_dimension(
    place: Path, path: str, field: Field, categories: bool, hierarchies: Mapping[str, Hierarchy], findings: Findings
) -> None:
    ways = [way for way in GENERALISED_BY if getattr(field, way) is not None]
    if field.derive is not None or (not ways and field.type in WITHOUT_SAYING):
        return
    if not ways:
        hint = OF_TEXT if field.type in TEXTS else f"give it one of {', '.join(GENERALISED_BY)} under 'fields'"
        findings.error(place, f"'{cut(path)}' does not say how it is generalised", hint)
    elif len(ways) == 1 and not findings.has_error(("fields", path, ways[0])):
        try:
            dimension(field, hierarchies, categories, path.endswith("[*]"))
        except PolicyError as error:
            findings.refused(("fields", path, ways[0]), error)


def _check_release(loc: Path, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    seen: set[str] = set()
    for number, path in enumerate(segment.release):
        place, name = (*loc, "release", number), cut(path)
        field = check_single(policy, tree, findings, place, path)
        if field is None:
            continue
        if path in seen:
            findings.error(place, f"'{name}' is a duplicate")
        elif path == policy.subject:
            findings.error(place, f"'{name}' is the subject and cannot be released", NOT_RELEASED["identifier"])
        elif policy.event_time is not None and path == policy.event_time.field:
            findings.error(place, f"'{name}' is the event time and cannot be released", "the time of an event narrows down who it was")
        elif field.role in NOT_RELEASED:
            findings.error(place, f"'{name}' is of class {field.role} and cannot be released", NOT_RELEASED[field.role])
        seen.add(path)

