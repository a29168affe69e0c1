"""Grants at work: from the documents in force to what a worker may show, of whom, and how often."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from flink_masking.control.events import ControlEvent, Outcome
from flink_masking.control.ledger import KEPT, Claim
from flink_masking.crypto.prf import Prf
from flink_masking.engine.budget import AGAIN, Budget
from flink_masking.engine.erased import read_mark
from flink_masking.engine.grant_match import Subjects, Where, equal, fixed
from flink_masking.engine.masking import FieldRule, KeptField, accepted_kinds
from flink_masking.engine.plan import Plan
from flink_masking.engine.view import RecordView
from flink_masking.errors import ControlError, ControlUnavailableError, FlinkMaskingError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.bound import bound
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.granted import no_more
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import GrantedView, rule_spec
from flink_masking.policy.tree import repeats
from flink_masking.records.codec import FORMATS
from flink_masking.techniques.base import Action
from flink_masking.vault.base import Vault
from flink_masking.vault.subjects import SUBJECT_BYTES

if TYPE_CHECKING:
    from flink_masking.control.bodies import GrantBody
    from flink_masking.control.documents import Grant
    from flink_masking.control.watcher import ControlWatcher

NEVER = 1 << 62


@dataclass(eq=False)
class Opened:
    """A grant that this worker carries out.

    Attributes:
        id: of the document.
        segment: the granted segment.
        fields: by path, the rule, or the field that stays as it is, or None: it is dropped.
        budget: how many records it may still open here.
        left: how many that were when this worker took the grant up.
        people: keyed hashes of its subjects, sorted: S16, and who finds them in a batch; none where it is for a predicate.
    """

    id: str
    segment: str
    fields: Mapping[str, FieldRule | KeptField | None]
    budget: Budget
    left: int
    people: tuple[tuple[Subjects, np.ndarray], ...] = field(repr=False)
    _where: Mapping[str, Where] = field(repr=False)
    _texts: bool = False

    def rows(self, view: RecordView, accepted: np.ndarray, now: int) -> np.ndarray:
        """The records that it opens, which are counted with that, whether or not they can be written.

        Args:
            view: of the batch.
            accepted: bool, n: records that may be shown at all.
            now: when the batch has begun, ms since 1970.

        Returns:
            bool, n: the first of the accepted records that it names, as many as its budget allows.
        """
        found = accepted
        for path, value in self._where.items():
            found = found & equal(view, path, value, self._texts)
        if self.people:
            found = self._of_people(view, found)
        if (named := int(np.count_nonzero(found))) and (taken := self.budget.take(named, now)) < named:
            found = found.copy()
            found[np.flatnonzero(found)[taken:]] = False
        return found

    def _of_people(self, view: RecordView, among: np.ndarray) -> np.ndarray:
        """Those of some records whose subject is one of the grant's."""
        found = np.zeros(view.n, np.bool_)
        for subjects, named in self.people:
            rows, digests = subjects.likely(view)
            places = np.minimum(np.searchsorted(named, digests), len(named) - 1)
            found[rows[named[places] == digests]] = True
        return found & among


