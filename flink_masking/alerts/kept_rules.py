"""Published rules from a state that is not sealed: only what signatures vouch for is used, as anybody who can write the state may have."""

import logging
from dataclasses import dataclass, field
from typing import cast

from pydantic import ValidationError

from flink_masking.control.bodies import AlertsBody, Body, RevocationBody
from flink_masking.control.documents import Document, mark, verified
from flink_masking.control.envelope import Signed, parse
from flink_masking.control.events import ControlEvent
from flink_masking.control.memory import Kept
from flink_masking.control.options import ControlOptions
from flink_masking.control.trust import Trust, TrustBody
from flink_masking.errors import ControlError

HINT = "Hint: publish the rules again, and see who can write the state of the watcher"
_log = logging.getLogger(__name__)


def verified_state(data: bytes, options: ControlOptions, source: str, now: int) -> tuple[Kept, list[ControlEvent]]:
    """What a watcher may go on from.

    Trust files are followed from the deployment's on, each signed by the root roles of the one before and its own. Rules and revocations
    hold where one of these vouches for their signers: the key of a signer may have been replaced since. Ids of documents that the source
    no longer had are left out: nothing proves them.

    Args:
        data: of `LiveRules.state`.
        options: whom the watcher trusts.
        source: of the submitted rules; those for another source are refused.
        now: ms since 1970.

    Returns:
        What is proved, and refusals of the rest.

    Raises:
        ControlError: this is no state, or the trust file of the options is none.
    """
    try:
        kept = Kept.load(data)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ControlError("this is no state of alert rules. Hint: remove the state to begin anew") from None
    proved = _Proved(Trust.anchor(options.trust.encode()), source, now)
    for envelope in dict.fromkeys((*kept.chain, *(() if kept.trust is None else (kept.trust,)))):
        proved.follow(envelope)
    for envelope in kept.revocations.values():
        proved.revoke(envelope)
    if kept.policy is not None:
        proved.rules(kept.policy)
    for event in proved.refused:
        _log.error("control document refused: %s %s %s", event.kind, event.id, event.reason)
    return proved.kept, proved.refused


@dataclass
class _Proved:
    """What signatures vouch for.

    Attributes:
        anchor: the deployment's trust file.
        source: of the rules.
        now: ms since 1970.
        kept: what holds.
        refused: what does not.
    """

    anchor: Trust
    source: str
    now: int
    kept: Kept = field(default_factory=Kept)
    refused: list[ControlEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Only the deployment's trust file counts at first."""
        self._trusts = [self.anchor]

    def follow(self, envelope: bytes) -> None:
        """Take the next trust file; one up to the deployment's own version is of no use any more."""
        try:
            signed = parse(envelope)
            if not _is_older(signed, self.anchor):
                self._trusts.append(self._trusts[-1].successor(signed))
                self.kept = self.kept.merged(Kept(trust=envelope, trust_version=self._trusts[-1].version,
                                                  chain=(*self.kept.chain, envelope)))
        except ControlError as error:
            self._refuse("trust", error)

    def revoke(self, envelope: bytes) -> None:
        """Take a revocation of rules."""
        try:
            body = self._document(envelope).body
            if not isinstance(body, RevocationBody) or body.of != "alerts":
                raise ControlError("not a revocation of alert rules")
            self.kept = self.kept.merged(Kept(revoked=frozenset([mark(body.target, "alerts")]), revocations={body.target: envelope}))
        except ControlError as error:
            self._refuse("revocation", error)

    def rules(self, envelope: bytes) -> None:
        """Take the rules that were in force."""
        try:
            body = self._document(envelope).body
            if not isinstance(body, AlertsBody):
                raise ControlError("not alert rules")
            if body.effective_at > self.now:
                raise ControlError("not in effect yet")
            self.kept = self.kept.merged(Kept(version=body.version, policy=envelope))
        except ControlError as error:
            self._refuse("alerts", error)

    def _document(self, envelope: bytes) -> Document[Body]:
        """The document, where a trust file vouches for it, the newest first.

        Raises:
            ControlError: none does, or it is meant for others.
        """
        signed, failure = parse(envelope), None
        for trust in reversed(self._trusts):
            try:
                found = verified(signed, trust)
                break
            except ControlError as error:
                failure = failure or error
        else:
            raise cast(ControlError, failure)
        if found.body.stream != self.source:
            raise ControlError("meant for another watcher")
        return found

    def _refuse(self, kind: str, error: ControlError) -> None:
        text = str(error).partition(" Hint: ")[0].rstrip(".")
        held = "; the submitted rules hold until others are published" if kind == "alerts" else ""
        self.refused.append(ControlEvent("refused", self.now, kind, reason=f"in the watcher's state: {text}{held}. {HINT}"))


def _is_older(signed: Signed, anchor: Trust) -> bool:
    """Whether it is the deployment's trust file or one before it."""
    try:
        return signed.kind == "trust" and TrustBody.model_validate_json(signed.payload).version <= anchor.version
    except ValidationError:
        return False
