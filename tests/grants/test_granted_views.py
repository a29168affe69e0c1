"""What flows into a granted view, and what does not."""

import pytest
from control_documents import NOW
from granted_jobs import policy_of, record

from flink_masking.control.instants import new_id
from flink_masking.keys.ring import KeyRing

PEOPLE = [record(number) for number in range(4)]


def test_nothing_flows_without_a_grant(job):
    """No grant: the granted view is empty, and its audit entry says so."""
    made = job()
    assert made.shown(PEOPLE) == [None] * 4
    assert made.event(PEOPLE)["segments"]["debug"] == {"released": 0, "fields": {}}


def test_a_grant_opens_the_records_of_its_subjects(job):
    """The named person's records show the granted fields by may_show, all else as in the masked segment; nobody else's are there."""
    made = job()
    name = made.grant(["p2"])
    masked, shown = made.shown(PEOPLE, "support"), made.shown(PEOPLE)
    assert [one is not None for one in shown] == [False, False, True, False]
    assert shown[2] == {**masked[2], "email": "***@example.com"[-15:], "ssn": "000000002"}
    done = made.event(PEOPLE)["segments"]["debug"]
    assert (done["released"], done["grants"]) == (1, {name: 1})


def test_only_the_fields_of_the_grant_are_shown(job):
    """A field of may_show that the grant does not name is as in the masked segment."""
    made = job()
    made.grant(["p2"], fields={"ssn": None})
    masked, shown = made.shown(PEOPLE, "support"), made.shown(PEOPLE)
    assert shown[2] == {**masked[2], "ssn": "000000002"}


@pytest.mark.parametrize(("where", "records", "expected"), [
    ({"region": "us"}, [record(0), record(1, region="us"), record(2, region=None)], [1]),
    ({"amount": 10}, [record(0, amount=10), record(1, amount=10.0), record(2, amount="10"), record(3, amount=10.5), record(4)], [0, 1]),
    ({"amount": 0.1}, [record(0, amount=0.1), record(1, amount=0.10000001)], [0]),
    ({"vip": True}, [record(0, vip=True), record(1, vip=False), record(2)], [0]),
    ({"region": "us", "amount": 1}, [record(0, region="us", amount=1), record(1, amount=1), record(2, region="us")], [0]),
])
def test_predicates(job, where, records, expected):
    """Records with exactly these values are opened; text is no number where a record has both, and a missing value is none."""
    made = job()
    made.grant(where=where)
    shown = made.shown(records)
    assert [row for row, one in enumerate(shown) if one is not None] == [row for row in expected if shown[row]] == expected


def test_subjects_and_predicate_both_hold(job):
    """With both, a record needs to be of a subject and to have the value."""
    made = job()
    made.grant(["p0", "p1"], where={"region": "us"})
    assert [one is not None for one in made.shown([record(0), record(1, region="us"), record(2, region="us")])] == [False, True, False]


def test_two_grants_with_different_fields(job):
    """A record that two grants open shows the fields of both once, a record of one of them the fields of that one."""
    made = job()
    one, two = made.grant(["p0", "p1"], fields={"ssn": None}), made.grant(["p1", "p2"], fields={"email": None})
    masked, shown = made.shown(PEOPLE, "support"), made.shown(PEOPLE)
    assert shown[0] == {**masked[0], "ssn": "000000000"}
    assert shown[1] == {**masked[1], "ssn": "000000001", "email": "***example.com"[:3] + "@example.com"}
    assert shown[2] == {**masked[2], "email": "***@example.com"} and shown[3] is None
    assert made.event(PEOPLE)["segments"]["debug"]["grants"] == {one: 2, two: 2}


def test_of_two_grants_for_one_field_the_first_says_how(job):
    """Where two grants say different rules for a field of one record, the grant with the lower id counts."""
    made = job()
    made.grant(["p0"], id=new_id(NOW + 1), fields={"ssn": None})
    made.grant(["p0", "p1"], id=new_id(NOW), fields={"ssn": {"technique": "partial", "keep_last": 4}})
    made.grant(["p2"], id=new_id(NOW + 2), fields={"ssn": "drop", "email": "redact"})
    shown = made.shown(PEOPLE)
    assert [shown[0]["ssn"], shown[1]["ssn"]] == ["***0000", "***0001"]
    assert "ssn" not in shown[2] and shown[2]["email"] == "***"


def test_it_begins_and_ends_by_the_clock(job):
    """A grant is in force from effective_at until just before expires_at, also while the source is away."""
    made = job()
    made.grant(["p0"], effective_at=NOW + 10, expires_at=NOW + 20)
    made.feed.away = True
    seen = []
    for made.now in (NOW, NOW + 9, NOW + 10, NOW + 19, NOW + 20):
        made.watcher.look()
        seen.append(made.shown(PEOPLE[:1])[0] is not None)
    assert seen == [False, False, True, True, False]


def test_revoked_in_the_middle_of_a_stream(job):
    """From the batch after a revocation on nothing flows, and the audit tells that the grant has ended."""
    made = job()
    name = made.grant(["p0"])
    before = made.shown(PEOPLE)[0]
    made.revoke(name)
    event = made.event(PEOPLE)
    assert before is not None and event["segments"]["debug"]["released"] == 0
    assert {(one["outcome"], one["id"]) for one in event["control"]} == {("revoked", name), ("ended", name)}
    assert made.shown(PEOPLE) == [None] * 4


def test_suspended_while_the_source_is_silent(job):
    """No answer for max_staleness suspends grants, an answer lifts it, and what was opened before stays counted."""
    made = job(policy_of(most=3))
    made.grant(["p0"])
    assert sum(one is not None for one in made.shown(PEOPLE[:1] * 2)) == 2
    made.feed.away = True
    made.now += 61_000
    made.watcher.look()
    assert made.shown(PEOPLE) == [None] * 4
    made.feed.away = False
    made.watcher.look()
    assert sum(one is not None for one in made.shown(PEOPLE[:1] * 4)) == 1