class Grants:
    """The grants of a worker: which it carries out, and what is left of each; between two batches, and in one thread.

    A grant's records are divided by the number of workers. What was opened is counted in the control documents' ledger, and outlasts
    workers. Where there is none, a grant that took effect before the worker began is not carried out by it, or a restart would begin it
    anew.

    Attributes:
        opened: grants in force by segment, those that were made first in front.
    """

    def __init__(self, control: "ControlWatcher", began: int, workers: int = 1, worker: int = 0,
                 people_version: int | None = None) -> None:
        """Nothing is in force yet.

        Args:
            control: the documents.
            began: when the worker did, ms since 1970, by its own clock.
            workers: into how many parts a grant's records are divided.
            worker: which of these parts is this worker's, from 0 on.
            people_version: the key version that people are counted with; None: nothing is known of it.
        """
        self._control, self._began, self._workers = control, began, max(1, workers)
        self._worker, self._people_version = worker, people_version
        self.opened: dict[str, tuple[Opened, ...]] = {}
        self._budgets: dict[str, Budget] = {}
        self._again = NEVER
        self._told: dict[str, str] = {}
        self._made: dict[str, Opened] = {}
        self._refused: dict[str, str] = {}
        self._plan: Plan | None = None
        self._subjects: dict[int, Subjects] = {}
        self._in_force: tuple[Grant, ...] = ()

    def follow(self, loaded: LoadedPolicy, plan: Plan, vault: Vault | None, now: int) -> list[ControlEvent]:
        """Take up what is in force for a batch that begins at `now`.

        Args:
            loaded: the policy in force.
            plan: compiled of it.
            vault: for rules that make tokens, or None.
            now: ms since 1970.

        Returns:
            What has happened to grants, for the audit.
        """
        documents = self._control.grants_in_force(now)
        if not documents and not self._in_force:
            return []
        events = self._failures(now)
        if documents == self._in_force and plan is self._plan and now < self._again:
            return events
        if plan is not self._plan:
            self._made, self._plan, self._subjects = {}, plan, {}
        self._again, before = NEVER, {one.id for found in self.opened.values() for one in found}
        made: dict[str, list[Opened]] = {}
        for document in sorted(documents, key=lambda one: one.id):
            if document.body.kind != "view":
                continue
            try:
                one = self._made.get(document.id) or self._compiled(document, loaded, plan, vault, now)
            except Exception as error:  # a document from outside must not fail the job
                if isinstance(error, ControlUnavailableError):
                    self._again = now + AGAIN
                told = str(error) if isinstance(error, FlinkMaskingError) else f"internal error: {type(error).__name__}"
                if self._refused.get(document.id) != told:
                    self._refused[document.id] = told
                    events.append(_event("refused", now, document, told))
                continue
            self._refused.pop(document.id, None)
            if document.id not in before:
                events.append(_event("in_force", now, document, f"segment {one.segment}: at most {one.left} records here, as "
                                     f"one of {self._workers} workers"))
            self._made[document.id] = one
            made.setdefault(one.segment, []).append(one)
        gone = before - {document.id for document in documents}
        events += [_event("ended", now, document) for document in self._in_force if document.id in gone]
        if gone:
            self._made = {name: one for name, one in self._made.items() if name not in gone}
            self._look_for([part for one in self._made.values() for part in one.people])
        self._in_force, self.opened = documents, {name: tuple(found) for name, found in made.items()}
        self._forget({document.id for document in documents}, now)
        return events

    def _look_for(self, people: list[tuple[Subjects, np.ndarray]]) -> None:
        """Look for these subjects in batches and for nobody else: whoever is looked for costs a hash with each record."""
        for subjects in self._subjects.values():
            subjects.clear()
        for subjects, named in people:
            subjects.add(named)

    def _forget(self, known: set[str], now: int) -> None:
        """Keep nothing of other grants but what they have opened, which counts as long as they could come back."""
        self._told = {name: told for name, told in self._told.items() if name in known}
        self._refused = {name: told for name, told in self._refused.items() if name in known}
        self._budgets = {name: one for name, one in self._budgets.items() if now < one.expires_at + KEPT}

    def _failures(self, now: int) -> list[ControlEvent]:
        """Claims that could not be made since the batch before; each reason is told once."""
        events = []
        for document in self._in_force:
            one = self._made.get(document.id)
            failed = "" if one is None else one.budget.failed
            if failed != self._told.get(document.id, ""):
                self._told[document.id] = failed
                events += [_event("refused", now, document, failed)] if failed else []
        return events

    def _known(self, version: int, stream: str, plan: Plan) -> Subjects:
        """The subjects under a key version of the plan's ring."""
        if version not in self._subjects:
            prf = Prf(plan.ring.derive("subject", stream, version))
            self._subjects[version] = Subjects(prf, bool(plan.stateful) and version == self._people_version)
        return self._subjects[version]

    def _compiled(self, document: "Grant", loaded: LoadedPolicy, plan: Plan, vault: Vault | None, now: int) -> Opened:
        """A grant for the policy in force.

        Raises:
            ControlError: it asks for more than the policy allows, names what the policy does not have, or took effect before anybody
                counted.
            ControlUnavailableError: what was counted cannot be read now.
        """
        body = document.body
        segment = loaded.policy.segments.get(body.segment)
        if not isinstance(segment, GrantedView):
            raise ControlError(f"the policy has no granted segment {body.segment}. Hint: flink-masking grant request checks it")
        check_grant(body, loaded, segment, plan.ring)
        if len(document.signers) < segment.approvals:
            raise ControlError(f"{len(document.signers)} of {segment.approvals} approvals. Hint: flink-masking grant approve, by others "
                               "than who has requested it")
        rules = granted_rules(body, loaded)
        fields = {path: _field(path, rule, loaded, plan.ring, vault) for path, rule in rules.items()}
        budget = self._budget(document, segment.max_records)
        left = budget.left(now)
        stream = loaded.policy.stream
        people = [(self._known(version, stream, plan), named) for version, named in _people(body, plan.ring)]
        for subjects, named in people:
            subjects.add(named)
        where = {loaded.declared(path): value for path, value in body.where.items()}
        if unread := [path for path in where if path not in plan.paths.names]:
            raise ControlError(f"where: {unread[0]} is not read. Hint: a field that is no object")
        return Opened(document.id, body.segment, fields, budget, left, tuple(people), where, FORMATS[loaded.policy.format].header)

    def _budget(self, document: "Grant", most: int) -> Budget:
        """How many records a grant may open here.

        Raises:
            ControlError: nobody can know how many were opened before.
        """
        body, ledger = document.body, self._control.ledger
        if ledger is None and body.effective_at < self._began:
            raise ControlError("it took effect before this worker began, which cannot know how many records were opened. Hint: request it "
                               "again; with control.state in the deployment grants outlast workers")
        most = min(most, body.max_records or most)
        share = most // self._workers + (self._worker < most % self._workers)
        claim = Claim(document.id, body.effective_at, body.expires_at, most, share, f"{self._worker}/{self._workers}")
        found = self._budgets.setdefault(document.id, Budget(claim, ledger))
        found.renew(claim)
        return found


