"""Which control documents have effect."""

import json

import pytest
from control_documents import NOW, policy_text

from flink_masking.control.envelope import parse, seal
from flink_masking.control.memory import Kept
from flink_masking.control.state import MAX_SKEW, ControlState
from flink_masking.control.trust import Trust
from flink_masking.errors import ControlUnavailableError


@pytest.fixture
def state(trust):
    """The state of a job that was submitted with version 1."""
    return ControlState(trust, "s", 1, "0" * 64)


def told(events):
    """Outcomes and the beginnings of reasons."""
    return [(event.outcome, event.reason.partition(".")[0]) for event in events]


def identity(data):
    """The id of a document."""
    return json.loads(parse(data).payload)["id"]


def test_a_policy_waits_for_its_time(state, signers):
    """A policy that verifies is taken once, has no effect before effective_at, and is in force from then on."""
    document = signers.policy(2, effective_at=NOW + 10)
    assert told(state.take([document], NOW)) == [("taken", "")] and state.take([document], NOW) == []
    assert state.view.policy(NOW + 9) is None and state.view.next_policy == NOW + 10
    found = state.view.policy(NOW + 10)
    assert found.body.version == 2 and found.signers == {"paula"}
    assert state.adopted(found, NOW + 10).outcome == "in_force"
    assert state.view.policy(NOW + 11) is None and state.take([document], NOW + 11) == []


@pytest.mark.parametrize("by", [(), ("ann",), ("root",), ("eve",)])
def test_other_roles_make_no_policy(state, signers, by):
    """A policy without a signature of the role policy is refused once, and has no effect."""
    document = signers.policy(2, by=by)
    (event,) = state.take([document], NOW)
    assert event.outcome == "refused" and "not signed by the role policy" in event.reason
    assert state.take([document], NOW) == [] and state.view.policies == ()


def test_signatures_of_one_owner_count_once(signers):
    """A threshold counts owners, and one that cannot be reached keeps everything out."""
    roles = {"root": ("root",), "policy": ("paula", "peter")}
    state = ControlState(Trust.anchor(signers.trust(roles=roles, thresholds={"policy": 2})), "s", 1, "")
    alone, both = signers.policy(2, by=("paula",)), signers.policy(2, by=("paula", "peter"))
    assert told(state.take([alone], NOW))[0][0] == "refused" and state.view.policies == ()
    assert told(state.take([both], NOW)) == [("taken", "")]


@pytest.mark.parametrize("change", ["payload", "type", "signature"])
def test_nothing_that_was_changed_verifies(state, signers, change):
    """A byte changed in payload, type or signature makes a document that is refused."""
    body = json.loads(signers.policy(2))
    if change == "payload":
        body["payload"] = json.loads(signers.policy(3))["payload"]
    elif change == "type":
        body["payloadType"] = "application/vnd.flink-masking.grant+json"
    else:
        body["signatures"][0]["sig"] = json.loads(signers.policy(3))["signatures"][0]["sig"]
    assert [event.outcome for event in state.take([json.dumps(body).encode()], NOW)] == ["refused"]
    assert state.view.policies == () and state.view.grants == ()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"payload": 1}', b'{"payload":"","payloadType":[],"signatures":[]}',
                                  b'{"payload":"","payloadType":"x","signatures":[{}]}', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_envelope_is_refused(state, signers, data):
    """Bytes that are no envelope, or half of one, are told once and do no harm to the documents beside them."""
    events = state.take([data, signers.policy(2)], NOW)
    assert sorted(told(events))[-1] == ("taken", "") and [event.outcome for event in events] == ["refused", "taken"]
    assert len(state.view.policies) == 1


