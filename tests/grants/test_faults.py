"""What goes wrong around grants: clocks, signers, sources, restarts, full disks; nothing is shown without a grant in force."""

import base64
import json
import random

import pyarrow as pa
import pytest
from control_documents import NOW
from full_disk import full_disk
from granted_jobs import policy_of, record

from flink_masking.control.ledger import Ledger
from flink_masking.engine.erased import marks_of, write_mark
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer

PEOPLE = [record(number) for number in range(4)]
MINUTE = 60_000


def control_events(event):
    """Outcome and id of what an audit event tells of control documents."""
    return {(one["outcome"], one["id"]) for one in event.get("control", [])}


def test_a_clock_that_is_set_back_brings_no_grant_back(job):
    """A grant that has ended by the worker's clock stays ended when that clock is set back by a minute; a new one is carried out."""
    made = job()
    name = made.grant(["p0"], expires_at=NOW + MINUTE)
    assert made.shown(PEOPLE)[0] is not None
    made.now = NOW + MINUTE
    assert ("ended", name) in control_events(made.event(PEOPLE))
    made.now = NOW + 1
    event = made.event(PEOPLE)
    assert event["segments"]["debug"]["released"] == 0 and not control_events(event)
    made.now = NOW + MINUTE - 1
    assert made.shown(PEOPLE) == [None] * 4
    made.now = NOW
    made.grant(["p1"])
    assert [one is not None for one in made.shown(PEOPLE)] == [False, True, False, False]


