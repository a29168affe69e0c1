"""Checks of erasure: whose records they are must be known, and what no erasure reaches is said."""

from collections.abc import Mapping

from flink_masking.documents.document import cut
from flink_masking.documents.findings import Findings
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import Rule


def out_of_reach(rule: Rule) -> bool:
    """Whether a key holder opens the values of a rule after their subject was erased, too: reversible, and neither under the keys of
    subjects nor in a vault.
    """
    return rule.promises.reversible and not rule.promises.needs_vault


def check_erasure(policy: Policy, rules: Mapping[str, Mapping[str, Rule]], findings: Findings) -> None:
    """Refuse erasure without a subject, and warn of reversible values that stay open.

    Args:
        policy: without structural faults.
        rules: of masked segments, by name, by path.
        findings: where faults and warnings go.
    """
    if policy.erasure is None:
        return
    if policy.subject is None:
        findings.error(("erasure",), "a subject is erased, and the policy names none", "add 'subject: FIELD'", at_key=True)
    for name, found in rules.items():
        for path, rule in found.items():
            if out_of_reach(rule):
                message = f"'{cut(path)}' can be decrypted by key holders even after its subject was erased"
                findings.warn(("segments", name, "rules", path), message, "technique: encrypt with per_subject: true, or tokenize")
