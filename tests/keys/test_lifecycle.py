"""The states of key versions."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import KeyRing


def states(ring):
    """State by number."""
    return {facts.number: facts.state for facts in ring.facts()}


def test_an_added_version_is_enabled():
    """A version that is added opens and does not protect."""
    ring = KeyRing.new().added()
    assert (states(ring), ring.primary, ring.versions) == ({1: "primary", 2: "enabled"}, 1, (1, 2))


def test_a_promoted_version_protects():
    """Promotion changes who protects; the version before stays enabled."""
    ring = KeyRing.new().added().promoted(2)
    assert (states(ring), ring.derive("p", "d").version) == ({1: "enabled", 2: "primary"}, 2)


def test_a_disabled_version_comes_back():
    """A disabled version derives nothing, and after enabling the same keys as before."""
    ring = KeyRing.new().rotated()
    before = ring.derive("p", "d", 1).secret()
    off = ring.disabled(1)
    assert off.versions == (2,)
    with pytest.raises(KeyRingError, match=r"version 1 is disabled\. Hint: flink-masking keys enable"):
        off.derive("p", "d", 1)
    assert KeyRing.parse(off.dump(), "x").enabled(1).derive("p", "d", 1).secret() == before


@pytest.mark.parametrize("first", [lambda ring: ring, lambda ring: ring.disabled(1)], ids=["enabled", "disabled"])
def test_a_destroyed_version_has_no_root_and_a_date(first):
    """Destroying removes the root; number and times stay, also in the file, and derive says when."""
    ring = KeyRing.new().rotated()
    created = ring.facts()[0].created
    begin = datetime.now(UTC).replace(microsecond=0)
    gone = KeyRing.parse(first(ring).destroyed(1).dump(), "x")
    assert "root" not in json.loads(gone.dump())["versions"][0]
    assert (gone.versions, gone.facts()[0][:3]) == ((2,), (1, "destroyed", created))
    assert begin <= datetime.fromisoformat(gone.facts()[0].destroyed) <= datetime.now(UTC)
    with pytest.raises(KeyRingError, match=r"version 1 was destroyed on \d{4}-\d\d-\d\dT"):
        gone.derive("p", "d", 1)


def test_numbers_are_never_used_again():
    """A version that is added after the last was destroyed has a new number."""
    ring = KeyRing.new().added().destroyed(2).added()
    assert states(ring) == {1: "primary", 2: "destroyed", 3: "enabled"}


@pytest.mark.parametrize(("step", "number", "said"), [
    ("promoted", 1, "primary and cannot be promoted"),
    ("promoted", 3, "disabled and cannot be promoted. Hint: enable it first"),
    ("promoted", 4, "was destroyed on"),
    ("disabled", 1, "primary and cannot be disabled. Hint: promote another"),
    ("disabled", 3, "disabled and cannot be disabled"),
    ("disabled", 4, "was destroyed on"),
    ("enabled", 1, "primary and cannot be enabled"),
    ("enabled", 2, "enabled and cannot be enabled"),
    ("enabled", 4, "was destroyed on"),
    ("destroyed", 1, "primary and cannot be destroyed. Hint: promote another"),
    ("destroyed", 4, "was destroyed on"),
    *((step, 9, "no version 9") for step in ("promoted", "disabled", "enabled", "destroyed")),
])
def test_steps_that_cannot_be_taken(step, number, said):
    """Each step from a state that does not allow it is an error that says the state, with a hint, and changes nothing."""
    ring = KeyRing.new().added().added().added().disabled(3).destroyed(4)
    before = ring.dump()
    with pytest.raises(KeyRingError, match=f"{said}.*") as caught:
        getattr(ring, step)(number)
    assert "Hint: " in str(caught.value)
    assert ring.dump() == before


STEPS = st.lists(st.tuples(st.sampled_from(["added", "promoted", "disabled", "enabled", "destroyed"]), st.integers(1, 6)), max_size=12)


@given(STEPS)
def test_any_steps_leave_a_sound_ring(steps):
    """Whatever is tried, the ring has exactly one primary, opens what is primary or enabled, and reads back as it was written."""
    ring = KeyRing.new()
    for name, number in steps:
        try:
            ring = ring.added() if name == "added" else getattr(ring, name)(number)
        except KeyRingError:
            continue
        assert KeyRing.parse(ring.dump(), "x").dump() == ring.dump()
    assert list(states(ring).values()).count("primary") == 1
    for number, state in states(ring).items():
        if state in ("primary", "enabled"):
            assert ring.derive("p", "d", number).version == number
        else:
            with pytest.raises(KeyRingError):
                ring.derive("p", "d", number)
    assert set(ring.versions) == {number for number, state in states(ring).items() if state in ("primary", "enabled")}


def test_a_ring_that_is_full():
    """A ring whose last number is taken says so."""
    full = json.loads(KeyRing.new().dump())
    full["versions"][0]["version"] = (1 << 32) - 1
    del full["versions"][0]["check"]
    with pytest.raises(KeyRingError, match="no number left"):
        KeyRing.parse(json.dumps(full).encode(), "x").added()
