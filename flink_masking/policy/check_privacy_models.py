"""Checks of what groups must satisfy besides k: l-diversity, t-closeness, (alpha, k)."""

from collections.abc import Mapping

from flink_masking.documents.document import Path, cut
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.policy.check_fields import check_single
from flink_masking.policy.mechanisms import privacy_models, sensitive_domain
from flink_masking.policy.model import Policy
from flink_masking.policy.privacy_models import Alpha, Closeness, Diversity
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.policy.tree import FieldTree


def check_privacy_models(
    loc: Path, segment: AnonymizedSegment, policy: Policy, tree: FieldTree, hierarchies: Mapping[str, Hierarchy], findings: Findings
) -> None:
    """Note rules that name no sensitive field, cannot be met, or contradict each other."""
    before = len(findings.errors)
    written: list[tuple[str, tuple[Diversity | Closeness | Alpha, ...]]] = [
        ("l_diversity", segment.diversities), ("t_closeness", segment.closenesses), ("alpha_k", segment.alphas)]
    for key, rules in written:
        for number, rule in enumerate(rules):
            _check_rule((*loc, key, number), rule, segment.k, policy, tree, findings)
    if len(findings.errors) > before or any(rule.hierarchy and rule.hierarchy not in hierarchies for rule in segment.closenesses):
        return
    try:
        domains = {path: sensitive_domain(path, segment, policy, hierarchies) for path in segment.sensitive}
        privacy_models(segment, domains, hierarchies, policy, lambda path, values: tuple(range(len(values))))
    except PolicyError as error:
        findings.refused((*loc, "t_closeness"), error)
        return
    for alpha in segment.alphas:
        if alpha.values and domains[alpha.field] is None and any(rule.field == alpha.field for rule in segment.closenesses):
            message = "'values' of a field that t_closeness compares without a list of its values"
            findings.error((*loc, "alpha_k"), message, "list them in 't_closeness' too: values: [...]")


def _check_rule(place: Path, rule: Diversity | Closeness | Alpha, k: int, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    field = check_single(policy, tree, findings, (*place, "field"), rule.field)
    if field is not None and field.role != "sensitive":
        message = f"'{cut(rule.field)}' is of class {field.role}, not sensitive"
        findings.error((*place, "field"), message, "name a field of class sensitive")
    if isinstance(rule, Diversity) and rule.l > k:
        findings.error((*place, "l"), f"'l' must be at most k, {k}", "k people cannot have more than k values")
    if isinstance(rule, Alpha) and rule.alpha * k < 1:
        findings.error((*place, "alpha"), f"'alpha' must be at least 1/k, 1/{k}", "one of k people has the share 1/k already")