def test_a_half_written_document_is_taken_when_it_is_whole(state, signers):
    """Half of a document has no effect, and the whole has it at the next look."""
    document = signers.policy(2)
    assert [event.outcome for event in state.take([document[: len(document) // 2]], NOW)] == ["refused"]
    assert told(state.take([document], NOW)) == [("taken", "")]


def test_rollback_and_replay_are_refused(state, signers):
    """A lower or equal version that turns up later is refused; the documents of the past are silent."""
    two, three = signers.policy(2), signers.policy(3)
    state.take([two, three], NOW)
    state.adopted(state.view.policy(NOW), NOW)
    assert state.version == 3 and state.take([two, three], NOW) == []
    events = state.take([two, three, signers.policy(3, policy_text(3, "drop")), signers.policy(1, policy_text(1, "drop"))], NOW)
    assert [(event.outcome, "not higher" in event.reason) for event in events] == [("refused", True)] * 2
    assert state.view.policies == ()


def test_a_copy_with_other_signatures_displaces_nothing(state, signers):
    """A copy of a document with signatures that do not count has no effect on the one that verifies, in either order."""
    good = signers.policy(2)
    body = json.loads(good)
    body["signatures"] = [{"keyid": one["keyid"], "sig": "AAAA"} for one in body["signatures"]] + [{"keyid": "x", "sig": "AAAA"}]
    copy = json.dumps(body).encode()
    assert told(state.take([copy, good, copy], NOW)) == [("taken", "")]


def test_history_is_no_event_after_a_restart(trust, signers):
    """A job that starts where older versions still lie tells nothing of them, and takes the newest only."""
    state = ControlState(trust, "s", 3, "")
    events = state.take([signers.policy(version) for version in (1, 2, 3, 4)], NOW)
    assert [(event.outcome, event.version) for event in events] == [("taken", 4)]


def test_two_documents_of_one_version(state, signers):
    """The one that was made first is taken by every worker, in whatever order they come; the other is refused."""
    first, second = signers.policy(2, issued_at=NOW), signers.policy(2, policy_text(2, "drop"), issued_at=NOW + 1)
    events = state.take([second, first], NOW + 2)
    assert sorted(event.outcome for event in events) == ["refused", "taken"]
    assert [one.id for one in state.view.policies] == [identity(first)]


def test_two_documents_with_one_id(state, signers):
    """Two bodies under one id are both refused."""
    first = signers.policy(2)
    events = state.take([first, signers.policy(3, id=identity(first))], NOW)
    assert [event.outcome for event in events] == ["refused"] and state.view.policies == ()


def test_other_streams_are_not_concerned(state, signers):
    """A document of another stream is neither taken nor an event."""
    assert state.take([signers.policy(2, stream="t")], NOW) == [] and state.view.policies == ()


def test_clocks_may_differ_by_a_minute(state, signers):
    """A document issued a minute in the future is taken; one issued further ahead is told, waits, and is taken when it is time."""
    near, late = signers.policy(2, issued_at=NOW + 60_000), signers.policy(3, issued_at=NOW + MAX_SKEW + 1)
    events = state.take([near, late], NOW)
    assert sorted((event.outcome, "issued in the future" in event.reason) for event in events) == [("refused", True), ("taken", False)]
    assert [(event.outcome, event.version) for event in state.take([near, late], NOW + 1)] == [("taken", 3)]


def test_grants_begin_and_end_by_the_clock(state, signers):
    """A grant is in force from effective_at to expires_at."""
    state.take([signers.grant(effective_at=NOW + 10, expires_at=NOW + 20)], NOW)
    assert [len(state.view.grants_at(NOW + at)) for at in (9, 10, 19, 20)] == [0, 1, 1, 0]


def test_the_requester_does_not_approve(state, signers):
    """A signature of the requester does not count, and one of another approver does."""
    own, other = signers.grant(by=("ann",), requester="ann"), signers.grant(by=("ann", "bob"), requester="ann")
    assert [event.outcome for event in state.take([own, other], NOW)] == ["refused", "taken"]
    (grant,) = state.view.grants_at(NOW)
    assert grant.signers == {"bob"}


def test_what_was_revoked_stays_revoked(state, signers):
    """A grant ends with its revocation, also when the source no longer has the revocation, and after a restart."""
    grant = signers.grant()
    state.take([grant], NOW)
    assert [event.outcome for event in state.take([grant, signers.revocation(identity(grant))], NOW)] == ["revoked"]
    assert state.view.grants == ()
    state.take([grant], NOW)
    again = ControlState(state.trust, "s", 1, "", Kept.load(state.kept.dump()))
    again.take([grant], NOW)
    assert state.view.grants == again.view.grants == ()


def test_what_was_withdrawn_does_not_come_back(state, signers):
    """A grant that the source no longer has is over, also when it comes back; one that has expired is no event."""
    grant, other = signers.grant(), signers.grant(expires_at=NOW + 1)
    state.take([grant, other], NOW)
    policy = signers.policy(2)
    for take, outcomes in ((1, ["taken"]), (2, ["withdrawn"]), (3, [])):
        assert [event.outcome for event in state.take([policy], NOW + take)] == outcomes and state.view.grants == ()
        assert state.settled(NOW + take) is (take != 1)
    state.take([grant, policy], NOW + 4)
    assert state.view.grants == ()


def test_a_name_that_is_missing_once_is_no_withdrawal(state, signers):
    """A grant that one look does not find is not in force, and is again at the next look that finds it."""
    grant, policy = signers.grant(), signers.policy(2)
    for found, count in (([grant, policy], 1), ([policy], 0), ([grant, policy], 1), ([policy], 0), ([grant, policy], 1)):
        state.take(found, NOW)
        assert len(state.view.grants) == count


def test_a_source_that_holds_nothing_any_more_is_away(state, signers):
    """An empty answer after documents is a failure of the source, not a withdrawal of everything."""
    state.take([signers.grant()], NOW)
    with pytest.raises(ControlUnavailableError):
        state.take([], NOW)
    assert len(state.view.grants_at(NOW)) == 1


def test_a_pending_policy_can_be_revoked(state, signers):
    """Its own role ends a policy that waits; an approver does not."""
    document = signers.policy(2, effective_at=NOW + 10)
    wrong = signers.revocation(identity(document), "policy", by=("ann",))
    state.take([document, wrong], NOW)
    assert len(state.view.policies) == 1
    state.take([document, wrong, signers.revocation(identity(document), "policy", by=("paula",))], NOW)
    assert state.view.policies == ()


@pytest.mark.parametrize("of", ["grant", "alerts", "erasure"])
def test_a_revocation_ends_documents_of_its_kind_only(state, signers, of):
    """Who may end a grant cannot end a policy by calling it a grant, now or after a restart, in files of other kinds of state, too."""
    document = signers.policy(2, effective_at=NOW + 10)
    by = {"grant": "ann", "alerts": "paula", "erasure": "eve"}[of]
    wrong = signers.revocation(identity(document), of, by=(by,))
    state.take([document, wrong], NOW)
    again = ControlState(state.trust, "s", 1, "", Kept.load(state.kept.dump()))
    again.take([document, wrong], NOW)
    assert len(state.view.policies) == len(again.view.policies) == 1


def test_a_document_of_another_kind_does_not_shadow_by_its_id(state, signers):
    """A grant with the id of a policy that waits makes neither of them void, and its end is not the policy's."""
    policy = signers.policy(2, effective_at=NOW + 10)
    grant = signers.grant(id=identity(policy))
    state.take([policy, grant], NOW)
    assert len(state.view.policies) == len(state.view.grants) == 1
    for _ in range(2):
        state.take([policy], NOW)
    assert len(state.view.policies) == 1 and state.view.grants == ()
    state.take([policy, grant, signers.revocation(identity(policy))], NOW)
    assert len(state.view.policies) == 1 and state.view.grants == ()


def test_ids_in_files_from_before_kinds_were_kept_end_any_document(state, signers):
    """A file that holds an id alone keeps its document from coming back."""
    grant = signers.grant()
    again = ControlState(state.trust, "s", 1, "", Kept(revoked=frozenset([identity(grant)])))
    again.take([grant], NOW)
    assert again.view.grants == ()


def test_keys_are_rotated_by_the_root_before(state, signers):
    """A trust version signed by the old root and its own replaces the keys; others are refused."""
    roles = {"root": ("second",), "policy": ("peter",), "approver": ("ann",)}
    events = []
    for by in ((), ("second",), ("root",), ("paula", "second")):
        events += state.take([signers.trust(2, by, roles=roles)], NOW)
        assert state.trust.version == 1
    assert {event.outcome for event in events} == {"refused"}
    good = signers.trust(2, ("root", "second"), roles=roles)
    assert [event.outcome for event in state.take([good, signers.policy(2, by=("peter",))], NOW)] == ["taken", "taken"]
    third = signers.trust(3, ("second",), roles=roles)
    state.take([third, good], NOW)
    assert state.trust.version == 3


def test_trust_versions_are_taken_in_order_in_one_look(state, signers):
    """A chain of trust files is followed within one look, whatever the order of the documents."""
    roles = {"root": ("second",), "policy": ("peter",)}
    third, second = signers.trust(3, ("second",), roles=roles), signers.trust(2, ("root", "second"), roles=roles)
    events = state.take([third, second], NOW)
    assert [(event.outcome, event.version) for event in events] == [("taken", 2), ("taken", 3)]


def test_a_restart_keeps_the_trust_file_after_two_rotations(state, signers):
    """A trust file whose root the deployment's does not know any more is the one in force after a restart, too."""
    roles = [{"root": (owner,), "policy": ("peter",)} for owner in ("second", "third")]
    state.take([signers.trust(2, ("root", "second"), roles=roles[0]), signers.trust(3, ("second", "third"), roles=roles[1])], NOW)
    again = ControlState(Trust.anchor(signers.trust()), "s", 1, "", Kept.load(state.kept.dump()))
    assert (state.trust.version, again.trust.version) == (3, 3)
    assert told(again.take([signers.policy(2), signers.policy(3, by=("peter",))], NOW))[-1] == ("taken", "")


def test_a_signer_who_is_removed_has_no_effect_any_more(state, signers):
    """What waits, or is granted, ends when its signer is no longer trusted; a policy in force stays; and a restart keeps all that."""
    two, three, grant = signers.policy(2), signers.policy(3, effective_at=NOW + 10), signers.grant()
    state.take([two, three, grant], NOW)
    state.adopted(state.view.policy(NOW), NOW)
    roles = {"root": ("root",), "policy": ("peter",), "approver": ("bob",)}
    events = state.take([two, three, grant, signers.trust(2, roles=roles)], NOW)
    assert [event.outcome for event in events].count("taken") == 1
    assert state.view.policies == () and state.view.grants == () and state.version == 2
    again = ControlState(Trust.anchor(signers.trust()), "s", 1, "", Kept.load(state.kept.dump()))
    assert again.trust.version == 2 and again.kept_policy().body.version == 2
    again.take([two, three, grant], NOW)
    assert again.view.policies == () and again.view.grants == ()


def test_erasures_stay(state, signers):
    """An erasure in effect stays in effect when the source no longer has it, when it is revoked, and after a restart."""
    from flink_masking.control.bodies import ErasureBody
    from flink_masking.control.instants import new_id
    from flink_masking.control.trust import payload

    body = ErasureBody(id=new_id(NOW), stream="s", issued_at=NOW, effective_at=NOW, subjects=("h",), reason="why")
    erasure = seal("erasure", payload(body), [signers["eve"]]).dump()
    state.take([erasure], NOW)
    revocation = signers.revocation(body.id, "erasure", by=("eve",))
    for found in ([signers.grant()], [erasure, revocation]):
        state.take(found, NOW)
        assert [one.id for one in state.view.erasures_at(NOW)] == [body.id]
    again = ControlState(state.trust, "s", 1, "", Kept.load(state.kept.dump()))
    again.take([], NOW)
    assert [one.id for one in again.view.erasures_at(NOW)] == [body.id]


def test_a_policy_that_cannot_be_used_is_not_tried_again(state, signers):
    """A refused policy leaves the view, and a higher one can follow."""
    document = signers.policy(2)
    state.take([document], NOW)
    event = state.refuse(state.view.policy(NOW), "a reason. Hint: something", NOW)
    assert (event.outcome, event.version) == ("refused", 2) and state.take([document], NOW) == []
    assert state.view.policy(NOW) is None
    state.take([document, signers.policy(3)], NOW)
    assert state.view.policy(NOW).body.version == 3


def test_errors_hold_nothing_of_the_documents(state, signers):
    """No text of a policy or grant stands in an event."""
    secret = "4111111111111111"
    bad = seal("grant", json.dumps({"segment": secret, "fields": {secret: secret}, "surplus": secret}).encode(), [signers["ann"]]).dump()
    (event,) = state.take([bad], NOW)
    assert event.outcome == "refused" and secret not in json.dumps(event.body())


def test_no_changed_byte_makes_another_document(trust, signers):
    """Whatever byte of a signed policy is changed, it is refused, or says what was signed."""
    whole = signers.policy(2)
    for place in range(len(whole)):
        for changed in (whole[place] ^ 1, whole[place] ^ 32):
            state = ControlState(trust, "s", 1, "")
            state.take([whole[:place] + bytes([changed]) + whole[place + 1 :]], NOW)
            assert all(one.signed.payload == parse(whole).payload for one in state.view.policies)
