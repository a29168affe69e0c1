"""Makes the bodies of documents: policies and revocations, and trust files with their next versions."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from flink_masking.control.bodies import AlertsBody, GrantBody, Model, PolicyBody, RevocationBody
from flink_masking.control.envelope import Signed, seal
from flink_masking.control.identity import PublicIdentity
from flink_masking.control.instants import new_id
from flink_masking.control.trust import Role, TrustBody, TrustedKey, TrustedRole, first_fault, payload
from flink_masking.errors import ControlError
from flink_masking.policy.source import PolicySource


def now() -> int:
    """Ms since 1970."""
    return time.time_ns() // 1_000_000


def policy_document(source: PolicySource, stream: str, version: int, issued: int, effective: int) -> Signed:
    """A policy with the files that it names, not signed yet.

    Args:
        source: the policy.
        stream: its stream.
        version: its version.
        issued: ms since 1970.
        effective: likewise.

    Raises:
        ControlError: a file that it names could not be read.
    """
    if source.unreadable:
        raise ControlError(f"{source.name}: {next(iter(source.unreadable))}, which it names, cannot be read. Hint: flink-masking check")
    body = PolicyBody(id=new_id(issued), stream=stream, issued_at=issued, effective_at=effective, version=version,
                      name=Path(source.name).name or "policy", text=source.text, files=source.files, digest=source.digest)
    return seal("policy", payload(body))


def alerts_document(name: str, text: str, source: str, version: int, issued: int, effective: int) -> Signed:
    """Alert rules, not signed yet.

    Args:
        name: of the rules' file.
        text: the YAML.
        source: what the rules call themselves; whoever watches under this name takes them.
        version: of the document.
        issued: ms since 1970.
        effective: likewise.

    Raises:
        ControlError: it is not well-formed.
    """
    try:
        body = AlertsBody(id=new_id(issued), stream=source, issued_at=issued, effective_at=effective, version=version,
                          name=Path(name).name or "alerts", text=text, digest=hashlib.sha256(text.encode()).hexdigest())
    except ValidationError as error:
        raise ControlError(f"{name}: {first_fault(error)}. Hint: 'source' of the rules has at most 200 characters") from None
    return seal("alerts", payload(body))


def revocation_document(stream: str, target: str, of: Literal["policy", "alerts", "grant", "erasure"], reason: str, issued: int) -> Signed:
    """The end of another document, not signed yet.

    Raises:
        ControlError: the id is none, or the reason is no line.
    """
    try:
        body = RevocationBody(id=new_id(issued), stream=stream, issued_at=issued, effective_at=issued, target=target, of=of, reason=reason)
    except ValidationError as error:
        raise ControlError(f"{first_fault(error)}. Hint: an id as control list shows it, and a reason of one line") from None
    return seal("revocation", payload(body))


def grant_document(stream: str, segment: str, *, issued: int, begins: int, ends: int, **members: Any) -> tuple[Signed, GrantBody]:
    """A grant as it is asked for, not signed yet.

    Args:
        stream: the policy's.
        segment: what it opens.
        issued: ms since 1970.
        begins: likewise.
        ends: likewise.
        members: the others of `flink_masking.control.bodies.GrantBody`.

    Returns:
        The envelope and what is in it.

    Raises:
        ControlError: it is not well-formed.
    """
    try:
        body = GrantBody(id=new_id(issued), stream=stream, issued_at=issued, effective_at=begins, expires_at=ends, segment=segment,
                         **members)
    except ValidationError as error:
        raise ControlError(f"{first_fault(error)}. Hint: flink-masking grant request --help") from None
    return seal("grant", payload(body)), body


def trust_document(version: int, roles: Mapping[Role, Sequence[PublicIdentity]], thresholds: Mapping[Role, int], issued: int) -> Signed:
    """A trust file, not signed yet.

    Args:
        version: 1 for a new one.
        roles: who signs what.
        thresholds: how many owners must sign; 1 where a role is not named.
        issued: ms since 1970.

    Raises:
        ControlError: a threshold that cannot be reached, or a key that is none.
    """
    keys: dict[str, TrustedKey] = {one.keyid: one.key for people in roles.values() for one in people}
    named = {role: TrustedRole(keys=tuple(dict.fromkeys(one.keyid for one in people)), threshold=thresholds.get(role, 1))
             for role, people in roles.items() if people}
    return _trust(TrustBody, {"version": version, "issued_at": issued, "keys": keys, "roles": named})


def next_trust(before: TrustBody, add: Mapping[Role, Sequence[PublicIdentity]], remove: Mapping[Role, Sequence[str]],
               thresholds: Mapping[Role, int], issued: int) -> Signed:
    """The next version of a trust file, not signed yet.

    Args:
        before: the one in force.
        add: identities by role.
        remove: owners or ids of keys by role.
        thresholds: those that change.
        issued: ms since 1970.

    Raises:
        ControlError: nobody of that name is in the role, or a threshold that cannot be reached.
    """
    keys = {**before.keys, **{one.keyid: one.key for people in add.values() for one in people}}
    roles = {}
    for role in dict.fromkeys([*before.roles, *add]):
        old = before.roles[role] if role in before.roles else TrustedRole(keys=())
        gone = {keyid for keyid in old.keys if keyid in remove.get(role, ()) or keys[keyid].owner in remove.get(role, ())}
        if len(remove.get(role, ())) > len(gone):
            raise ControlError(f"--remove {role}: nobody of that name signs for it. Hint: control trust show names owners and keys")
        held = tuple(dict.fromkeys([*(keyid for keyid in old.keys if keyid not in gone), *(one.keyid for one in add.get(role, ()))]))
        if held:
            roles[role] = TrustedRole(keys=held, threshold=thresholds.get(role, old.threshold))
    used = {keyid for role in roles.values() for keyid in role.keys}
    return _trust(TrustBody, {"version": before.version + 1, "issued_at": issued, "keys": {k: v for k, v in keys.items() if k in used},
                              "roles": roles})


def _trust(model: type[Model], members: Mapping[str, object]) -> Signed:
    try:
        return seal("trust", payload(model.model_validate(dict(members))))
    except ValidationError as error:
        failure = ControlError(f"the trust file would not be well-formed: {first_fault(error)}. Hint: --threshold, --add and --remove")
    raise failure
