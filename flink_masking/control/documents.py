"""Documents: an envelope, its verified body and who has signed it."""

from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from pydantic import ValidationError

from flink_masking.control.bodies import BODIES, AlertsBody, Body, ErasureBody, GrantBody, PolicyBody, RevocationBody
from flink_masking.control.envelope import Signed
from flink_masking.control.trust import SIGNS, Role, Trust, first_fault
from flink_masking.errors import ControlError

B = TypeVar("B", bound=Body, covariant=True)


@dataclass(frozen=True)
class Document(Generic[B]):
    """A document that verifies under a trust file.

    Attributes:
        body: what was signed.
        signers: owners of keys of the role who have signed it, the requester of a grant not among them.
        signed: the envelope.
    """

    body: B
    signers: frozenset[str]
    signed: Signed = field(repr=False)

    @property
    def id(self) -> str:
        """The body's id."""
        return self.body.id

    @property
    def kind(self) -> str:
        """``policy``, ``alerts``, ``grant``, ``revocation`` or ``erasure``."""
        return self.signed.kind

    @property
    def mark(self) -> str:
        """What tells it from others: id and kind, as who may sign for one kind must not end or shadow a document of another kind."""
        return mark(self.id, self.kind)


Policy: TypeAlias = Document[PolicyBody]
AlertRules: TypeAlias = Document[AlertsBody]
Grant: TypeAlias = Document[GrantBody]
Revocation: TypeAlias = Document[RevocationBody]
Erasure: TypeAlias = Document[ErasureBody]


def mark(target: str, kind: str) -> str:
    """What is kept of a document that is over."""
    return f"{target} {kind}"


def body_of(signed: Signed) -> Body:
    """The body of an envelope, well-formed; its signatures are not looked at.

    Raises:
        ControlError: a trust file, or not well-formed.
    """
    if signed.kind not in BODIES:
        raise ControlError("a trust file has no effect by itself. Hint: name it under control.trust, or publish it to the source")
    try:
        return BODIES[signed.kind].model_validate_json(signed.payload)
    except ValidationError as error:
        failure = ControlError(f"{signed.kind}: not well-formed: {first_fault(error)}")
    raise failure


def role_of(body: Body, kind: str) -> Role:
    """The role that signs a document."""
    return SIGNS[body.of if isinstance(body, RevocationBody) else kind]


def verified(signed: Signed, trust: Trust) -> Document[Body]:
    """The document in an envelope.

    A grant's requester does not count among its signers, and one approver is enough to revoke a grant: what is taken back is an exception.

    Raises:
        ControlError: not well-formed, or too few signatures of its role.
    """
    body = body_of(signed)
    without = [body.requester] if isinstance(body, GrantBody) else []
    needed = 1 if isinstance(body, RevocationBody) and body.of == "grant" else None
    role = role_of(body, signed.kind)
    return Document(body, trust.require(role, signed, f"{signed.kind} {body.id}: not signed by the role {role}", without, needed), signed)
