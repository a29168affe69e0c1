"""Granted segments: from what is written to the rules of the masked segment that they are of, and what a grant may ask for."""

from collections.abc import Mapping
from dataclasses import replace

from flink_masking.documents.document import cut
from flink_masking.documents.faults import did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.errors import InputError, PolicyError
from flink_masking.policy.check_schema import derived_schemas
from flink_masking.policy.check_sweep import Sweeping
from flink_masking.policy.fields import KINDS, OBJECT_TYPES
from flink_masking.policy.model import Policy
from flink_masking.policy.outcomes import view_of
from flink_masking.policy.rules import DEFAULT, Rule
from flink_masking.policy.segments import GrantedSegment, GrantedView, MaskedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.policy.tree import FieldTree
from flink_masking.records.codec import FORMATS, Result, View
from flink_masking.techniques.base import Action
from flink_masking.techniques.partial import PartialParams
from flink_masking.techniques.promises import Shows

HEADER = "grants"
"""The header in Kafka that tells the ids of the grants that opened a record."""
TEXTUAL = frozenset(KINDS) - {"boolean", "date", "datetime", "integer", "number", "time", *OBJECT_TYPES}
"""Types of fields that schemas have as texts."""


def with_granted(policy: Policy, findings: Findings) -> Policy:
    """The policy with a `GrantedView` in place of each granted segment; what is wrong goes to `findings`.

    Args:
        policy: with its tags written out.
        findings: where faults go. Faults of rules that follow from the masked segment are told at the rules there.
    """
    segments = dict(policy.segments)
    for name, segment in policy.segments.items():
        if isinstance(segment, GrantedSegment) and (made := _written_out(name, segment, policy, findings)) is not None:
            segments[name] = made
    return policy if segments == policy.segments else policy.model_copy(update={"segments": segments})


def _written_out(name: str, segment: GrantedSegment, policy: Policy, findings: Findings) -> GrantedView | None:
    loc = ("segments", name)
    base = policy.segments.get(segment.of)
    masked = [other for other, found in policy.segments.items() if isinstance(found, MaskedSegment)]
    if not isinstance(base, MaskedSegment):
        what = "is not a segment" if base is None else f"is {base.view}, and a grant opens records of a masked segment"
        findings.error((*loc, "of"), f"'{cut(segment.of)}' {what}", did_you_mean(segment.of, masked, "masked segments"))
        return None
    if policy.record is not None:
        findings.later((*loc, "view"), "a granted view of changes of rows", "grant views of streams whose records are rows")
        return None
    if DEFAULT in segment.may_show:
        findings.error((*loc, "may_show", DEFAULT), "a grant opens fields by name, and '*' stands for all others", "name each field",
                       at_key=True)
        return None
    for path in base.rules:
        findings.document.stand_in((*loc, "rules", path), ("segments", segment.of, "rules", path))
    for path in segment.may_show:
        findings.document.stand_in((*loc, "rules", path), (*loc, "may_show", path))
    whole = _tree(policy)
    replaced = {_place(whole, path) for path in segment.may_show}
    rules = {path: spec for path, spec in base.rules.items() if path == DEFAULT or _place(whole, path) not in replaced}
    return GrantedView(
        view="granted", rules={**rules, **segment.may_show}, unknown_fields=base.unknown_fields, key_versions=base.key_versions,
        record=base.record, keys=base.keys, order=base.order, of=segment.of, may_show=segment.may_show,
        max_duration=segment.max_duration, max_records=segment.max_records, approvals=segment.approvals)


def _tree(policy: Policy) -> FieldTree:
    tree = FieldTree()
    for path in policy.fields:
        try:
            tree.add(path)
        except PolicyError:  # a fault of the field
            continue
    return tree


def _place(tree: FieldTree, path: str) -> str:
    """A path in the spelling of its declaration; as it is where it is none, which the check of rules reports."""
    try:
        return tree.find(path) or path
    except PolicyError:
        return path


