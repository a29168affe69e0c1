"""Hot reload of key rings."""

import pytest

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.watch import RingWatcher


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self):
        """Seconds."""
        return self.now


@pytest.fixture
def path(tmp_path):
    """A key ring file."""
    files.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


@pytest.fixture
def watching(path):
    """Clock, watcher and what it reported."""
    clock, reports = Clock(), []
    return clock, RingWatcher(f"file://{path}", 30, clock, reports.append), reports


def change(path, step):
    """Take a step with the ring in a file."""
    files.edit(path, lambda data: step(KeyRing.parse(data, "x")).dump())


def test_a_promoted_version_comes_within_the_interval(path, watching):
    """Until the interval is over the ring stays the same object; then the promoted version protects."""
    clock, watcher, reports = watching
    first = watcher.ring()
    change(path, KeyRing.rotated)
    clock.now += 29.9
    assert watcher.ring() is first
    clock.now += 0.1
    assert (watcher.ring().primary, first.primary, reports) == (2, 1, [])


def test_an_unchanged_ring_is_not_opened_again(path, watching, monkeypatch):
    """While the fingerprint stays, no provider is asked for the ring."""
    clock, watcher, _ = watching
    first = watcher.ring()
    monkeypatch.setattr(files, "read_bytes", None)
    for _ in range(5):
        clock.now += 30
        assert watcher.ring() is first


@pytest.mark.parametrize("loss", ["missing", "exposed", "broken"])
def test_a_failure_keeps_the_ring_and_is_reported(path, watching, loss):
    """While the ring cannot be opened the one before is used, each look is reported once, and the next good one takes effect."""
    clock, watcher, reports = watching
    first, good = watcher.ring(), path.read_bytes()
    if loss == "missing":
        path.unlink()
    elif loss == "exposed":
        path.chmod(0o644)
    else:
        path.write_bytes(b"{")
    for looks in (1, 2):
        clock.now += 30
        assert watcher.ring() is first
        assert watcher.ring() is first
        assert [type(report) for report in reports] == [KeyRingError] * looks
    path.write_bytes(KeyRing.parse(good, "x").rotated().dump())
    path.chmod(0o600)
    clock.now += 30
    assert (watcher.ring().primary, len(reports)) == (2, 2)


@pytest.mark.parametrize(("step", "said"), [(lambda r: r.disabled(1), "is disabled"), (lambda r: r.destroyed(1), "was destroyed on")])
def test_a_version_that_was_taken_away_is_gone(path, watching, step, said):
    """A version that was disabled or destroyed opens nothing after the interval."""
    clock, watcher, _ = watching
    change(path, KeyRing.rotated)
    clock.now += 30
    watcher.ring().derive("p", "d", 1)
    change(path, step)
    clock.now += 30
    with pytest.raises(KeyRingError, match=said):
        watcher.ring().derive("p", "d", 1)


def test_a_new_value_of_a_variable_is_seen(monkeypatch):
    """A variable that changed is read again; its fingerprint says nothing of it."""
    ring, clock = KeyRing.new(), Clock()
    monkeypatch.setenv("RING", ring.dump().decode())
    watcher = RingWatcher("env://RING", 5, clock)
    monkeypatch.setenv("RING", ring.rotated().dump().decode())
    clock.now += 5
    assert watcher.ring().primary == 2


def test_the_first_ring_must_open(tmp_path):
    """Without a first ring there is nothing to keep: an error."""
    with pytest.raises(KeyRingError, match="cannot be read"):
        RingWatcher(f"file://{tmp_path}/none.json")


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_is_positive(path, interval):
    """An interval that is not positive is refused."""
    with pytest.raises(ValueError, match="more than 0"):
        RingWatcher(f"file://{path}", interval)
