"""The form of audit events, as models: what ``audit verify`` holds each event against, and the JSON Schema that ``audit schema`` prints."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Count = Annotated[int, Field(ge=0, strict=True)]
Root = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$", description="base64 of an RFC 6962 root")]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,40}$")]


class _Model(BaseModel):
    """Members that a later release adds are no fault."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)


class Event(_Model):
    """An event of any kind.

    Attributes:
        event: its kind.
        time: processing time, ISO 8601 UTC.
        format: 2; events of releases before 0.3 have none.
        stream: the policy's; events of commands without a policy have none, as for the next two.
        policy_version: of the policy in force.
        policy_digest: SHA-256 of the policy and its files.
        key_version: the primary version of the key ring.
        key_check: its public check value.
        mac_domain: the domain whose key signed the event, where its writer had an exported ring.
        chain: name of the writer's chain.
        number: of the event in it.
        previous: SHA-256 of the chain's event before; zeros for the first one.
        mac: HMAC-SHA-256 of the line without this member.
    """

    event: Kind
    time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    format: Literal[2] | None = None
    stream: str | None = None
    policy_version: Count | None = None
    policy_digest: str | None = None
    key_version: Annotated[int, Field(ge=1, strict=True)]
    key_check: str | None = None
    mac_domain: str | None = None
    chain: Annotated[str, Field(min_length=1, max_length=100)]
    number: Count
    previous: Hex32
    mac: Hex32 | None = None


class FieldDone(_Model):
    """What was done to a field of a masked view.

    Attributes:
        technique: as in the policy.
        values: in accepted records.
        refused: of these, the ones that the technique could not take.
    """

    technique: str
    values: Count | None = None
    refused: Count | None = None


class ViewDone(_Model):
    """What became of a batch in a segment.

    Attributes:
        released: records in a masked view.
        fields: by path.
        root: RFC 6962 root over the released records, in their order.
        leaves: of a granted view: its leaves are salted under the key ring; members of other views lack this.
        lines: of an anonymized or aggregated view: number of the root's leaves.
        grants: records that each grant applied to, by its id.
        packed: records sent on to a stateful segment.
        suppressed: records that were left out.
    """

    released: Count | None = None
    fields: dict[str, FieldDone] | None = None
    root: Root | None = None
    leaves: Literal["salted"] | None = None
    lines: Count | None = None
    grants: dict[str, Count] | None = None
    packed: Count | None = None
    suppressed: Count | None = None


class SourceDone(_Model):
    """What a batch covers of a source partition.

    Attributes:
        topic: its name.
        partition: its number.
        first: smallest offset.
        last: largest offset.
        records: how many records of the batch are from there.
    """

    topic: str
    partition: Count
    first: Count
    last: Count
    records: Count


class Protect(Event):
    """A batch went through.

    Attributes:
        event: protect.
        records: raw records.
        quarantined: rejected ones by reason.
        segments: by name.
        source: what it covers of the source.
        erased: records of erased subjects.
        erasures: erased subjects that the writer learned of, as key version and keyed hash.
    """

    event: Literal["protect"]
    records: Count
    quarantined: dict[str, Count]
    segments: dict[str, ViewDone]
    source: list[SourceDone] | None = None
    erased: Count | None = None
    erasures: list[str] | None = None


class Release(Event):
    """A stateful segment published or suppressed.

    Attributes:
        event: release.
        segments: its name and what it did.
    """

    event: Literal["release"]
    segments: Annotated[dict[str, ViewDone], Field(min_length=1, max_length=1)]


class Accountable(Event):
    """A command opened values, or erased subjects; written before the first one and again at the end.

    Attributes:
        event: its kind.
        actor: who.
        purpose: why.
        outcome: begun, done or failed.
    """

    event: Literal["unmask", "rekey", "reveal", "replay", "erase", "expire"]
    actor: str
    purpose: str
    outcome: Literal["begun", "done", "failed"]


_COMMANDS = ("unmask", "rekey", "reveal", "replay", "erase", "expire")
_MODELS: dict[str, type[Event]] = {"protect": Protect, "release": Release, **dict.fromkeys(_COMMANDS, Accountable)}


def event_fault(line: bytes) -> str | None:
    """What is wrong with the form of an event: the member and what is expected, without its value; None where nothing is."""
    try:
        event = _ANY.validate_json(line)
        if (model := _MODELS.get(event.event)) is not None:
            model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'event'}: {first['msg']}"[:300]
    return None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of events."""
    schema = TypeAdapter(Protect | Release | Accountable | Event).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "flink-masking audit event", **schema}


_ANY = TypeAdapter(Event)
