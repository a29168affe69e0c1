"""Checks of a whole policy, segment by segment; what is compiled on the way is kept."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flink_masking.contract.field import Contract
from flink_masking.documents.document import cut
from flink_masking.documents.findings import Findings
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.check_aggregated import check_aggregated
from flink_masking.policy.check_anonymized import check_anonymized
from flink_masking.policy.check_composition import check_composition
from flink_masking.policy.check_contract import check_contracts, warn_unchecked
from flink_masking.policy.check_domains import check_domains
from flink_masking.policy.check_envelope import check_envelope
from flink_masking.policy.check_erasure import check_erasure
from flink_masking.policy.check_fields import check_fields, check_names, read_hierarchies
from flink_masking.policy.check_format import check_format, check_masked_format
from flink_masking.policy.check_keys import check_keys
from flink_masking.policy.check_order import check_order
from flink_masking.policy.check_record import RecordRules, check_record, check_schema_header
from flink_masking.policy.check_retention import check_retention
from flink_masking.policy.check_schema import check_schema
from flink_masking.policy.check_sweep import Sweeping, check_sweep, check_unknown
from flink_masking.policy.facts import Facts
from flink_masking.policy.granted import check_granted
from flink_masking.policy.model import TOPIC, Policy
from flink_masking.policy.outcomes import view_of
from flink_masking.policy.rules import Rule, RuleCompiler
from flink_masking.policy.segments import KEY_VERSIONS, AggregatedSegment, AnonymizedSegment, GrantedView, MaskedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.policy.tree import FieldTree
from flink_masking.techniques import registry

RESERVED = ("audit", "quarantine", "packed", "summary.json")
"""Outputs of every job, which no segment can be named after."""


@dataclass(frozen=True)
class Compiled:
    """Results of the checks.

    Attributes:
        facts: what techniques may know of fields.
        rules: of masked segments, by name, by path.
        groups: rules of `group_by` of aggregated segments, by name.
        records: rules for Kafka's parts of the records of masked segments, by name.
        keys: rules for the keys of open objects of masked segments, by name, by path.
        sweeps: what masked segments sweep, by name.
        contracts: what is checked of the fields that a view shows, by path.
        tree: the declared paths.
    """

    facts: Facts
    rules: dict[str, dict[str, Rule]] = field(default_factory=dict)
    groups: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    records: dict[str, RecordRules] = field(default_factory=dict)
    keys: dict[str, dict[str, Rule]] = field(default_factory=dict)
    sweeps: dict[str, Sweeping] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    tree: FieldTree = field(default_factory=FieldTree)

    def masking(self) -> Iterator[tuple[str, Rule]]:
        """The rules of masked segments for fields, parts of records, keys and undeclared members, with the segment's name."""
        for name, found in self.rules.items():
            yield from ((name, rule) for rule in found.values())
        for name, parts in self.records.items():
            yield from ((name, rule) for rule in parts.rules)
        for name, found in self.keys.items():
            yield from ((name, rule) for rule in found.values())
        for name, sweeping in self.sweeps.items():
            yield from ((name, rule) for rule in [sweeping.undeclared] if rule is not None)


def check(policy: Policy, source: PolicySource, findings: Findings, named: Callable[[str], str] = str) -> Compiled:
    """Run every check and compile every rule; faults and warnings go to `findings`.

    Args:
        policy: with a checked structure.
        source: for the files that it names.
        findings: where faults go.
        named: gives the path that techniques know a field by.
    """
    tree = check_fields(policy, findings)
    check_format(policy, tree, findings)
    check_names(policy, tree, findings)
    check_unknown(policy, findings)
    facts = Facts(policy, tree, read_hierarchies(policy, source, findings), named)
    keys = KeyRing.ephemeral()
    compiler = RuleCompiler(policy, tree, lambda path: facts.rule_context(path, keys, source), findings)
    compiled = Compiled(facts, contracts=check_contracts(policy, findings), tree=tree)
    for name, segment in policy.segments.items():
        _check_name(name, policy, findings)
        match segment:
            case MaskedSegment():
                # Of a granted view, what is shown in clear is meant, and all else is warned of in its masked segment.
                into = Findings(findings.document) if isinstance(segment, GrantedView) else findings
                compiler = RuleCompiler(policy, tree, lambda path: facts.rule_context(path, keys, source), into)
                compiled.rules[name], by_default = compiler.masked(name, segment)
                compiled.sweeps[name] = check_sweep(name, segment, by_default, policy, compiler, into)
                compiled.records[name] = check_record(name, segment, keys, source, compiler, into)
                check_schema_header(name, compiled.records[name], policy.framing, into)
                compiled.keys[name] = check_keys(name, segment, compiled.rules[name], tree, compiler, into)
                _check_key_versions(name, segment, compiled.rules[name], policy, tree, into)
                check_masked_format(name, segment, compiled.rules[name], policy, into)
                if into is not findings:
                    findings.faults += into.errors
            case AnonymizedSegment():
                check_anonymized(name, segment, policy, tree, facts.hierarchies, findings)
            case AggregatedSegment():
                compiled.groups[name] = check_aggregated(name, segment, policy, tree, compiler, findings)
    for name, segment in policy.segments.items():
        if isinstance(segment, GrantedView):
            check_granted(name, segment, compiled.rules, compiled.sweeps, tree, policy, source, findings)
    views = {name: view_of(policy, name, rules) for name, rules in compiled.rules.items()} if policy.schema_files is not None else {}
    if policy.record is None:  # where rows stand in envelopes, the schema is that of the envelope
        check_schema(policy, views, source, findings)
    warn_unchecked(policy, tree, compiled.rules, compiled.contracts, findings)
    check_domains(policy, findings)
    check_composition(policy, compiled.rules, facts, findings)
    check_order(policy, compiled.rules, findings)
    check_erasure(policy, compiled.rules, findings)
    check_retention(policy, [rule for _, rule in compiled.masking()], findings)
    check_envelope(policy, tree, compiled.rules, compiled.sweeps, findings)
    return compiled


def _check_key_versions(name: str, segment: MaskedSegment, rules: dict[str, Rule], policy: Policy, tree: FieldTree,
                        findings: Findings) -> None:
    if not segment.key_versions:
        return
    loc = ("segments", name, "key_versions")
    if tree.find(KEY_VERSIONS) is not None:
        findings.error(loc, f"the member '{KEY_VERSIONS}' that it adds is declared as a field", "rename the field")
    if policy.unknown_fields == "redact":  # an undeclared member of that name would stay, and the key would be a duplicate
        findings.error(loc, "it does not go together with 'unknown_fields: redact'", "quarantine or drop unknown fields")
    if not any(rule.promises.version_beside for rule in rules.values()):
        text = "the segment has no rule whose results need a key version beside them"
        findings.warn(loc, text, f"omit it; it is for {', '.join(registry.those(lambda promises: promises.version_beside))}")


def _check_name(name: str, policy: Policy, findings: Findings) -> None:
    if not re.fullmatch(TOPIC, name):
        hint = "letters, digits, '.', '_' and '-', not first '.' or '_'"
        findings.error(("segments", name), f"'{cut(name)}' cannot name a topic and a directory", hint, at_key=True)
    elif name in RESERVED or (policy.audit is not None and name == policy.audit.sink):
        findings.error(("segments", name), f"'{name}' is the name of another output", "name the segment otherwise", at_key=True)
    elif name == "sql" and policy.reverse is not None and policy.reverse.requires_grant:
        findings.error(("segments", name), "grants of kind reverse name 'sql' for the inverse functions of Flink SQL",
                       "name the segment otherwise", at_key=True)