def check_grant(body: "GrantBody", loaded: LoadedPolicy, segment: GrantedView, ring: KeyRing | None = None) -> None:
    """Check that a grant asks for no more than a policy allows.

    Args:
        body: of kind view.
        loaded: the policy.
        segment: the granted segment that it names.
        ring: by whose keys its subjects must be known; None: they are not looked at.

    Raises:
        ControlError: it does not, with what is too much.
    """
    if body.expires_at - body.effective_at > segment.max_duration:
        raise ControlError(f"it lasts longer than {segment.max_duration // 1000} s, the segment's max_duration. Hint: --for, at most that")
    if body.max_records is not None and body.max_records > segment.max_records:
        raise ControlError(f"max_records is above {segment.max_records}, the segment's. Hint: at most that")
    if not body.subjects and not body.where:
        raise ControlError("it names neither subjects nor a predicate, and would be for every record. Hint: --subject or --where")
    if body.subjects and loaded.policy.subject is None:
        raise ControlError("it names subjects, and the policy says of no field that it is the subject. Hint: --where")
    if body.subjects and ring is not None and not any(True for _ in _people(body, ring)):
        raise ControlError("its subjects are hashed with keys that are no longer in use. Hint: request it again")
    for path, value in body.where.items():
        declared = loaded.declared(path)
        if declared not in loaded.policy.fields:
            raise ControlError(f"where: {path} is not a declared field. Hint: a field of the policy")
        if repeats(declared) or loaded.policy.fields[declared].type in OBJECT_TYPES:
            raise ControlError(f"where: {path} can have several values, or is an object. Hint: a field with one value")
        if not isinstance(value, bool | str):
            fixed(value)
    granted_rules(body, loaded)


def granted_rules(body: "GrantBody", loaded: LoadedPolicy) -> dict[str, Rule]:
    """The rules that a grant asks for, by path as declared; a field without any, null, is shown as ``may_show`` allows.

    Raises:
        ControlError: a field that is not under ``may_show``, or a rule that shows more, or that cannot be compared.
    """
    if not body.fields:
        raise ControlError("it names no field. Hint: --fields, of those under may_show")
    segment, most = loaded.policy.segments[body.segment], loaded.rules(body.segment)
    assert isinstance(segment, GrantedView)
    allowed = {loaded.declared(path) for path in segment.may_show}
    found = {}
    for path, written in body.fields.items():
        place = loaded.declared(path)
        if place not in allowed:
            raise ControlError(f"fields: {path} is not under may_show. Hint: {', '.join(segment.may_show)}")
        rule = most[place] if written is None else _asked(place, written, loaded)
        if not no_more(rule, most[place]):
            raise ControlError(f"fields: {path}: '{rule.technique.name}' as asked for may show more than may_show allows. Hint: null, for "
                               "what may_show says")
        found[place] = rule
    return found


def _asked(path: str, written: object, loaded: LoadedPolicy) -> Rule:
    try:
        technique, params = bound(rule_spec(written))
        technique.check(params, loaded.rule_context(path, KeyRing.ephemeral()))
    except (ValueError, FlinkMaskingError) as error:  # pydantic's errors are ValueErrors, and may hold what was written
        told = str(error) if isinstance(error, FlinkMaskingError) else "no rule. Hint: a technique with its parameters, as in a policy"
        failure = ControlError(f"fields: {path}: {told}")
    else:
        return Rule(path, technique, params)
    raise failure


def _field(path: str, rule: Rule, loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None) -> FieldRule | KeptField | None:
    """A rule, compiled; a value that it cannot take is redacted, for a grant sends no record to quarantine."""
    mask = rule.technique.make(rule.params, loaded.rule_context(path, ring, vault))
    on_error = "redact" if rule.params.on_error == "quarantine" else rule.params.on_error
    if isinstance(mask, Action):
        return None if mask is Action.DROP else KeptField(path, on_error)
    promises = rule.promises
    return FieldRule(path, rule.technique.name, mask, accepted_kinds(rule.technique.inputs), on_error, promises.row_local,
                     not promises.erases, promises.hides)


def _people(body: "GrantBody", ring: KeyRing) -> Iterator[tuple[int, np.ndarray]]:
    """Keyed hashes of the subjects by key version, sorted: S16; those under versions that the ring opens."""
    marks = [mark for mark in map(read_mark, body.subjects) if mark is not None]
    for version in sorted({mark.version for mark in marks}):
        if version in ring.versions:
            yield version, np.sort(np.array([mark.subject for mark in marks if mark.version == version], f"S{SUBJECT_BYTES}"))


def _event(outcome: Outcome, now: int, document: "Grant", reason: str = "") -> ControlEvent:
    return ControlEvent(outcome, now, "grant", document.id, reason, effective_at=document.body.effective_at,
                        signers=tuple(sorted(document.signers)))
