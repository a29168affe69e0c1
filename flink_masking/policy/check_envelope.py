"""Checks of a policy whose records are changes of a table's rows."""

from collections.abc import Iterator, Mapping

from flink_masking.documents.document import cut
from flink_masking.documents.faults import did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.check_sweep import Sweeping
from flink_masking.policy.envelope import SHAPES, Envelope
from flink_masking.policy.expand import NUMERALS, key_layout_of
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.model import Policy
from flink_masking.policy.near import near_field
from flink_masking.policy.rules import DEFAULT, Rule, bind
from flink_masking.policy.segments import MaskedSegment
from flink_masking.policy.tree import FieldTree, several
from flink_masking.records.codec import FORMATS
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import format_path, parse_path
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action
from flink_masking.techniques.promises import Promises, Shows

LOC = ("record",)


def check_envelope(policy: Policy, tree: FieldTree, rules: Mapping[str, Mapping[str, Rule]], sweeps: Mapping[str, Sweeping],
                   findings: Findings) -> None:
    """Check that a policy can be carried out on changes of rows, so that all images of a row and its key stay the same row's.

    Args:
        policy: with paths within the row.
        tree: its fields.
        rules: of its masked segments, by name, by path.
        sweeps: what its masked segments sweep, by name.
        findings: where faults go.
    """
    envelope = policy.record
    if envelope is None:
        return
    _check_formats(policy, envelope, findings)
    if policy.each is not None:
        findings.error(("each",), "a document of several records and an envelope do not go together", "omit one of the two", at_key=True)
    _check_fields(policy, envelope, findings)
    _check_metadata(envelope, findings)
    keys = _check_key(policy, envelope, tree, findings)
    for name, segment in policy.segments.items():
        if isinstance(segment, MaskedSegment):
            _check_segment(name, segment, rules.get(name, {}), envelope, findings)
            if envelope.wrapped and (sweep := sweeps.get(name)) is not None and (sweep.fields or sweep.undeclared is not None):
                message = "members without a rule of their own are swept, and no schema can say before which of them become text"
                findings.error(("segments", name), message, "a rule for each field, and unknown_fields: drop", at_key=True)
            if keys:
                _check_key_rules(name, segment, rules.get(name, {}), envelope, tree, findings)
        else:
            what = ("k-anonymity is promised for records that stay; an update or a delete would change a group that is already published"
                    if segment.view == "anonymized" else "an update would count its row again, and a delete would not take it out")
            hint = "use a masked view here; publish this view from an append-only stream of its own"
            findings.error(("segments", name, "view"), f"view {segment.view} is not supported over changes of rows: {what}", hint)


def _check_formats(policy: Policy, envelope: Envelope, findings: Findings) -> None:
    """Check that there is such an envelope in the format of the records, and that the schema of keys can be told."""
    if policy.format not in ("json", "avro"):
        message = f"envelopes are read in the formats json and avro, not {policy.format}"
        findings.error(("format",), message, "format: json or avro, or omit 'record'")
        return
    if policy.format == "avro" and not SHAPES[envelope.envelope].avro:
        findings.error((*LOC, "envelope"), f"changes of {envelope.envelope} are written in JSON only", "format: json")
    if envelope.wrapped and (policy.format == "avro" or policy.described):
        hint = "omit it; the schema of a record with framing or a given schema does not stand in the record"
        findings.error((*LOC, "wrapped"), "only JSON without a schema of its own is wrapped in {schema, payload}", hint, at_key=True)
    kind, framing = key_layout_of(policy, envelope)
    allowed = FORMATS[kind].framings if kind in FORMATS else ()
    for key in ("key_framing", "key_schema"):
        if getattr(envelope, key) is not None and (not allowed or envelope.wrapped):
            findings.error((*LOC, key), "only keys that are records have a schema, and no wrapped ones",
                           f"omit '{key}', or key_format: {policy.format}", at_key=True)
    if not envelope.key or not allowed:
        return
    if framing not in allowed:
        findings.error((*LOC, "key_framing"), f"keys in {kind} have no framing {framing}", f"use {' or '.join(allowed)}")
    elif kind == "avro" and envelope.key_framing is None and policy.format != "avro":
        findings.error((*LOC, "key_format"), "it is not told how keys name their schema", "such as key_framing: confluent")
    elif kind == "avro" and framing == "none" and not isinstance(envelope.key_schema, str):
        findings.error((*LOC, "key"), "keys without framing do not tell their schema",
                       "key_schema: customers-key.avsc, or key_framing: confluent")


def _check_fields(policy: Policy, envelope: Envelope, findings: Findings) -> None:
    shape = SHAPES[envelope.envelope]
    for path, field in policy.fields.items():
        if not field.optional and "" not in shape.images:
            message = f"'{cut(path)}' cannot be required: a delete has no new row, and an old one can lack columns"
            findings.error(("fields", path, "optional"), message, "omit 'optional'")
        if shape.texts:
            for key in ("domain", "bounds", "scale", "unit"):
                value = getattr(field, key)
                if value is not None and not (key == "domain" and isinstance(value[0], str)):
                    message = f"all values of {envelope.envelope} are texts, and '{key}' is for numbers"
                    hint = f"omit it; types {', '.join(NUMERALS)} check how a number is written"
                    findings.error(("fields", path, key), message, hint)


