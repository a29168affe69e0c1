"""From a policy for rows to the policy for the envelopes that the rows stand in."""

from collections.abc import Mapping
from dataclasses import dataclass

from flink_masking.policy.envelope import SHAPES, UNAVAILABLE, Envelope, Form, Framing, Shape
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import DEFAULT
from flink_masking.policy.segments import MaskedSegment, RuleSpec
from flink_masking.records.paths import format_path, parse_path

NUMERALS: Mapping[str, str] = {"integer": r"[+-]?[0-9]{1,40}", "number": r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?",
                               "boolean": r"(?i:true|false)|[01]"}
"""Of values that are written as texts: the pattern for a type."""
KEPT = RuleSpec(technique="keep", parameters={"on_error": "quarantine"})
DROPPED = RuleSpec(technique="drop")


@dataclass(frozen=True)
class Images:
    """Where the rows of a policy stand in its records.

    Attributes:
        envelope: as written.
        prefixes: of the paths of each image, with the dot behind; empty text: the record is the row.
        key_format: of the key in Kafka.
        key_framing: of keys with a schema.
        key_values: path of the value of the key's only column beside the row, or empty text.
    """

    envelope: Envelope
    prefixes: tuple[str, ...]
    key_format: str
    key_framing: Framing
    key_values: str = ""

    def row_path(self, path: str) -> str:
        """The path within the row; any other path as it is."""
        if path == self.key_values:
            return self.envelope.key[0]
        return next((path.removeprefix(prefix) for prefix in self.prefixes if path.startswith(prefix)), path)

    def holds(self, path: str) -> bool:
        """Whether a path in the records may be one within the row."""
        return path == self.key_values or any(path.startswith(prefix) for prefix in self.prefixes)

    def place(self, path: str) -> str:
        """The path in the records of a path within the row, in the first image."""
        return self.prefixes[0] + path

    @property
    def shape(self) -> Shape:
        """Of the envelope."""
        return SHAPES[self.envelope.envelope]

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Texts that stand for a value that is not in the record, and are never masked."""
        return UNAVAILABLE if self.envelope.envelope in ("debezium", "debezium_flat") else ()

    @property
    def key_text(self) -> bool:
        """Whether the key in Kafka is a value, not an object."""
        return self.key_format == "text"

    @property
    def key_path(self) -> str:
        """What stands in front of the path of a column within the key."""
        return "payload." if self.envelope.wrapped and self.key_format == "json" else ""

    def key_places(self, column: str) -> tuple[str, ...]:
        """Paths of a column within the key; a key has one of them."""
        steps, member = parse_path(column), self.shape.key_member
        other = (self.key_path + format_path((f"{member}{steps[0]}",)),) if member and self.key_format == "json" and len(steps) == 1 else ()
        return (self.key_path + column, *other)

    @property
    def key_kept(self) -> tuple[str, ...]:
        """Paths of other members that the key may have, which stay."""
        return tuple(self.key_path + name for name in self.shape.key_kept) if self.key_format == "json" else ()

    def is_key(self, path: str) -> bool:
        """Whether a path in the records is that of a column of the key."""
        row = _canonical(self.row_path(path))
        return any(row == _canonical(column) for column in self.envelope.key)


def expanded(policy: Policy, envelope: Envelope) -> tuple[Policy, Images]:
    """The same policy with the paths of whole records.

    Args:
        policy: checked, with paths within the row.
        envelope: its section ``record``.
    """
    shape = SHAPES[envelope.envelope]
    base = "payload." if envelope.wrapped else ""
    prefixes = prefixes_of(envelope.envelope, envelope.wrapped)
    flat = "" in shape.images
    fields = {prefix + path: _declared(field, shape, flat and _is_key(path, envelope)) for prefix in prefixes
              for path, field in policy.fields.items()}
    members = _members(shape, base, envelope)
    taken = {_canonical(path) for path in fields}
    members = {path: found for path, found in members.items() if _canonical(path) not in taken}
    fields.update((path, field) for path, (field, _) in members.items())
    rules = {path: rule for path, (_, rule) in members.items()}
    told = f"{base}{shape.key_values}[*]" if shape.key_values and len(envelope.key) == 1 else ""
    if told and shape.key_values not in map(_canonical, envelope.metadata):
        del fields[base + shape.key_values], rules[base + shape.key_values]
        fields[told] = fields[prefixes[0] + next(path for path in policy.fields if _is_key(path, envelope))]
    else:
        told = ""
    segments = {name: _segment(segment, prefixes, rules, envelope, told) for name, segment in policy.segments.items()
                if isinstance(segment, MaskedSegment)}
    subject = base + policy.subject if flat and policy.subject is not None else None
    changed = {"fields": fields, "segments": segments, "subject": subject, "event_time": None, "record": None}
    return policy.model_copy(update=changed), Images(envelope, prefixes, *key_layout_of(policy, envelope), told)


def key_layout_of(policy: Policy, envelope: Envelope) -> tuple[str, Framing]:
    """Format and framing of keys: those of the records, unless they are given."""
    kind = envelope.key_format or policy.format
    return kind, envelope.key_framing or (policy.framing if kind == policy.format else "none")


def prefixes_of(envelope: str, wrapped: bool) -> tuple[str, ...]:
    """What stands in front of the paths of each image of a row, see `Images`."""
    base = "payload." if wrapped else ""
    return tuple(f"{base}{image}." if image else base for image in SHAPES[envelope].images)


def as_text(field: Field) -> Field:
    """The declaration of a field whose values are written as texts."""
    if field.type is None or field.type not in NUMERALS:
        return field
    numeric = {"domain": None, "bounds": None, "scale": None, "unit": None}
    return field.model_copy(update={"type": "text", "pattern": NUMERALS[field.type], **numeric})


def _declared(field: Field, shape: Shape, required: bool) -> Field:
    field = as_text(field) if shape.texts else field
    return field.model_copy(update={"optional": not required and (field.optional or "" not in shape.images)})


def _members(shape: Shape, base: str, envelope: Envelope) -> dict[str, tuple[Field, RuleSpec]]:
    """Field and rule of each member of the envelope, by path."""
    found: dict[str, tuple[Field, RuleSpec]] = {}
    written = {_canonical(name): rule for name, rule in envelope.metadata.items()}
    for members, rule in ((shape.kept, KEPT), (shape.dropped, DROPPED)):
        for name, form in members.items():
            found[base + name] = _field(form), written.get(_canonical(name), rule)
    if shape.gate:
        found[base + shape.gate] = Field.model_validate({"class": "plain", "values": shape.gates, "optional": False}), KEPT
    if envelope.wrapped:
        found["schema"] = _field("json"), KEPT
    return found


def _field(form: Form) -> Field:
    return Field.model_validate({"class": "plain"} if form == "any" else {"class": "plain", "type": form})


def _segment(segment: MaskedSegment, prefixes: tuple[str, ...], members: Mapping[str, RuleSpec], envelope: Envelope,
             told: str) -> MaskedSegment:
    rules = {DEFAULT: segment.rules[DEFAULT]} if DEFAULT in segment.rules else {}
    for prefix in prefixes:
        for path, spec in segment.rules.items():
            if path != DEFAULT:
                rules[prefix + path] = _strict(spec) if _is_key(path, envelope) else spec
    if told:  # a column that is kept need not be the only one of the table's key: what nobody declared would be shown
        spec = next((spec for path, spec in segment.rules.items() if path != DEFAULT and _is_key(path, envelope)), DROPPED)
        rules[told] = DROPPED if spec.technique == KEPT.technique else _strict(spec)
    keys = {prefix + path: spec for prefix in prefixes for path, spec in segment.keys.items()}
    return segment.model_copy(update={"rules": {**rules, **members}, "keys": keys})


def _strict(spec: RuleSpec) -> RuleSpec:
    """A rule for a column of the key: a value that it cannot take sends its record to quarantine, or several would share a key."""
    return spec.model_copy(update={"parameters": {**spec.parameters, "on_error": "quarantine"}})


def _is_key(path: str, envelope: Envelope) -> bool:
    return any(_canonical(path) == _canonical(column) for column in envelope.key)


def _canonical(path: str) -> str:
    return format_path(parse_path(path))
