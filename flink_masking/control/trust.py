"""The trust file: whose signatures count for which kind of document; signed by its own root role, and rotated by the root before it.

It is a control document itself (``trust``): version 1 stands in the deployment, later versions come from there or from the source. A
version follows another only when the root roles of both have signed it, each to its own threshold, as in The Update Framework (TUF 5.3).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from pydantic import Field, ValidationError, model_validator
from securesystemslib.signer import Key, SSlibKey

from flink_masking.control.bodies import Line, Model
from flink_masking.control.envelope import Signed, parse
from flink_masking.control.instants import Instant
from flink_masking.errors import ControlError

Role = Literal["root", "policy", "approver", "eraser"]
ROLES: tuple[Role, ...] = ("root", "policy", "approver", "eraser")
SIGNS: Mapping[str, Role] = {"policy": "policy", "alerts": "policy", "grant": "approver", "erasure": "eraser", "trust": "root"}
"""The role that signs each kind of document; a revocation is signed by the role of what it revokes."""
Whole = Annotated[int, Field(ge=1, le=1_000_000_000, strict=True)]


class TrustedKey(Model):
    """A public key.

    Attributes:
        keytype: ``ed25519``, ``ecdsa``, ``rsa``: as in securesystemslib.
        scheme: of signatures, likewise.
        keyval: ``{public: …}``: 32 bytes in hex of an Ed25519 key, PEM of the others.
        owner: the person (or service) who holds it; two keys of one owner count as one signature.
    """

    keytype: Line
    scheme: Line
    keyval: dict[str, str]
    owner: Line

    @property
    def material(self) -> bytes:
        """What tells it from every other key, however it is written.

        Raises:
            ValueError: no public key.
        """
        public = self.keyval["public"]
        if self.keytype == "ed25519":
            return bytes.fromhex(public)
        return load_pem_public_key(public.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class TrustedRole(Model):
    """Who may sign.

    Attributes:
        keys: ids of keys.
        threshold: how many owners must sign.
    """

    keys: tuple[str, ...]
    threshold: Whole = 1


class TrustBody(Model):
    """The signed part.

    Attributes:
        version: one more than the one before.
        issued_at: when it was made.
        keys: by id.
        roles: ``root``, ``policy``, ``approver``, ``eraser``; a role that is not named has no keys, so nothing of its kind is ever taken.
    """

    version: Whole
    issued_at: Instant
    keys: Annotated[dict[str, TrustedKey], Field(min_length=1, max_length=1000)]
    roles: dict[Role, TrustedRole]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if "root" not in self.roles:
            raise ValueError("there is no role root. Hint: it signs the next version of the trust file")
        try:
            if len({key.material for key in self.keys.values()}) < len(self.keys):
                raise ValueError("one key stands there under two ids. Hint: each key once")
            for keyid, key in self.keys.items():
                SSlibKey(keyid, key.keytype, key.scheme, dict(key.keyval))
        except (ValueError, KeyError, TypeError) as error:
            told = str(error) if "Hint:" in str(error) else "a key is no public key. Hint: take those of 'flink-masking identity show'"
            raise ValueError(told) from None
        for name, role in self.roles.items():
            if missing := [keyid for keyid in role.keys if keyid not in self.keys]:
                raise ValueError(f"role {name} names a key that is not among keys. Hint: {missing[0][:12]}… is missing")
            if len(set(role.keys)) != len(role.keys):
                raise ValueError(f"role {name} names a key twice. Hint: each key once")
            owners = {self.keys[keyid].owner for keyid in role.keys}
            if len(owners) < role.threshold:
                raise ValueError(f"role {name} asks for {role.threshold} signatures, and has keys of {len(owners)} owners. Hint: more "
                                 "owners, or a lower threshold")
        return self


class Trust:
    """A trust file in force.

    Attributes:
        body: what it says.
        signed: the envelope.
    """

    def __init__(self, body: TrustBody, signed: Signed) -> None:
        """Of a body whose signatures have been checked; see `Trust.anchor` and `Trust.successor`."""
        self.body, self.signed = body, signed
        self._keys: dict[str, Key] = {keyid: SSlibKey(keyid, key.keytype, key.scheme, dict(key.keyval))
                                      for keyid, key in body.keys.items()}

    @classmethod
    def anchor(cls, data: bytes) -> Self:
        """The trust file that a deployment names: signed by its own root role.

        Raises:
            ControlError: no trust file, or its root role has not signed it.
        """
        signed = parse(data)
        made = cls(_body(signed), signed)
        made.require("root", signed, "the trust file is not signed by its own root role")
        return made

    def successor(self, signed: Signed) -> Self:
        """The trust file that replaces this one.

        Args:
            signed: with the next version or a later one.

        Raises:
            ControlError: no trust file, no higher version, or the root role of this one or of the new one has not signed it.
        """
        body = _body(signed)
        if body.version <= self.version:
            raise ControlError(f"trust version {body.version} is not higher than version {self.version}, which is in force. Hint: "
                               "flink-masking control trust next makes the next version")
        self.require("root", signed, f"trust version {body.version} is not signed by the root role of version {self.version}")
        made = type(self)(body, signed)
        made.require("root", signed, f"trust version {body.version} is not signed by its own root role")
        return made

    @property
    def version(self) -> int:
        """Its version."""
        return self.body.version

    def signers(self, role: Role, signed: Signed) -> frozenset[str]:
        """The owners of keys of a role who have signed an envelope."""
        keys = self.body.roles[role].keys if role in self.body.roles else ()
        return self.owners(signed.signers(self._keys[keyid] for keyid in keys))

    def owners(self, keyids: Iterable[str]) -> frozenset[str]:
        """The owners of these keys."""
        return frozenset(self.body.keys[keyid].owner for keyid in keyids)

    def threshold(self, role: Role) -> int:
        """How many owners must sign; beyond any number where the role has no keys."""
        return self.body.roles[role].threshold if role in self.body.roles and self.body.roles[role].keys else 1 << 31

    def require(self, role: Role, signed: Signed, what: str, without: Iterable[str] = (), threshold: int | None = None) -> frozenset[str]:
        """Check that enough owners of a role have signed an envelope.

        Args:
            role: whose signatures count.
            signed: the envelope.
            what: the beginning of the error's text.
            without: owners whose signatures do not count, such as the requester of a grant.
            threshold: how many; the role's own when None.

        Returns:
            The owners who have signed it and count.

        Raises:
            ControlError: they are too few.
        """
        found = self.signers(role, signed) - frozenset(without)
        needed = self.threshold(role) if threshold is None or role not in self.body.roles else threshold
        if len(found) < needed:
            asked = "the role has no keys" if needed == 1 << 31 else f"{len(found)} of {needed} signatures"
            raise ControlError(f"{what} ({asked}). Hint: flink-masking control sign FILE --as KEY, with a key of the role {role}")
        return found


def payload(body: Model) -> bytes:
    """A body as the JSON that is signed."""
    return json.dumps(body.model_dump(mode="json", exclude_none=True), ensure_ascii=False, separators=(",", ":")).encode()


def _body(signed: Signed) -> TrustBody:
    if signed.kind != "trust":
        raise ControlError(f"a document of kind {signed.kind}, not a trust file. Hint: flink-masking control trust new makes one")
    try:
        return TrustBody.model_validate_json(signed.payload)
    except ValidationError as error:
        failure = ControlError(f"the trust file is not well-formed: {first_fault(error)}")
    raise failure


def first_fault(error: ValidationError) -> str:
    """What is wrong first in a body: where, and the message, without any value."""
    details: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part)[:40] for part in details["loc"])
    return f"{place}: {details['msg']}" if place else str(details["msg"]).removeprefix("Value error, ")