def _check_metadata(envelope: Envelope, findings: Findings) -> None:
    shape = SHAPES[envelope.envelope]
    known = [*shape.dropped, *shape.kept]
    for name, spec in envelope.metadata.items():
        loc = (*LOC, "metadata", name)
        canonical = _canonical(name)
        if canonical is None or canonical not in known or canonical.endswith("*"):
            hint = did_you_mean(name, known, "members") or f"such as {known[0]}"
            findings.error(loc, f"'{cut(name)}' is no member of {envelope.envelope} that can have a rule", hint, at_key=True)
        pair = bind(spec, loc, findings)
        if pair is not None and canonical in shape.dropped and pair[0].promises(pair[1]).shows is Shows.EXACT:
            findings.warn(loc, f"'{cut(name)}' can hold values of the row, and is kept in clear", "technique: redact_text, or drop")


def _check_key(policy: Policy, envelope: Envelope, tree: FieldTree, findings: Findings) -> bool:
    """Check the columns of the key; whether they can be used."""
    seen: set[str] = set()
    sound = True
    for number, path in enumerate(envelope.key):
        loc = (*LOC, "key", number)
        try:
            found = tree.find(path)
            wrong = found is None or several(path) or not all(isinstance(step, str) for step in parse_path(path))
        except PolicyError as error:
            findings.refused(loc, error)
            sound = False
            continue
        if wrong or found not in policy.fields or policy.fields[found].type in OBJECT_TYPES:
            hint = near_field(path, policy.fields) or "name a declared field with one value"
            findings.error(loc, f"'{cut(path)}' is no declared field of the row with one value", hint)
            sound = False
        elif found in seen:
            findings.error(loc, f"'{cut(path)}' is a duplicate", "name each column once")
            sound = False
        elif found is not None:
            seen.add(found)
    if envelope.key_format == "text" and len(envelope.key) != 1:
        findings.error((*LOC, "key_format"), "a key that is a text has one column", "key: [id], or key_format: json")
        sound = False
    return bool(envelope.key) and sound


def _check_segment(name: str, segment: MaskedSegment, rules: Mapping[str, Rule], envelope: Envelope, findings: Findings) -> None:
    loc = ("segments", name)
    if segment.order == "shuffled":
        findings.error((*loc, "order"), "changes of a row count by their order, and would not after shuffling", "order: as_read")
    if segment.record is not None and segment.record.key is not None:
        message = "the key of a changed row has the rules of its columns"
        findings.error((*loc, "record", "key"), message, "omit it, and name the columns: record: {key: [id]} at the top of the policy")
    flat = "" in SHAPES[envelope.envelope].images
    for path, rule in rules.items():
        promises, at = rule.promises, (*loc, "rules", path if path in segment.rules else DEFAULT)
        if not promises.row_local:
            message = f"'{rule.technique.name}' moves values between rows, the old and the new row each by itself"
            findings.error(at, message, "a technique that maps a value to the same value in both")
        elif promises.needs_subject and not flat:
            message = f"'{rule.technique.name}' masks by the person whom a record is about, and the two images of a row can name two"
            findings.error(at, message, "envelope: debezium_flat, or another technique")
        elif not promises.deterministic and rule.technique.action is None and not flat:
            text = f"'{rule.technique.name}' is random here: a value of '{cut(path)}' that did not change differs between old and new row"
            findings.warn(at, text, "a deterministic technique")


def _check_key_rules(name: str, segment: MaskedSegment, rules: Mapping[str, Rule], envelope: Envelope, tree: FieldTree,
                     findings: Findings) -> None:
    """Check that a segment's rules keep two keys apart, and make the same of one key each time; or drop the whole key."""
    written = {_canonical(path): path for path in segment.rules if path != DEFAULT}
    loc, dropped = ("segments", name, "rules"), []
    for column in envelope.key:
        found = tree.find(column) or column
        rule = rules.get(found)
        covering = rule or next((rules[above] for above in tree.parents(found) if above in rules), None)
        if covering is None:
            continue  # a fault of its own
        if covering.technique.action is Action.DROP:
            dropped.append(column)
        elif rule is None or _canonical(column) not in written:
            findings.error(loc, f"'{cut(column)}' is a column of the key and needs a rule of its own", f"such as {cut(column)}: keep")
        else:
            at = (*loc, written[_canonical(column)])
            for message, hint in key_faults(column, rule.technique.name, rule.promises):
                findings.error(at, message, hint)
            if envelope.key_format == "text" and Kind.STRING not in rule.technique.inputs:
                findings.error(at, f"'{rule.technique.name}' does not take text, and the key is a text", "key_format: json")
    if dropped and len(dropped) < len(envelope.key):
        message = f"'{cut(dropped[0])}' is a column of the key and is dropped, so that two rows can have one key"
        findings.error(loc, message, "drop all columns of the key, or none")


def key_faults(column: str, name: str, promises: Promises) -> Iterator[tuple[str, str]]:
    """Message and hint where a technique cannot be for a column of the key."""
    hint = ", ".join(registry.those(lambda made: made.injective and made.deterministic and bool(made.purposes)))
    if not promises.deterministic:
        yield f"'{name}' gives '{cut(column)}', a column of the key, a different value each time, and no change would find its row", hint
    elif not promises.injective:
        yield f"'{name}' with these parameters can give two values of '{cut(column)}', a column of the key, one result", hint
    elif promises.needs_subject:
        yield f"'{name}' masks by the person whom a record is about, and a delete does not tell", hint


def _canonical(path: str) -> str | None:
    try:
        return format_path(parse_path(path))
    except PolicyError:
        return None
