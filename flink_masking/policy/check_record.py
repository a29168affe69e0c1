"""Checks of what a masked segment does with Kafka's own parts of a record: key, headers, timestamp."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flink_masking.contract.field import Contract, contract_of
from flink_masking.contract.forms import FORMS
from flink_masking.documents.document import Path, cut
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.facts import part_context
from flink_masking.policy.rules import Rule, RuleCompiler, bind
from flink_masking.policy.segments import MaskedSegment, RecordParts, RuleSpec
from flink_masking.policy.source import PolicySource
from flink_masking.records.kinds import TEXT, Kind
from flink_masking.techniques.base import Action
from flink_masking.techniques.promises import Shows

KEY, HEADERS = "record.key", "record.headers."
"""Names of the parts, in audit events and quarantine records."""
SCHEMA_HEADER = "__value_schema_id"
"""The header that names a value's schema, as `flink_masking.records.framing` reads it."""
ADDED = ("policy_version", "policy_digest", "key_version")
"""Headers that every masked segment on Kafka carries."""


@dataclass(frozen=True)
class RecordRules:
    """Rules of a masked segment for the parts that leave; a rule's path is the part's name.

    Attributes:
        key: the rule for the key; None: the key is dropped.
        headers: by the header's name; others are dropped.
        timestamp: whether Kafka's timestamp goes along.
        contracts: what is checked of the parts that have a type, by the part's name.
    """

    key: Rule | None = None
    headers: Mapping[str, Rule] = field(default_factory=dict)
    timestamp: bool = False
    contracts: Mapping[str, Contract] = field(default_factory=dict)

    @property
    def rules(self) -> list[Rule]:
        """All rules, the key's first."""
        return [*([self.key] if self.key else []), *self.headers.values()]


def check_record(name: str, segment: MaskedSegment, keys: KeyRing, source: PolicySource, compiler: RuleCompiler,
                 findings: Findings) -> RecordRules:
    """The rules of a segment, its parts that are dropped left out; faults and warnings go to `findings`.

    Args:
        name: of the segment.
        segment: as written.
        keys: a throw-away ring.
        source: for the files that rules name.
        compiler: for the warnings of techniques.
        findings: where faults go.
    """
    record = segment.record
    if record is None:
        return RecordRules()
    loc: Path = ("segments", name, "record")
    key = None if record.key is None else _rule(KEY, record.key, (*loc, "key"), keys, source, compiler, findings)
    if key is not None and key.promises.shows is Shows.EXACT:
        findings.warn((*loc, "key"), "the key of each record is kept in clear", "mask it, unless it says nothing of a person")
    headers: dict[str, Rule] = {}
    for header, spec in record.headers.items():
        at = (*loc, "headers", header)
        if header == "*":
            findings.error(at, "headers are named one by one", "a header without a rule is dropped", at_key=True)
        elif header in ADDED:
            findings.error(at, f"'{header}' is a header that every masked segment is given", "omit it", at_key=True)
        elif not header.isprintable():
            findings.error(at, "the name of a header has characters that cannot be printed", "letters, digits, '-' and '_'", at_key=True)
        elif (rule := _rule(HEADERS + header, spec, at, keys, source, compiler, findings)) is not None:
            headers[header] = rule
    return RecordRules(key, headers, record.timestamp == "keep", _contracts(record, key is not None, headers, loc, findings))


def check_schema_header(name: str, record: RecordRules, framing: str, findings: Findings) -> None:
    """Refuse a rule for the header that names the schema of a raw value: the view names its own, in front of the value."""
    if framing == "confluent" and SCHEMA_HEADER in record.headers:
        findings.error(("segments", name, "record", "headers", SCHEMA_HEADER), f"'{SCHEMA_HEADER}' names the schema of the raw record",
                       "omit it: each record of a view has the identifier of its own schema in front of its value", at_key=True)


def _contracts(record: RecordParts, keyed: bool, headers: Mapping[str, Rule], loc: Path, findings: Findings) -> dict[str, Contract]:
    """What is checked of the parts that leave and have a type."""
    declared = {HEADERS + name: (kind, (*loc, "header_types", name), name in headers) for name, kind in record.header_types.items()}
    if record.key_type is not None:
        declared[KEY] = record.key_type, (*loc, "key_type"), keyed
    found: dict[str, Contract] = {}
    textual = [kind for kind, form in FORMS.items() if form.kinds == TEXT]
    for part, (kind, at, leaves) in declared.items():
        if kind not in textual:
            findings.error(at, f"'{cut(kind)}' is no type whose form can be checked in a text", f"one of {', '.join(textual)}")
        elif not leaves:
            findings.error(at, f"'{cut(part)}' does not leave, so it has no values to check", "give it a rule, or omit the type")
        elif (contract := contract_of(kind, True)) is not None:
            found[part] = contract
    return found


def _rule(part: str, spec: RuleSpec, loc: Path, keys: KeyRing, source: PolicySource, compiler: RuleCompiler,
          findings: Findings) -> Rule | None:
    """The rule for a part; None when it is dropped, or wrong."""
    pair = bind(spec, loc, findings)
    if pair is None or pair[0].action is Action.DROP:
        return None
    technique, params = pair
    promises = technique.promises(params)
    if not promises.row_local:
        findings.error(loc, f"'{technique.name}' moves values between records, which is for fields", "another technique, or 'drop'")
    elif Kind.STRING not in technique.inputs:
        findings.error(loc, f"'{technique.name}' does not take text, and '{cut(part)}' is text", "another technique, or 'drop'")
    else:
        try:
            technique.check(params, replace(part_context(part, "", keys, source), has_subject=True))
        except PolicyError as error:
            findings.refused(loc, error)
            return None
        if promises.needs_subject:
            message = f"'{technique.name}' masks by the person whom a record is about, and a record without a value does not tell"
            findings.error(loc, message, "another technique, or 'drop'")
            return None
        compiler.warn_of(technique, params, loc)
        return Rule(part, technique, params)
    return None
