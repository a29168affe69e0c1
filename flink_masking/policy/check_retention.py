"""Checks of what a policy keeps for some time only."""

from collections.abc import Iterable

from flink_masking.documents.findings import Findings
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import Rule


def token_domains(rules: Iterable[Rule]) -> tuple[str, ...]:
    """The key domains whose tokens rules make, sorted; rules that need a vault for keys of subjects make none."""
    promises = (rule.promises for rule in rules)
    return tuple(sorted({one.domain for one in promises if one.needs_vault and not one.needs_subject and one.domain is not None}))


def check_retention(policy: Policy, rules: Iterable[Rule], findings: Findings) -> None:
    """Warn where tokens are kept for some time only, and no rule makes any.

    Args:
        policy: without structural faults.
        rules: of masked segments.
        findings: where warnings go.
    """
    if policy.vault is not None and not token_domains(rules):
        findings.warn(("vault",), "no rule makes tokens that could expire", "omit it; it is for technique: tokenize", at_key=True)
