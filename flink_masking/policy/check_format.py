"""Checks of the records' format: what it can hold, and the columns of one with a header."""

from collections.abc import Iterator, Mapping

from flink_masking.documents.document import cut
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.check_text import check_single_field, check_single_rules
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.model import Policy
from flink_masking.policy.near import near_field
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import MaskedSegment
from flink_masking.policy.tree import FieldTree, repeats
from flink_masking.records.codec import FORMATS
from flink_masking.records.paths import Wild, format_path, labels, parse_path


def check_format(policy: Policy, tree: FieldTree, findings: Findings) -> None:
    """Check that the format is known and can hold the declared fields, and that columns and fields fit each other."""
    found = FORMATS.get(policy.format)
    if found is None:
        findings.later(("format",), f"format {policy.format}", f"use {' or '.join(FORMATS)}")
        return
    if (not found.header or found.schemas) and policy.columns is not None:
        findings.error(("columns",), f"records of format {policy.format} have no header", "omit 'columns'", at_key=True)
    for key, given in (("framing", policy.framing != "none"), ("schema", policy.schema_files is not None)):
        if given and not found.framings:
            findings.error((key,), f"records of format {policy.format} have no schema", f"omit '{key}', or format: avro", at_key=True)
    if policy.message is not None and not found.messages:
        findings.error(("message",), f"a schema of format {policy.format} has one kind of records", "omit 'message'", at_key=True)
    if found.framings and policy.framing not in found.framings:
        findings.error(("framing",), f"records of format {policy.format} have no such framing", f"use {' or '.join(found.framings)}")
    if found.schemas and not found.header and policy.framing == "none" and policy.schema_files is None:
        findings.error(("format",), "records without framing do not tell their schema",
                       "schema: orders.desc, made by protoc --include_imports --descriptor_set_out; or a framing")
    if found.single:
        check_single_field(policy, findings)
    elif not found.nested:
        for path, field in policy.fields.items():
            if field.type in OBJECT_TYPES:
                hint = "declare each of its columns by itself, such as place.lat and place.lon"
                findings.error(("fields", path, "type"), f"a cell of {policy.format} holds no object", hint)
            elif _several(path):
                hint = "a path in CSV is the name of one column, such as address.city"
                findings.error(("fields", path), f"a record of {policy.format} has no arrays and no open objects", hint, at_key=True)
    if policy.each is not None:
        _check_each(policy.each, found.nested and not found.schemas, policy, findings)
        if policy.described and not found.schemas:
            findings.error(("each",), "a record that is a part of a document has no framing and no schema of its own",
                           "omit 'each', or 'framing' and 'schema'", at_key=True)
    if found.header and not found.schemas and policy.columns is not None:
        for number, message, hint in column_faults(policy, policy.columns):
            findings.error(("columns",) if number is None else ("columns", number), message, hint)


def _check_each(each: str, nested: bool, policy: Policy, findings: Findings) -> None:
    """Check that `each` names the elements of an array."""
    try:
        steps = parse_path(each)
    except PolicyError as error:
        findings.refused(("each",), error)
        return
    if not nested:
        findings.error(("each",), f"a record of {policy.format} has no arrays", "omit 'each'", at_key=True)
    elif steps[-1] is not Wild.ELEMENT or not all(isinstance(step, str) or step is Wild.ELEMENT for step in steps):
        findings.error(("each",), f"'{cut(each)}' does not name the elements of an array", "such as Records[*]")


def column_faults(policy: Policy, columns: tuple[str, ...]) -> Iterator[tuple[int | None, str, str]]:
    """What does not fit between columns and fields: the number of the column or None, the message and a hint."""
    fields = {label: path for path in policy.fields if (label := _label(path)) is not None}
    meant: dict[str, str] = {}
    if columns and not any(label in fields for name in columns for label in labels(name)):
        yield None, "no column is a declared field", "the first line names the columns, with commas between; declare them under 'fields'"
        return
    for number, name in enumerate(columns):
        label = next((label for label in labels(name) if label in fields), labels(name)[-1])
        if label in meant:
            yield number, f"the column '{cut(name)}' is a duplicate", "give each column its own name"
        elif label not in fields and policy.unknown_fields == "quarantine":
            hint = near_field(name, policy.fields) or "declare it under 'fields', or unknown_fields: drop"
            yield number, f"the column '{cut(name)}' is no declared field: every record would be quarantined", hint
        meant[label] = name
    for label, path in fields.items():
        if label not in meant and not policy.fields[path].optional:
            message = f"no column is named '{cut(path)}', and the field is not optional"
            yield None, message, "add it, or declare the field with 'optional: true'"


def check_masked_format(name: str, segment: MaskedSegment, rules: Mapping[str, Rule], policy: Policy, findings: Findings) -> None:
    """Check that a masked segment asks for nothing that the format cannot hold."""
    found = FORMATS.get(policy.format)
    if found is None or (found.nested and not found.schemas and not policy.described):
        return
    if segment.key_versions:
        hint = f"omit it; flink-masking unmask takes --key-version for {policy.format}"
        message = f"a record of {policy.format} has no place for an object" if not policy.described or found.schemas else \
            "a record with a schema has no place for a member that the schema lacks"
        findings.error(("segments", name, "key_versions"), message, hint)
    if found.single:
        check_single_rules(name, segment, rules, findings)
    if found.nested or found.single:
        return
    for path, rule in rules.items():
        if path not in policy.fields and rule.technique.action is None:  # keep and drop are carried out on each of its columns
            hint = "write a rule for each of its columns, or drop it"
            findings.error(("segments", name, "rules", path), f"'{cut(path)}' is no column but the name of several", hint)


def _label(path: str) -> str | None:
    try:
        return format_path(parse_path(path))
    except PolicyError:
        return None


def _several(path: str) -> bool:
    try:
        return repeats(path)
    except PolicyError:
        return False  # a fault of its own
