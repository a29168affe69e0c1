"""Disks without room: what was there stays whole, nothing half-written is seen, and it goes on when there is room again."""

import pytest
from control_documents import NOW
from full_disk import full_disk

from flink_masking.control.memory import Kept, Store
from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.local import BundleSource, DirectorySource
from flink_masking.control.watcher import ControlWatcher
from flink_masking.errors import ControlError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer


@pytest.mark.parametrize("bundle", [False, True])
def test_a_document_is_published_whole_or_not_at_all(signers, tmp_path, bundle):
    """A document that does not fit is an error for who publishes it; jobs go on seeing the documents of before."""
    place = tmp_path / "control.jsonl" if bundle else tmp_path
    source = BundleSource(place) if bundle else DirectorySource(place)
    source.publish("one", signers.policy(2))
    before = source.read()
    with full_disk(), pytest.raises(ControlError, match="cannot be written"):
        source.publish("two", signers.policy(3))
    assert source.read() is None and (BundleSource(place) if bundle else DirectorySource(place)).read() == before
    source.publish("two", signers.policy(3))
    assert len(source.read()) == 2


def test_what_must_outlast_a_restart_is_written_when_there_is_room(signers, tmp_path):
    """Documents take effect while the state cannot be written, its file stays whole, and the next look that can writes it."""
    store = Store(f"file://{tmp_path}/state", "s", Sealer(KeyRing.new(), "control", "s"))
    store.save(Kept(version=1))
    source = DirectorySource(tmp_path / "control")
    (tmp_path / "control").mkdir()
    watcher = ControlWatcher(ControlOptions(f"file://{tmp_path}/control", signers.trust().decode()), "s", 1, "", store, lambda: NOW,
                             source=source)
    source.publish("two", signers.policy(2))
    with full_disk():
        watcher.look()
        watcher.adopted(watcher.due(NOW))
        watcher.look()
        assert store.load().version == 1
    watcher.look()
    assert store.load().version == 2 and {path.name for path in tmp_path.iterdir()} == {"control", "state", "state.lock"}