@pytest.mark.parametrize("skew", [-MINUTE, MINUTE])
def test_a_clock_that_is_a_minute_off_shifts_begin_and_end(job, skew):
    """A worker whose clock is a minute off carries a grant out from its begin to its end by that clock, and no record more."""
    made = job(now=NOW + skew)
    made.grant(["p0"], at=NOW, effective_at=NOW + 2 * MINUTE, expires_at=NOW + 4 * MINUTE, max_records=3)
    shown = []
    for real in range(NOW, NOW + 6 * MINUTE, MINUTE // 2):
        made.now = real + skew
        made.watcher.look()
        shown += [made.now for one in made.shown(PEOPLE) if one is not None]
    assert len(shown) == 3 and NOW + 2 * MINUTE <= min(shown) <= max(shown) < NOW + 4 * MINUTE


def test_a_signer_who_is_removed_in_the_middle_of_a_stream(job, signers):
    """From the batch after a trust file without the approver on nothing flows, and the audit tells it; the other approver's grant goes
    on."""
    made = job()
    first, second = made.grant(["p0"], by=("ann",)), made.grant(["p1"], by=("bob",))
    assert [one is not None for one in made.shown(PEOPLE)] == [True, True, False, False]
    roles = {"root": ("root",), "policy": ("paula",), "approver": ("bob",), "eraser": ("eve",)}
    made.feed.documents.append(signers.trust(2, roles=roles))
    made.watcher.look()
    event = made.event(PEOPLE)
    assert event["segments"]["debug"]["grants"] == {second: 1}
    assert {("refused", first), ("ended", first)} <= control_events(event)


def test_what_a_removed_signer_has_ended_stays_ended(job, signers):
    """A revocation or an erasure keeps its effect when its signer is removed: no grant comes back, and no erased subject."""
    made = job(policy_of(1, subject=("subject: id\n", "subject: id\nerasure: {later: drop}\n")))
    made.revoke(made.grant(["p0"], by=("bob",)))
    marks = tuple(write_mark(one) for one in marks_of(made.ring, "s", pa.array(["p1"])))
    made.feed.documents.append(signers.erasure(marks, issued_at=NOW))
    made.grant(["p1", "p2"], by=("bob",))
    assert [one is not None for one in made.shown(PEOPLE)] == [False, False, True, False]
    roles = {"root": ("root",), "policy": ("paula",), "approver": ("bob",), "eraser": ("paula",)}
    made.feed.documents.append(signers.trust(2, roles=roles))
    made.watcher.look()
    assert [one is not None for one in made.shown(PEOPLE)] == [False, False, True, False]
    assert [one is not None for one in made.shown(PEOPLE, "support")] == [True, False, True, True]


def test_a_worker_that_restarts_between_document_and_effect(job, signers):
    """A worker that begins after a grant was published and before its time carries it out from its time on."""
    ring = KeyRing.new()
    before = job(ring=ring)
    before.grant(["p0"], effective_at=NOW + MINUTE)
    assert before.shown(PEOPLE) == [None] * 4
    again = job(ring=ring, began=NOW + 1, now=NOW + 1)
    again.feed.documents = before.feed.documents
    again.watcher.look()
    assert again.shown(PEOPLE) == [None] * 4
    again.now = NOW + MINUTE
    assert again.shown(PEOPLE)[0] is not None


@pytest.mark.parametrize("order", [1, -1])
def test_a_grant_and_its_revocation_at_once(job, signers, order):
    """A grant that is found together with its revocation shows nothing, in whatever order they lie there."""
    made = job()
    look, made.watcher.look = made.watcher.look, lambda: None
    made.revoke(made.grant(["p0"]))
    made.feed.documents = made.feed.documents[::order]
    look()
    event = made.event(PEOPLE)
    assert event["segments"]["debug"]["released"] == 0 and "in_force" not in str(event)


def test_a_grant_and_a_policy_that_forbids_it_at_once(job, signers):
    """Where a policy without the granted field takes effect together with the grant, not one batch shows it."""
    made = job()
    look, made.watcher.look = made.watcher.look, lambda: None
    name = made.grant(["p0"], effective_at=NOW + 10)
    text = policy_of(2, may_show="email: {technique: partial, keep_last: 12}").source.text
    made.feed.documents.append(signers.policy(2, text, issued_at=NOW, effective_at=NOW + 10))
    look()
    for made.now in (NOW + 9, NOW + 10, NOW + 11):
        assert made.shown(PEOPLE) == [None] * 4
    made.feed.documents.pop(0)
    again = job(policy_of(2, may_show="email: {technique: partial, keep_last: 12}"))
    again.feed.documents, again.ring = made.feed.documents, made.ring
    assert name and again.shown(PEOPLE) == [None] * 4


def test_a_grant_and_an_erasure_at_once(job, signers):
    """A subject who is erased at the instant at which a grant for them begins is in no granted view."""
    erasing = policy_of(1, subject=("subject: id\n", "subject: id\nerasure: {later: drop}\n"))
    made = job(erasing)
    made.grant(["p0", "p1"], effective_at=NOW + 10)
    marks = tuple(write_mark(one) for one in marks_of(made.ring, "s", pa.array(["p0"])))
    made.feed.documents.append(signers.erasure(marks, issued_at=NOW, effective_at=NOW + 10))
    made.watcher.look()
    assert made.shown(PEOPLE) == [None] * 4
    made.now = NOW + 10
    assert [one is not None for one in made.shown(PEOPLE)] == [False, True, False, False]
    made.now = NOW
    assert made.shown(PEOPLE, "support")[0] is None


def test_a_lying_source_opens_nothing(job, signers):
    """A grant of which one character or one member was changed, or which other roles have signed, opens nothing, and is told."""
    made = job()
    made.grant(["p0"])
    [good] = made.feed.documents
    body, rng, forged = json.loads(good), random.Random(5), []
    payload = base64.b64decode(body["payload"])
    for _ in range(60):
        place = rng.randrange(len(payload))
        changed = payload[:place] + bytes([payload[place] ^ 1 << rng.randrange(7)]) + payload[place + 1:]
        forged.append(json.dumps({**body, "payload": base64.b64encode(changed).decode()}).encode())
    told = json.loads(payload)
    for more in ({"expires_at": "2099-01-01T00:00:00Z"}, {"fields": {"ssn": None}}, {"requester": "bob"}, {"max_records": 10**6},
                 {"effective_at": told["issued_at"], "subjects": [], "where": {"region": "eu"}}):
        forged.append(json.dumps({**body, "payload": base64.b64encode(json.dumps({**told, **more}).encode()).decode()}).encode())
    forged += [signers.grant(by=by, subjects=json.loads(payload)["subjects"], fields={"ssn": None}, segment="debug")
               for by in ((), ("paula",), ("root",), ("eve",), ("mallory",), ("carl",))]
    made.feed.documents = forged
    made.watcher.look()
    event = made.event(PEOPLE)
    assert event["segments"]["debug"]["released"] == 0 and "in_force" not in str(event)
    assert sum(one["outcome"] == "refused" for one in event["control"]) > 30


def test_a_full_disk_opens_nothing_that_is_not_counted(job, tmp_path):
    """While the ledger of grants cannot be written, no more than what was claimed is shown, and the audit says why; then it goes on."""
    ring = KeyRing.new()
    ledger = Ledger(f"file://{tmp_path}/state", "s", Sealer(ring, "control", "s"))
    ledger.begin(NOW - 1)
    made = job(ring=ring, ledger=ledger)
    name = made.grant(["p0"], max_records=40)
    whole = (tmp_path / "state.grants").read_bytes()
    with full_disk():
        assert made.shown(PEOPLE) == [None] * 4
        told = made.event(PEOPLE)
    assert any(one["outcome"] == "refused" and "cannot be written" in one["reason"] for one in told["control"])
    assert (tmp_path / "state.grants").read_bytes() == whole
    assert {path.name for path in tmp_path.iterdir()} == {"state.grants", "state.grants.lock"}
    made.now += 5_000
    assert sum(one is not None for one in made.shown([record(0)] * 100)) == 40 and name


def test_grants_that_are_over_are_forgotten(job, tmp_path):
    """A worker that has carried out and refused many grants keeps nothing of those that are over: with a ledger and without."""
    ring = KeyRing.new()
    ledger = Ledger(f"file://{tmp_path}/state", "s", Sealer(ring, "control", "s"))
    ledger.begin(NOW - 1)
    for options in ({}, {"ledger": ledger}):
        made = job(ring=ring, **options)
        grants = made.protect._grants
        for _ in range(20):
            made.grant(["p0"], expires_at=made.now + MINUTE)
            made.grant(["p0"], expires_at=made.now + MINUTE, fields={})
            assert made.shown(PEOPLE)[0] is not None
            made.now += MINUTE
        made.feed.documents.clear()
        made.now += 2 * 24 * 60 * MINUTE
        made.grant(["p1"])
        assert made.shown(PEOPLE)[1] is not None
        assert {name: len(kept) for name, kept in vars(grants).items() if isinstance(kept, dict) and name != "_subjects"} == {
            "opened": 1, "_budgets": 1, "_told": 0, "_made": 1, "_refused": 0}
        assert [int(one._begins.sum()) for one in grants._subjects.values()] == [1]
