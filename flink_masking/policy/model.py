"""The grammar of policies as frozen models; `load` makes them and finds all that is wrong."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic_core import PydanticKnownError

from flink_masking.policy.budget import shares
from flink_masking.policy.durations import UNITS, PositiveDuration, WholeDays
from flink_masking.policy.envelope import Envelope, Framing
from flink_masking.policy.fields import EventTime, Field, Model, Name, Real, Whole
from flink_masking.policy.segments import AggregatedSegment, Segment
from flink_masking.policy.tags import Tags

TOPIC = r"^[A-Za-z0-9-][A-Za-z0-9._-]{0,199}$"
"""What can name a directory and a topic alike, and is not hidden."""
Topic = Annotated[str, pydantic.Field(pattern=TOPIC)]


_ABSENT: dict[str, Field] = {}


class Audit(Model):
    """Where audit events go.

    Attributes:
        sink: name of a topic or directory.
        digests: each event tells, for every view, the root of a Merkle tree (RFC 6962) over the records that were released, and the source
            offsets that the batch covers. The leaves of these trees, 43 bytes for each record and view, go to the sink, too: with them a
            record can be traced.
    """

    sink: Topic
    digests: bool = False


class ErasurePolicy(Model):
    """What becomes of subjects who ask to be erased.

    Attributes:
        later: of records of an erased subject that come later: drop, they are in no view; pass, the subject begins anew: with a fresh data
            key and fresh tokens.
    """

    later: Literal["drop", "pass"] = "drop"


class QuarantinePolicy(Model):
    """What becomes of quarantined records.

    Attributes:
        keep: milliseconds, written as a duration: how long a record can be opened, counted from the end of its day (UTC). Then the key of
            the day, which the vault holds, is destroyed.
    """

    keep: PositiveDuration


class VaultPolicy(Model):
    """What becomes of tokens in the vault.

    Attributes:
        keep: milliseconds, written as a duration in days: how long after the end of the day (UTC) on which it was last given out a token is
            kept. Then it is destroyed with its value, and nobody opens it any more; a value that comes again has a new token.
    """

    keep: WholeDays


class ReversePolicy(Model):
    """What is asked before values go from masked to clear: unmask, rekey, quarantine show --reveal, inverse functions of SQL.

    Attributes:
        requires_grant: each such operation needs a signed grant of kind reverse that is in force.
        max_duration: milliseconds from the beginning of such a grant to its end, at most.
        approvals: owners of the role approver who must have signed it; who has requested it does not count.
    """

    requires_grant: pydantic.StrictBool
    max_duration: PositiveDuration | None = None
    approvals: Annotated[Whole, pydantic.Field(ge=1, le=100)] = 1


class StreamPrivacy(Model):
    """The joint privacy budget of all aggregated segments of a stream.

    Attributes:
        lifetime_epsilon: what one person may spend in all of them over all windows; each segment has a part of it and a ledger of its own.
    """

    lifetime_epsilon: Annotated[Real, pydantic.Field(gt=0)]


class Policy(Model):
    """A policy: the contract of a stream and what each audience receives of it.

    Attributes:
        version: only a higher version replaces a running one.
        stream: its name.
        format: of the records, raw and masked.
        framing: what stands in front of a record and names its schema. confluent: an id, or a GUID, in the value or in the header
            __value_schema_id; apicurio4, apicurio8: Apicurio Registry's identifiers; single_object: Avro's fingerprint; none: nothing, all
            records have the schema that is given, or, of JSON, none.
        schema_files: written ``schema``: the file with the schema of Avro, Protobuf or JSON Schema, relative to the policy, or files by the
            identifiers that records name them by. What is not given here is asked of the registry; run and preview read the schema of
            .avro files from them.
        message: of Protobuf: the name of the records' message in the schema, where the framing does not tell it and there are several.
        columns: of a format with a header: the names of a record's cells, in their order. Files name them in their first line.
        each: of files and messages that hold several records in one document, the path of the array's elements, ``Records[*]``: each is a
            record, and what stands beside the array is left out.
        record: the envelope of change data capture that rows stand in; without it, a record is a row.
        subject: path of the field that says whom a record is about.
        erasure: of subjects who ask for it: the vault then tells apart which tokens are whose, and an erased subject who comes again is
            recognised.
        quarantine: how long quarantined records can be opened; without it, as long as the key ring opens them.
        vault: how long tokens are kept that are not used any more; without it, for ever.
        reverse: what is asked before values go from masked to clear.
        event_time: which field says when an event was.
        tags: where fields and their classes come from besides `fields`: the tags of a schema or data contract.
        fields: by path, as written; with `tags` those that the lock file does not have, or that are declared otherwise.
        contract: what becomes of a record with a shown value that does not keep its field's declaration: by_rule, the value goes by the
            rule's on_error; strict, the record goes to quarantine.
        unknown_fields: what becomes of a record (quarantine) or of a member that is not declared. drop and redact: it is left out, or its
            value is ``***``. scan: it stays in masked segments, and what is detected in it is replaced, see the segments' own
            `unknown_fields`.
        segments: by name.
        audit: where audit events go.
        isolation: strict: segments that share a key domain, or a reader, are an error; shared: a key domain in common is a warning.
        shared_domains: key domains that several segments are meant to share.
        held_apart: segments whose readers read no other one, so that what several segments give away together does not matter.
        privacy: a budget over all aggregated segments.
    """

    model_config = pydantic.ConfigDict(json_schema_extra={"anyOf": [
        {"required": ["fields"], "properties": {"fields": {"minProperties": 1}}}, {"required": ["tags"]}]})

    version: Annotated[Whole, pydantic.Field(ge=1)]
    stream: Topic
    format: Literal["json", "csv", "avro", "protobuf", "text", "debezium-json"] = "json"
    framing: Framing = "none"
    schema_files: Annotated[Name | dict[Name, Name] | None, pydantic.Field(alias="schema")] = None
    message: Name | None = None
    columns: Annotated[tuple[Name, ...] | None, pydantic.Field(min_length=1, max_length=4096)] = None
    each: Name | None = None
    record: Envelope | None = None
    subject: Name | None = None
    erasure: ErasurePolicy | None = None
    quarantine: QuarantinePolicy | None = None
    vault: VaultPolicy | None = None
    reverse: ReversePolicy | None = None
    event_time: EventTime | None = None
    tags: Tags | None = None
    fields: Annotated[dict[Name, Field], pydantic.Field(validate_default=True)] = pydantic.Field(default_factory=lambda: _ABSENT)
    contract: Literal["by_rule", "strict"] = "by_rule"
    unknown_fields: Literal["quarantine", "drop", "redact", "scan"] = "quarantine"
    segments: dict[Name, Segment] = pydantic.Field(min_length=1)
    audit: Audit | None = None
    isolation: Literal["shared", "strict"] = "shared"
    shared_domains: tuple[Name, ...] = ()
    held_apart: tuple[Name, ...] = ()
    privacy: StreamPrivacy | None = None

    @property
    def described(self) -> bool:
        """Whether records have a schema: one that their framing names, or that is given."""
        return self.framing != "none" or self.schema_files is not None

    @property
    def token_days(self) -> int | None:
        """Days after the day of its last use for which a token is kept; None: for ever."""
        return None if self.vault is None else self.vault.keep // UNITS["d"]

    @pydantic.field_validator("fields", mode="wrap")
    @classmethod
    def _some(cls, value: Any, inner: pydantic.ValidatorFunctionWrapHandler, info: pydantic.ValidationInfo) -> Any:
        """Without tags, fields must be declared here."""
        if value is _ABSENT and info.data.get("tags", True) is None:
            raise PydanticKnownError("missing")
        fields = inner(value)
        if not fields and "tags" in info.data and info.data["tags"] is None:
            raise PydanticKnownError("too_short", {"field_type": "Dictionary", "min_length": 1, "actual_length": 0})
        return fields

    @pydantic.model_validator(mode="after")
    def _divided(self) -> "Policy":
        """Give each aggregated segment its part of the stream's budget, as if it were written there; `check` refuses one without any."""
        if self.privacy is not None:
            parts = shares(self.privacy.lifetime_epsilon, self.segments)
            divided = {name: _limited(segment, parts[name]) if parts.get(name, 0) > 0 else segment
                       for name, segment in self.segments.items()}
            object.__setattr__(self, "segments", divided)
        return self


def _limited(segment: Segment, lifetime: float) -> Segment:
    assert isinstance(segment, AggregatedSegment)
    return segment.model_copy(update={"privacy": segment.privacy.model_copy(update={"lifetime_epsilon": lifetime})})