def test_max_records_over_batches(job):
    """The first records are opened and no more, over batches and whatever else happens; the grant's own limit counts if lower."""
    made = job()
    made.grant(["p0"], max_records=3)
    counts = [sum(one is not None for one in made.shown(PEOPLE[:1] * 2)) for _ in range(3)]
    assert counts == [2, 1, 0]


def test_max_records_are_divided_by_workers(job):
    """Four workers open as many records together as the grant says, each its share, and each says so in the audit."""
    shares, told = [], []
    for worker in range(4):
        made = job(workers=4, worker=worker)
        name = made.grant(["p0"], max_records=11)
        event = made.event(PEOPLE[:1] * 5)
        shares.append(event["segments"]["debug"]["grants"][name])
        told += [one["reason"] for one in event["control"] if one["outcome"] == "in_force"]
    assert shares == [3, 3, 3, 2]
    assert all(f"at most {share} records here, as one of 4 workers" in reason for share, reason in zip(shares, told, strict=True))


def test_a_worker_that_begins_later_opens_nothing(job, signers):
    """A worker cannot know what was opened before it began: it refuses grants that took effect before."""
    made = job()
    made.grant(["p0"], at=NOW - 1)
    event = made.event(PEOPLE)
    assert event["segments"]["debug"]["released"] == 0
    assert [one["outcome"] for one in event["control"] if one["outcome"] != "taken"] == ["refused"]


def test_keys_are_rotated(job):
    """A grant goes on after a promotion, ends when the version that it was made with is gone, and one with new hashes is taken."""
    made = job()
    made.grant(["p0"])
    made.ring = made.ring.rotated()
    assert made.shown(PEOPLE)[0] is not None
    made.ring = KeyRing.new()
    assert made.shown(PEOPLE) == [None] * 4
    made.grant(["p0"])
    assert made.shown(PEOPLE)[0] is not None


@pytest.mark.parametrize(("options", "told"), [
    ({"fields": {"region": None}}, "not under may_show"),
    ({"fields": {"email": "keep"}}, "may show more"),
    ({"fields": {"email": {"technique": "partial", "keep_last": 13}}}, "may show more"),
    ({"fields": {"email": {"technique": "partial", "keep_first": 1}}}, "may show more"),
    ({"fields": {"email": {"technique": "pseudonym", "domain": "other"}}}, "may show more"),
    ({"fields": {"ssn": {"technique": "nonsense"}}}, "nonsense"),
    ({"fields": {"ssn": 7}}, "no rule"),
    ({"fields": {}}, "names no field"),
    ({"expires_at": NOW + 7_200_001}, "lasts longer"),
    ({"max_records": 1001}, "max_records is above"),
    ({"subjects": ()}, "neither subjects nor a predicate"),
    ({"segment": "support"}, "no granted segment"),
    ({"segment": "none"}, "no granted segment"),
    ({"where": {"none": 1}}, "not a declared field"),
    ({"where": {"amount": 1e-30}}, "too many digits"),
])
def test_more_than_the_policy_allows_is_refused(job, options, told):
    """A signed grant that asks for more, or for what is not there, opens nothing, and the audit says why, once."""
    made = job()
    made.grant(**{"subjects": ["p0"], **options})
    event = made.event(PEOPLE)
    (refused,) = [one["reason"] for one in event["control"] if one["outcome"] == "refused"]
    assert told in refused and event["segments"]["debug"]["released"] == 0
    assert "control" not in made.event(PEOPLE)


def test_a_later_policy_takes_a_field_back(job, signers):
    """A live policy that removes a granted field from may_show, or the most records, ends the grant as a whole."""
    made = job()
    made.grant(["p0"])
    assert made.shown(PEOPLE)[0]["ssn"] == "000000000"
    made.feed.documents.append(signers.policy(2, policy_of(2, "email: {technique: partial, keep_last: 12}").source.text))
    made.watcher.look()
    event = made.event(PEOPLE)
    assert event["policy_version"] == 2 and event["segments"]["debug"]["released"] == 0
    assert any(one["outcome"] == "refused" and "not under may_show" in one["reason"] for one in event["control"])


def test_a_live_policy_does_not_begin_the_count_anew(job, signers):
    """What a grant has opened stays counted when the policy changes."""
    made = job()
    made.grant(["p0"], max_records=3)
    assert sum(one is not None for one in made.shown(PEOPLE[:1] * 2)) == 2
    made.feed.documents.append(signers.policy(2, policy_of(2).source.text))
    made.watcher.look()
    assert sum(one is not None for one in made.shown(PEOPLE[:1] * 4)) == 1


def test_more_approvals_than_signatures(job):
    """A segment that asks for two approvals takes a grant of two approvers, and not of one."""
    made = job(policy_of(change=("max_duration: 2h", "max_duration: 2h\n    approvals: 2")))
    made.grant(["p0"])
    assert made.shown(PEOPLE)[0] is None
    made.grant(["p1"], by=("ann", "bob"))
    assert made.shown(PEOPLE)[1] is not None
    made.grant(["p2"], by=("ann", "bob"), requester="bob")
    assert made.shown(PEOPLE)[2] is None


def test_quarantined_and_unfit_records(job):
    """A record that is in quarantine is in no granted view; a granted value that breaks its contract is redacted there."""
    made = job()
    made.grant(["p0"])
    shown = made.shown([b"{", record(0, other=1), record(0, email="no address", ssn=None)])
    assert shown[:2] == [None, None] and shown[2]["email"] == "***" and shown[2]["ssn"] is None
