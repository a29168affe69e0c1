"""Differences of lock files, lost tags, and what becomes of views."""

from flink_masking.data_contract.differences import compatibility, differences
from flink_masking.data_contract.pull import merged
from flink_masking.policy.lock import LockedField, SchemaLock, SchemaVersion
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: orders
tags: {source: registry, map: {PII: direct, ID: identifier}, untagged: plain}
segments:
  masked:
    view: masked
    rules: {class:direct: {technique: partial, keep_last: 2}, id: {technique: pseudonym, domain: d}, "*": keep}
  narrow:
    view: masked
    rules: {id: redact}
  counted:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {people: count_distinct_subjects}
    privacy: {epsilon: 1.0, delta: 1e-9}
subject: id
event_time: {field: at}
fields: {at: {class: plain, type: datetime}}
"""
OLD = {"id": LockedField(type="string", optional=False, tags=("ID",)), "email": LockedField(type="string", optional=False, tags=("PII",)),
       "amount": LockedField(type="long", optional=False), "note": LockedField(type="string"), "at": LockedField(type="string")}


def lock(*digits, **fields):
    """A lock file: the fields of OLD, some of them otherwise or (None) not there."""
    found = {path: field for path, field in {**OLD, **fields}.items() if field is not None}
    versions = tuple(SchemaVersion(digest=digit * 64, version=int(digit)) for digit in digits)
    return SchemaLock("registry", "orders-value", "AVRO", found, versions)


def changed(**fields):
    """Differences from OLD, as lines."""
    return [change.told() for change in differences(lock(), lock(**fields))]


def views(**fields):
    """Compatible views, and reasons and notes of all."""
    source = PolicySource("p", POLICY)
    found = compatibility(source, "contract.lock.yaml", lock(), lock(**fields))
    return {name for name, view in found.items() if view.compatible}, {name: (view.reasons, view.notes) for name, view in found.items()}


def test_nothing_changed_is_no_difference():
    """The same lock file has no differences, and every view stays as it is."""
    assert changed() == []
    assert views() == ({"masked", "narrow", "counted"}, {name: ((), ()) for name in ("masked", "narrow", "counted")})


def test_every_kind_of_difference_is_told():
    """New and removed fields, lost and new tags, changed types, classes and presence, by path."""
    stated = LockedField.model_validate({"type": "string", "class": "direct"})
    assert changed(email=LockedField(type="string"), extra=LockedField(type="int", tags=("A",)), amount=LockedField(type="double"),
                   note=None, at=stated) == [
        "amount: changed type: long → double", "amount: optional", "at: changed class: none → direct", "email: lost tag: PII",
        "email: optional", "extra: new field: int", "extra: new tag: A", "note: removed field: string"]
    alarms = {change.kind for change in differences(lock(), lock(email=LockedField(type="string"))) if change.alarm}
    assert alarms == {"lost tag"}


def test_a_field_that_only_earlier_versions_have_is_removed():
    """What the latest version no longer has counts as removed, though old records may hold it."""
    gone = OLD["note"].model_copy(update={"removed": True})
    assert changed(note=gone) == ["note: removed field: string"]
    assert [change.told() for change in differences(lock(note=gone), lock())] == ["note: new field: string"]


def test_versions_that_the_lock_does_not_know_are_told():
    """A new version of the schema is a difference even where its fields are the same; one that is gone is none."""
    assert [change.told() for change in differences(lock("1"), lock("1", "2"))] == ["schema: new version: 2"]
    assert differences(lock("1", "2"), lock("2")) == []


def test_a_lost_tag_stays_in_force_until_it_is_accepted():
    """The new lock file keeps the lost tag apart, again and again; accepting drops it; a tag that returns is no longer lost."""
    bare = lock(email=LockedField(type="string", optional=False))
    kept = merged(lock(), bare, False)
    assert (kept.fields["email"].tags, kept.fields["email"].lost) == ((), ("PII",))
    again = merged(kept, bare, False)
    assert again.text() == kept.text()
    assert [change.told() for change in differences(kept, bare)] == ["email: lost tag: PII"]
    assert [change.told() for change in differences(lock(), kept)] == ["email: lost tag: PII"]
    assert merged(kept, bare, True).fields["email"].effective == ()
    assert merged(kept, lock(), False).fields["email"] == OLD["email"]


def test_known_versions_stay_known():
    """Versions that the source no longer lists stay in the lock file: records of them may come."""
    found = merged(lock("1", "2"), lock("2", "3"), False)
    assert [one.version for one in found.versions] == [1, 2, 3]


def test_views_of_removed_and_new_fields():
    """A view is not compatible when a field that all records had is gone; an optional field, and a new one, are told."""
    good, told = views(amount=None, note=None, extra=LockedField(type="int"))
    assert good == {"narrow", "counted"}
    assert told["masked"] == (("amount is no longer shown",), ("note is no longer shown", "extra is shown for the first time"))


def test_views_of_changed_types():
    """A changed type breaks a view that shows the value, and not one that makes text of text."""
    good, told = views(amount=LockedField(type="double", optional=False))
    assert (good, told["masked"][0]) == ({"narrow", "counted"}, ("amount: long → double",))
    good, told = views(email=LockedField(type="bytes", optional=False, tags=("PII",)))
    assert (good, told["masked"]) == ({"masked", "narrow", "counted"}, ((), ()))


def test_views_of_a_tag_that_is_released():
    """A tag that is gone for good shows the field by the rules for what it is now, which readers are told of."""
    good, told = views(email=LockedField(type="string", optional=False))
    assert "masked" in good and told["masked"][0] == ()


def test_a_policy_that_no_longer_loads_breaks_every_view():
    """Where the policy has faults with the new lock file, no view is compatible, and the first fault is the reason."""
    good, told = views(id=None)
    assert good == set()
    assert all("the policy no longer loads" in reasons[0] for reasons, _ in told.values())
