"""Checks of policies for records that are one text each: one field, and rules that make a text of a text."""

from collections.abc import Mapping

from flink_masking.documents.document import cut
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import MaskedSegment
from flink_masking.records.paths import parse_path
from flink_masking.techniques.base import Action

_NO_TEXT = (*OBJECT_TYPES, "number", "integer", "boolean")


def check_single_field(policy: Policy, findings: Findings) -> None:
    """Check that a policy declares the one field that a record is, and asks for views of texts only."""
    for number, (path, field) in enumerate(policy.fields.items()):
        try:
            plain = len(parse_path(path)) == 1 and isinstance(parse_path(path)[0], str)
        except PolicyError:
            continue  # a fault of its own
        if number:
            findings.error(("fields", path), "a record of text is one field, and another one is declared before", "declare one field",
                           at_key=True)
        elif not plain:
            findings.error(("fields", path), f"'{cut(path)}' names a part of a record, and a record of text is one field",
                           "such as text: {class: free_text}", at_key=True)
        elif field.type in _NO_TEXT or field.role == "measure" or field.domain is not None:
            findings.error(("fields", path), "a record of text is a text, and the field is declared as something else",
                           "such as {class: free_text}, or a type of text such as email")
    if policy.unknown_fields == "scan":
        findings.error(("unknown_fields",), "a record of text has no undeclared members", "omit it, and use redact_text")
    for name, segment in policy.segments.items():
        if not isinstance(segment, MaskedSegment):
            findings.error(("segments", name, "view"), "a record of text has one field, and groups need several", "view: masked")


def check_single_rules(name: str, segment: MaskedSegment, rules: Mapping[str, Rule], findings: Findings) -> None:
    """Check that every rule makes a text of a text."""
    for path, rule in rules.items():
        place = ("segments", name, "rules", path) if path in segment.rules else ("segments", name, "rules")
        if rule.technique.action is Action.DROP:
            findings.error(place, "the field is the record, and nothing would be left of it",
                           "redact_text, or redact; an audience that receives nothing needs no segment")
        elif rule.promises.always_null:
            findings.error(place, f"'{rule.technique.name}' makes null, and a text is never null", "redact_text, or redact")
        elif rule.params.on_error not in ("redact", "quarantine"):
            findings.error(place, f"on_error: {rule.params.on_error} would leave nothing of a record", "on_error: redact, or quarantine")