def check_granted(name: str, segment: GrantedView, rules: Mapping[str, Mapping[str, Rule]], sweeps: Mapping[str, Sweeping],
                  tree: FieldTree, policy: Policy, source: PolicySource, findings: Findings) -> None:
    """Refuse what a granted view cannot show in single records of its masked segment.

    Args:
        name: of the granted segment.
        segment: it.
        rules: of all masked segments and of this one, by path.
        sweeps: of all masked segments.
        tree: the declared paths.
        policy: the policy.
        source: its files.
        findings: where faults go.
    """
    mine, base = rules[name], rules.get(segment.of, {})
    if segment.record is not None and HEADER in segment.record.headers:
        findings.error(("segments", name, "of"), f"'{cut(segment.of)}' has a header '{HEADER}', which tells the grants of each record here",
                       "name the header otherwise")
    swept = sweeps[segment.of].fields if segment.of in sweeps else ()
    schemas = bool(FORMATS[policy.format].schemas) or policy.described
    views = [view_of(policy, segment.of, base), view_of(policy, name, mine)] if schemas and segment.of in rules else []
    for path in segment.may_show:
        loc, place = ("segments", name, "may_show", path), _place(tree, path)
        if (rule := mine.get(place)) is None:
            continue  # a fault of the rule
        if not rule.promises.row_local:
            findings.error(loc, f"'{rule.technique.name}' takes values from other records, which no grant is for", "another technique")
        if place in swept or any(place in tree.under(field) for field in swept):
            findings.error(loc, f"'{cut(path)}' has no rule of its own in '{cut(segment.of)}', and is searched for personal data there",
                           f"write a rule for it in '{cut(segment.of)}'")
        if views and (place not in base or not _alike(place, views[0], views[1], policy, source)):
            findings.error(loc, f"the view's schema cannot hold records with and without a grant for '{cut(path)}'",
                           f"a technique with results of the same type as in '{cut(segment.of)}', and the same on_error")


def _alike(place: str, masked: View, granted: View, policy: Policy, source: PolicySource) -> bool:
    """Whether one schema holds the values of a field as a masked segment and as a grant shows them.

    Where the schema is not known here, it is taken for one of texts where the field is of a type that is text.
    """
    one, other = masked.outcomes[place], granted.outcomes[place]
    if one == other:
        return True
    if policy.schema_files is None:
        texts = {Result.KEEP, Result.SAME, Result.KIND, Result.TEXT}
        return (policy.fields[place].type in TEXTUAL and {one.result, other.result} <= texts
                and one._replace(result=Result.TEXT) == other._replace(result=Result.TEXT))
    shown = replace(masked, outcomes={**masked.outcomes, place: other})
    try:
        written = [[text for _, _, text, _ in derived_schemas(policy, {view.name: view}, source)] for view in (masked, shown)]
    except (InputError, PolicyError):
        return True  # a fault of the schema, which is told by itself
    return written[0] == written[1] and one.nullable == other.nullable and one.absent == other.absent


def no_more(asked: Rule, most: Rule) -> bool:
    """Whether a rule shows no more of any value than another one; False where that is not known.

    The same rule, one that leaves nothing of a value, any rule where the value may be kept, and partial with fewer characters.
    """
    if asked.technique.action is Action.KEEP:
        return most.technique.action is Action.KEEP
    if not asked.promises.row_local:
        return False
    if most.technique.action is Action.KEEP or asked.technique.action is Action.DROP:
        return True
    if asked.promises.shows is Shows.NOTHING and not asked.promises.reversible and not asked.promises.lasting:
        return True
    if asked.technique.name != most.technique.name or getattr(asked.technique, "parts", None) != getattr(most.technique, "parts", None):
        return False
    mine, theirs = asked.params, most.params
    if isinstance(mine, PartialParams) and isinstance(theirs, PartialParams):
        fewer = mine.keep_first <= theirs.keep_first and mine.keep_last <= theirs.keep_last
        rest = {"keep_first", "keep_last", "on_error", "mask"}
        return fewer and mine.model_dump(exclude=rest) == theirs.model_dump(exclude=rest)
    return mine.model_dump(exclude={"on_error"}) == theirs.model_dump(exclude={"on_error"})
