"""Decides which control documents have effect; pure: documents and times come in, what is in force and events come out.

A new kind of document hangs on here: `verified` (documents.py) says who must sign it, `ControlState.take` sorts it into the `View`, and
what works with it asks the view at the time of its batch.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from flink_masking.control.documents import Document, Erasure, Grant, Policy, Revocation, body_of, mark, verified
from flink_masking.control.envelope import Signed, parse
from flink_masking.control.events import ControlEvent, Outcome
from flink_masking.control.memory import Kept
from flink_masking.control.trust import Trust
from flink_masking.errors import ControlError, ControlUnavailableError

MAX_SKEW = 300_000
"""Ms by which a document may have been issued in the future, since clocks differ; a later one waits."""
NEVER = 1 << 62
LONGEST = 1_000
"""Characters of a reason."""
TOLD = 50_000
"""Events that are remembered, so that each is told once."""


@dataclass(frozen=True)
class View:
    """What the documents say; immutable, so that a batch sees one of them from its first record to its last.

    Attributes:
        policies: policies that may still take effect, higher than the one in force, by version ascending.
        grants: neither revoked nor withdrawn; in effect from ``effective_at`` to ``expires_at``.
        erasures: likewise; in effect from ``effective_at`` on, for good.
        trust: the trust file's version.
        refused: documents at the source that are refused, at the last look.
    """

    policies: tuple[Policy, ...] = ()
    grants: tuple[Grant, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    trust: int = 0
    refused: int = 0

    @property
    def next_policy(self) -> int:
        """When the next policy takes effect, ms since 1970; `NEVER` where none does."""
        return min((one.body.effective_at for one in self.policies), default=NEVER)

    def policy(self, now: int) -> Policy | None:
        """The highest policy whose time has come."""
        return next((one for one in reversed(self.policies) if one.body.effective_at <= now), None)

    def grants_at(self, now: int) -> tuple[Grant, ...]:
        """The grants whose time it is."""
        return tuple(one for one in self.grants if one.body.effective_at <= now < one.body.expires_at)

    def erasures_at(self, now: int) -> tuple[Erasure, ...]:
        """The erasures whose time has come."""
        return tuple(one for one in self.erasures if one.body.effective_at <= now)


@dataclass
class _Sorted:
    """Documents of one look by kind."""

    policies: list[Policy] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)
    erasures: dict[str, Erasure] = field(default_factory=dict)


class ControlState:
    """The documents of one stream.

    Attributes:
        view: what they say now.
        kept: what must survive a restart.
        trust: the trust file in force.
    """

    def __init__(self, trust: Trust, stream: str, version: int, digest: str, kept: Kept | None = None,
                 follows: Literal["policy", "alerts"] = "policy") -> None:
        """Begin with the submitted policy.

        Args:
            trust: the deployment's trust file.
            stream: the policy's.
            version: the submitted policy's.
            digest: the submitted policy's.
            kept: from the run before, or None.
            follows: the kind of versioned document that is followed: a job's policy, or the alert rules of who watches; then all that is
                said of a policy here is said of them.

        Raises:
            ControlError: a kept document does not verify.
        """
        kept = kept or Kept()
        if kept.trust is not None and kept.trust_version > trust.version:
            trust = Trust.anchor(kept.trust)  # followed step by step; see kept_policy
        self.trust, self._stream, self.kept, self._follows = trust, stream, kept, follows
        self._proves = follows == "alerts"  # that state is not sealed: what it holds is verified when it is read
        self.version, self._digests = version, {digest}
        self._known: dict[str, Document[Any]] = {}
        self._refused: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()
        self._verified: dict[tuple[str, int], Document[Any] | ControlError] = {}
        self._begun = False
        self._refusing: set[str] = set()
        self._waiting: list[Document[Any]] = []
        self._missing = frozenset[str]()
        self._changed, self.settled_until = True, 0
        self.view = View(trust=trust.version)

    def kept_policy(self) -> Policy | None:
        """The policy that was in force before a restart, where it is higher than the submitted one.

        It was verified when it was taken, and the file that keeps it is sealed (alert rules: it was verified when the state was read): the
        key of its signer may be out of the trust file by now.
        """
        if self.kept.policy is None or self.kept.version <= self.version:
            return None
        signed = parse(self.kept.policy)
        found = cast(Policy, Document(body_of(signed), frozenset(), signed))
        return None if found.id in self._refused else found

    def take(self, found: Sequence[bytes], now: int) -> list[ControlEvent]:
        """Work out what documents say.

        Args:
            found: all documents of the source.
            now: ms since 1970.

        Returns:
            What has changed since the call before, and what was refused; each refusal is told once.

        Raises:
            ControlUnavailableError: the source held documents and holds none at all any more: it is taken for away, not for empty.
        """
        if not found and self._known:
            raise ControlUnavailableError("the source holds no documents any more. Hint: see whether it is the right directory, and "
                                          "mounted")
        events: list[ControlEvent] = []
        self._refusing, self._waiting = set(), []
        parsed = list(self._parsed(found, now, events))
        self._follow_trust(parsed, now, events)
        made = self._sorted(parsed, now, events)
        missing = self._gone(parsed, made, now)
        gone, self._missing = missing & self._missing, missing  # a directory that is written while it is read may lack a name once
        for known in sorted(gone - self.kept.withdrawn - self.kept.revoked):
            one = self._known[known]
            events += self._tell("withdrawn", now, one.kind, one.id, "the source no longer has it: it is over for good")
        for ended in made.revocations:
            events += self._tell("revoked", now, ended.body.of, ended.body.target, ended.body.reason, signers=ended.signers)
        revoked = self.kept.revoked | {mark(one.body.target, one.body.of) for one in made.revocations}
        withdrawn = self.kept.withdrawn | gone
        proofs = {one.body.target: one.signed.dump() for one in made.revocations} if self._proves else {}
        over = revoked | withdrawn
        erasures = [one for name, one in made.erasures.items() if name in self.kept.erasures or not _is_over(one, over)]
        erased = {one.id: one.signed.dump() for one in erasures if one.body.effective_at <= now}
        self.kept = replace(self.kept, revoked=revoked, withdrawn=withdrawn, erasures={**self.kept.erasures, **erased},
                            revocations={**self.kept.revocations, **proofs})
        self.view = View(tuple(self._candidates(made.policies, over, now, events)),
                         tuple(one for one in made.grants if not _is_over(one, over)), tuple(erasures), self.trust.version)
        self.view = replace(self.view, refused=len(self._refusing))
        for document in (*self.view.policies, *self.view.grants, *self.view.erasures):
            if document.mark not in self._known:
                events += self._tell("taken", now, document.kind, document.id, version=getattr(document.body, "version", None),
                                     effective_at=document.body.effective_at, signers=document.signers)
        self._known = {one.mark: one for one in (*self.view.policies, *self.view.grants, *self.view.erasures)} | {
            name: self._known[name] for name in missing - gone}
        self._begun, self._changed = True, bool(missing - gone)
        times = [one.body.issued_at - MAX_SKEW for one in self._waiting] + [one.body.effective_at for one in erasures]
        self.settled_until = min((at for at in times if at > now), default=NEVER)
        return events

    def settled(self, now: int) -> bool:
        """Whether the same documents would say the same: nothing was adopted or refused since, and no time has come."""
        return self._begun and not self._changed and now < self.settled_until

    def merged(self) -> None:
        """Note that `kept` holds what another worker knows, too."""
        self._changed = True

    def adopted(self, policy: Policy, now: int) -> ControlEvent:
        """Note that a policy is in force: no version up to its own is taken any more."""
        self.version, self._changed = policy.body.version, True
        self._digests.add(policy.body.digest)
        if policy.body.version > self.kept.version:
            self.kept = replace(self.kept, version=policy.body.version, policy=policy.signed.dump())
        self.view = replace(self.view, policies=tuple(one for one in self.view.policies if one.body.version > self.version))
        self._known.pop(policy.mark, None)
        return ControlEvent("in_force", now, policy.kind, policy.id, version=policy.body.version, effective_at=policy.body.effective_at,
                            signers=tuple(sorted(policy.signers)))

    def refuse(self, policy: Policy, reason: str, now: int) -> ControlEvent:
        """Note that a policy that verifies cannot be used; the one before stays in force."""
        reason = reason[:LONGEST]
        self._refused[policy.id], self._changed = reason, True
        self.view = replace(self.view, policies=tuple(one for one in self.view.policies if one.id != policy.id),
                            refused=self.view.refused + 1)
        self._known.pop(policy.mark, None)
        return ControlEvent("refused", now, policy.kind, policy.id, reason, policy.body.version, policy.body.effective_at,
                            tuple(sorted(policy.signers)))

    def _tell(self, outcome: Outcome, now: int, kind: str, name: str, reason: str = "", version: int | None = None,
              effective_at: int | None = None, signers: Iterable[str] = ()) -> Iterator[ControlEvent]:
        """An event, once for each document, outcome and reason."""
        if outcome == "refused":
            self._refusing.add(name)
        if len(self._told) > TOLD:  # a source that lies anew at each look
            self._told.clear()
        if (name, outcome + reason) not in self._told:
            self._told.add((name, outcome + reason))
            yield ControlEvent(outcome, now, kind, name, reason, version, effective_at, tuple(sorted(signers)))

    def _parsed(self, found: Sequence[bytes], now: int, events: list[ControlEvent]) -> Iterator[Signed]:
        """The envelopes."""
        for data in found:
            try:
                yield parse(data)
            except ControlError as error:
                events += self._tell("refused", now, "", hashlib.sha256(data).hexdigest()[:16], str(error))

    def _follow_trust(self, parsed: list[Signed], now: int, events: list[ControlEvent]) -> None:
        """Take later trust files, one after the other."""
        again = True
        while again:
            again = False
            for signed in parsed:
                if signed.kind != "trust" or signed.digest == self.trust.signed.digest:
                    continue
                try:
                    self.trust, again = self.trust.successor(signed), True
                except ControlError as error:
                    version = _version(signed)
                    if version is None or version > self.trust.version:
                        self._refused[signed.digest] = str(error)
                    continue
                self._refused.pop(signed.digest, None)
                chain = (*self.kept.chain, signed.dump()) if self._proves else ()
                self.kept = replace(self.kept, trust=signed.dump(), trust_version=self.trust.version, chain=chain)
                events += self._tell("taken", now, "trust", signed.digest[:16], version=self.trust.version)
        for signed in parsed:
            if signed.kind == "trust" and (reason := self._refused.get(signed.digest)):
                events += self._tell("refused", now, "trust", signed.digest[:16], reason)

    def _sorted(self, parsed: list[Signed], now: int, events: list[ControlEvent]) -> _Sorted:
        """The documents of this stream that verify."""
        made, digests = _Sorted(), dict[str, str]()
        for name, data in self.kept.erasures.items():
            signed = parse(data)
            made.erasures[name] = cast(Erasure, Document(body_of(signed), frozenset(), signed))
        doubled: set[str] = set()
        documents: dict[str, Document[Any]] = {}
        failed: dict[str, tuple[Signed, str]] = {}
        for signed in parsed:
            if signed.kind == "trust":
                continue
            try:
                document = self._verify(signed)
            except ControlError as error:
                failed[signed.digest] = signed, str(error)
                continue
            if document.body.stream != self._stream:
                continue
            if digests.setdefault(document.mark, signed.digest) != signed.digest:
                doubled.add(document.mark)
            before = documents.get(signed.digest)
            if before is None or len(before.signers) < len(document.signers):
                documents[signed.digest] = document
        for signed, reason in (found for digest, found in failed.items() if digest not in documents):
            events += self._tell("refused", now, signed.kind, _id(signed) or signed.digest[:16], reason)
        for document in documents.values():
            if document.mark in doubled:
                events += self._tell("refused", now, document.kind, document.id, "two documents have this id. Hint: publish them again, "
                                     "each with an id of its own")
            elif document.body.issued_at > now + MAX_SKEW:
                self._waiting.append(document)
                events += self._tell("refused", now, document.kind, document.id, "issued in the future, by more than 5 min. Hint: fix "
                                     "the clock of this host or of the one that has issued it; the document waits")
            elif document.kind in ("policy", "alerts"):
                if document.kind == self._follows:
                    made.policies.append(cast(Policy, document))
            elif document.kind == "grant":
                made.grants.append(cast(Grant, document))
            elif document.kind == "revocation":
                made.revocations.append(cast(Revocation, document))
            else:
                made.erasures[document.id] = cast(Erasure, document)
        return made

    def _verify(self, signed: Signed) -> Document[Any]:
        """Verify, once for each envelope and trust file."""
        key = hashlib.sha256(signed.dump()).hexdigest(), self.trust.version
        found = self._verified.get(key)
        if found is None:
            if len(self._verified) > 20_000:
                self._verified.clear()
            try:
                found = verified(signed, self.trust)
            except ControlError as error:
                found = ControlError(str(error))
            self._verified[key] = found
        if isinstance(found, ControlError):
            raise ControlError(str(found))
        return found

    def _gone(self, parsed: list[Signed], made: _Sorted, now: int) -> frozenset[str]:
        """Ids of documents that had effect or were waiting for it, and that the source no longer has, verified or not."""
        claimed = {mark(name, signed.kind) for signed in parsed if (name := _id(signed)) is not None} if self._known else set()
        claimed |= {mark(name, "erasure") for name in made.erasures}
        return frozenset(known for known, one in self._known.items()
                         if known not in claimed and now < getattr(one.body, "expires_at", NEVER))

    def _candidates(self, policies: list[Policy], over: frozenset[str], now: int, events: list[ControlEvent]) -> Iterator[Policy]:
        """Policies that may take effect, by version."""
        best, floor = dict[int, Policy](), max(self.version, self.kept.version)
        for one in sorted(policies, key=lambda one: one.id):
            version = one.body.version
            if _is_over(one, over):
                continue
            if one.id in self._refused:
                self._refusing.update([one.id] if version > self.version else [])
                continue
            if version <= floor:
                if self._begun and one.body.digest not in self._digests and (one.id, "taken") not in self._told:
                    events += self._tell("refused", now, one.kind, one.id, f"version {version} is not higher than version {floor}, "
                                         "which is in force. Hint: to go back, publish the old content under a higher version", version)
                elif not self._begun:
                    self._digests.add(one.body.digest)  # of the past: it has no effect, and is no event
            elif version in best:
                events += self._tell("refused", now, one.kind, one.id, f"version {version} is that of document {best[version].id}, too, "
                                     "which came first. Hint: publish it again under a higher version", version)
            else:
                best[version] = one
        yield from (best[version] for version in sorted(best))


def _is_over(document: Document[Any], over: frozenset[str]) -> bool:
    """Whether it was revoked or withdrawn; files that are older than marks hold ids alone."""
    return document.mark in over or document.id in over


def _id(signed: Signed) -> str | None:
    """The id that an envelope claims; nothing is verified."""
    return _claimed(signed, "id", str)


def _version(signed: Signed) -> int | None:
    return _claimed(signed, "version", int)


def _claimed(signed: Signed, name: str, kind: type) -> Any:
    try:
        body = json.loads(signed.payload)
    except (ValueError, RecursionError):
        return None
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, kind) and (not isinstance(value, str) or len(value) <= 64) else None
