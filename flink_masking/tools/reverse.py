"""Grants for what goes from masked to clear: unmask, rekey, inverse functions of SQL and the records of a quarantine, where the policy asks
for one."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from flink_masking.control.bodies import GrantBody
from flink_masking.control.documents import Grant
from flink_masking.control.make import now
from flink_masking.control.memory import Store
from flink_masking.control.options import ControlOptions
from flink_masking.control.watcher import ControlWatcher
from flink_masking.errors import ControlError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import MaskedSegment

QUARANTINE = "quarantine"
"""What a grant names in place of a segment for the records of the quarantine."""
SQL = "sql"
"""What a grant names in place of a segment for the inverse functions of Flink SQL."""
T = TypeVar("T")


def check_reverse(body: GrantBody, loaded: LoadedPolicy) -> None:
    """Check that a grant of kind reverse names what can be opened, and no more than a grant for it can limit.

    Raises:
        ControlError: it does not.
    """
    segment = loaded.policy.segments.get(body.segment)
    if body.segment not in (QUARANTINE, SQL) and not isinstance(segment, MaskedSegment):
        raise ControlError(f"{body.segment} is no masked segment. Hint: one of the policy's, {QUARANTINE}, or {SQL}")
    if body.subjects or body.where:
        raise ControlError("subjects and predicates are for granted views: a reverse operation opens all of its input. Hint: omit them, "
                           "and give it an input of these records only")
    for path, rule in body.fields.items():
        if rule is not None:
            raise ControlError(f"fields: {path}: a reverse operation gives values back as they were. Hint: --fields {path}")
        if loaded.declared(path) not in loaded.policy.fields:
            raise ControlError(f"fields: {path} is not a declared field. Hint: a field of the policy")
    limits = loaded.policy.reverse
    if limits is not None and limits.max_duration is not None and body.expires_at - body.effective_at > limits.max_duration:
        raise ControlError(f"it lasts longer than {limits.max_duration // 1000} s, the policy's reverse.max_duration. Hint: --for, at most "
                           "that")


def needed(loaded: LoadedPolicy) -> bool:
    """Whether a policy asks for a grant before anything goes from masked to clear."""
    return loaded.policy.reverse is not None and loaded.policy.reverse.requires_grant


def require_grant(loaded: LoadedPolicy, what: str, fields: Collection[str], actor: str, control: ControlOptions | None,
                  ring: KeyRing) -> Grant | None:
    """The grant that an operation goes under; None where the policy asks for none.

    Everything that keeps a job from a grant keeps an operation from it: signatures, revocation, times by this host's clock, an unreadable
    source. The actor must be who has requested it.

    Args:
        loaded: the policy.
        what: the masked segment that is opened, or `QUARANTINE`.
        fields: paths that are opened; empty for the whole record.
        actor: who runs it, as the audit names them.
        control: where control documents are; None where no deployment is given.
        ring: opens what is kept of them.

    Raises:
        ControlError: the policy asks for one, and there is none.
    """
    if not needed(loaded):
        return None
    if control is None:
        raise ControlError("the policy asks for a grant (reverse: {requires_grant: true}). Hint: --grants DEPLOYMENT, with a section "
                           "control, and 'flink-masking grant request --reverse'")
    return find_grant(loaded.policy.stream, what, actor, control, ring, lambda grant: unfit(grant, loaded, fields))


def find_grant(stream: str, what: str, actor: str, control: ControlOptions, ring: KeyRing,
               unfit: Callable[[Grant], str | None]) -> Grant:
    """The first grant in force for a reverse operation.

    Args:
        stream: the policy's.
        what: as for `require_grant`.
        actor: likewise.
        control: where control documents are.
        ring: opens what is kept of them.
        unfit: says why a grant does not allow it; None where it does.

    Raises:
        ControlError: there is none.
    """
    store = None if control.state is None else Store(control.state, stream, Sealer(ring, "control", stream))
    watcher = ControlWatcher(control, stream, 0, "", store)
    try:
        watcher.look()
        for event in watcher.events():
            if event.outcome == "unreadable":
                raise ControlError(f"grants cannot be seen, and none counts then: {event.reason}")
        return chosen(watcher, what, actor, unfit)
    finally:
        watcher.close()


def chosen(watcher: ControlWatcher, what: str, actor: str, unfit: Callable[[Grant], str | None]) -> Grant:
    """As `find_grant`, of the documents that a watcher has seen.

    Raises:
        ControlError: there is none.
    """
    found = [one for one in watcher.grants_in_force(now()) if one.body.kind == "reverse" and one.body.segment == what]
    reasons = []
    for grant in sorted(found, key=lambda one: one.id):
        reason = "somebody else has requested it" if grant.body.requester != actor else unfit(grant)
        if reason is None:
            return grant
        reasons.append(f"grant {grant.id}: {reason}")
    raise ControlError(f"no grant in force allows this for {what}{': ' if reasons else ''}{'; '.join(reasons)}. Hint: flink-masking grant "
                       f"request POLICY --reverse --segment {what} --requester {actor}")


def limited(grant: Grant | None, step: Callable[[Any], T], counted: Callable[[], int]) -> Callable[[Any], T]:
    """A step that fails once its grant has ended, or it has opened more records than the grant allows.

    Args:
        grant: of `require_grant`; None: there are no limits.
        step: opens a batch.
        counted: how many records it has opened, of all batches.
    """
    if grant is None:
        return step
    body = grant.body

    def within(batch: Any) -> T:
        if now() >= body.expires_at:
            raise ControlError(f"grant {grant.id} has ended. Hint: request another")
        made = step(batch)
        if body.max_records is not None and counted() > body.max_records:
            raise ControlError(f"grant {grant.id} is for {body.max_records} records. Hint: a smaller input, or another grant")
        return made

    return within


def few_approvals(grant: Grant, approvals: int) -> str | None:
    """That a grant has too few; None where it has enough."""
    return f"{len(grant.signers)} of {approvals} approvals" if len(grant.signers) < approvals else None


def unfit(grant: Grant, loaded: LoadedPolicy, fields: Collection[str]) -> str | None:
    """Why a grant does not allow an operation; None where it does."""
    try:
        check_reverse(grant.body, loaded)
    except ControlError as error:
        return str(error).partition(". Hint:")[0]
    allowed = {loaded.declared(path) for path in grant.body.fields}
    if allowed and (not fields or not {loaded.declared(path) for path in fields} <= allowed):
        return "it is for other fields"
    return None if loaded.policy.reverse is None else few_approvals(grant, loaded.policy.reverse.approvals)
