"""What is signed: the bodies of control documents, JSON by pydantic; a member that is not named here is refused."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flink_masking.control.instants import ID, Instant
from flink_masking.policy.source import PolicySource

Kind = Literal["policy", "alerts", "grant", "revocation", "erasure", "trust"]
Id = Annotated[str, Field(pattern=ID)]
Line = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text for people."""
Stream = Annotated[str, Field(min_length=1, max_length=200)]


class Model(BaseModel):
    """The base of all bodies: immutable, and no input in error texts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Body(Model):
    """What documents about a stream have in common.

    Attributes:
        id: UUIDv7; one document, however many signatures it gathers.
        stream: the policy's stream; documents of other streams are not for this job.
        issued_at: when it was made, by its maker's clock.
        effective_at: processing time from which it has effect; every worker compares it with its own clock.
    """

    id: Id
    stream: Stream
    issued_at: Instant
    effective_at: Instant

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.effective_at < self.issued_at:
            raise ValueError("effective_at lies before issued_at. Hint: a document has no effect before it was made")
        return self


class PolicyBody(Body):
    """A policy that replaces the one in force.

    Attributes:
        version: the policy's own; higher than every version that was in force before.
        name: of the policy's file, for messages.
        text: the YAML.
        files: the files that it names, by the name written there.
        digest: SHA-256 of text and files, as `PolicySource.digest` computes it and as the audit tells it.
    """

    version: Annotated[int, Field(ge=1, strict=True)]
    name: Line
    text: str
    files: dict[str, str] = Field(default_factory=dict)
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    @property
    def source(self) -> PolicySource:
        """The policy as `flink_masking.policy.load.load` takes it."""
        return PolicySource(self.name, self.text, dict(self.files))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.source.digest != self.digest:
            raise ValueError("digest is not that of text and files. Hint: publish the policy again")
        return self


class AlertsBody(Body):
    """Alert rules that replace the ones in force.

    Its `stream` is the ``source`` of the rules, by which whoever watches knows its own documents.

    Attributes:
        version: of the document, higher than that of every document with this source that was in force before.
        name: of the rules' file, for messages.
        text: the YAML.
        digest: SHA-256 of the text.
    """

    version: Annotated[int, Field(ge=1, strict=True)]
    name: Line
    text: Annotated[str, Field(max_length=1 << 20)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if hashlib.sha256(self.text.encode()).hexdigest() != self.digest:
            raise ValueError("digest is not that of the text. Hint: publish the rules again")
        return self


class GrantBody(Body):
    """An exception: what a granted view, or a reverse operation, may show, of whom and for how long.

    Attributes:
        expires_at: end, by the clock of each worker.
        kind: ``view`` for a granted segment, ``reverse`` for unmask, rekey, SQL's inverse functions and quarantine show.
        segment: the granted segment, or what a reverse operation opens.
        fields: rule for each field, no more than the policy's ``may_show``.
        subjects: keyed hashes of people; empty: no limit to people.
        where: declared field → value that a record must have.
        max_records: most records; None: the policy's own limit.
        reason: why, one line.
        ticket: where the reason is written at length.
        requester: owner of the identity that asked, as in the trust file; that person's approval does not count.
    """

    expires_at: Instant
    kind: Literal["view", "reverse"] = "view"
    segment: Line
    fields: dict[str, Any] = Field(default_factory=dict)
    subjects: tuple[Line, ...] = ()
    where: dict[str, str | int | float | bool] = Field(default_factory=dict)
    max_records: Annotated[int, Field(ge=1, strict=True)] | None = None
    reason: Line
    ticket: Line | None = None
    requester: Line

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.expires_at <= self.effective_at:
            raise ValueError("expires_at is not after effective_at. Hint: a grant ends after it begins")
        return self


class RevocationBody(Body):
    """The end of another document, for good: the document has no effect any more, even where it comes back.

    Attributes:
        target: id of the document.
        of: its kind, which says whose signature is asked for: an approver ends a grant; the role policy a policy or alert rules that are
            not in effect yet, and the role eraser an erasure that is not.
        reason: one line.
    """

    target: Id
    of: Literal["policy", "alerts", "grant", "erasure"]
    reason: Line


class ErasureBody(Body):
    """The order to erase people.

    Attributes:
        subjects: keyed hashes of people.
        later: what becomes of their records from then on: dropped or passed.
        reason: one line.
        ticket: where the request is filed.
    """

    subjects: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100_000)]
    later: Literal["drop", "pass"] = "drop"
    reason: Line
    ticket: Line | None = None


BODIES: Mapping[str, type[Body]] = {"policy": PolicyBody, "alerts": AlertsBody, "grant": GrantBody, "revocation": RevocationBody,
                                    "erasure": ErasureBody}
"""Bodies by kind; the trust file's is `flink_masking.control.trust.TrustBody`."""
