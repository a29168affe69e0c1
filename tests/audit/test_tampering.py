"""Tampering with a log: each kind is found by `audit verify`, given what somebody kept."""

import base64
import shutil

import pytest
from sealed_logs import RING, SIGNER, batches, sealed

from flink_masking.audit.checkpoint import Checkpoint
from flink_masking.audit.events import AuditChain, is_leaves
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.stores import Directory
from flink_masking.audit.tiles import bundle, bundle_path, entries_of, tile_path
from flink_masking.audit.verify import verify
from flink_masking.crypto.merkle import leaf_hash
from flink_masking.keys.ring import KeyRing

COUNT = 600
BUNDLE = bundle_path(1)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A log of three bundles, with the checkpoint that it had before its last round."""
    folder, (_, lines) = tmp_path_factory.mktemp("log") / "log", batches(COUNT, 2)
    sealed(folder, lines[:700])
    kept = (folder / "checkpoint").read_bytes()
    sealed(folder, lines[700:])
    assert verify(Directory(folder), [SIGNER.verifier], kept, RING).faults == []
    return folder, kept, [line for line in lines if not is_leaves(line)], lines


@pytest.fixture
def log(untouched, tmp_path):
    """A copy of it, to be tampered with."""
    shutil.copytree(untouched[0], tmp_path / "log")
    return tmp_path / "log"


def faults(folder, kept=None, ring=RING, keys=(SIGNER.verifier,)):
    """What verification finds."""
    return verify(Directory(folder), keys, kept, ring).faults


def rewritten(folder, events, signer=SIGNER):
    """The same log with other entries, sealed as a whole by who has the key."""
    shutil.rmtree(folder)
    return sealed(folder, events, signer=signer)


def edited(folder, change):
    """Change the entries of the second bundle."""
    entries = entries_of((folder / BUNDLE).read_bytes(), 256)
    change(entries)
    (folder / BUNDLE).write_bytes(bundle(entries))


def swap(entries):
    """Exchange two entries."""
    entries[3], entries[4] = entries[4], entries[3]


@pytest.mark.parametrize("change", [
    lambda entries: entries.__setitem__(5, entries[5].replace(b'"records":2', b'"records":3')),
    lambda entries: entries.__delitem__(5),
    swap,
    lambda entries: entries.insert(5, entries[5]),
    lambda entries: entries.__setitem__(5, entries[6]),
    lambda entries: entries.__setitem__(5, b"{}"),
], ids=["changed", "removed", "reordered", "doubled", "replaced", "emptied"])
def test_entries(log, change):
    """An entry that was changed, removed, moved, doubled or replaced does not fit tiles and checkpoint any more."""
    edited(log, change)
    assert faults(log, ring=None)


@pytest.mark.parametrize("name", [BUNDLE, tile_path(0, 1), tile_path(1, 0, 2), "checkpoint"])
def test_files(log, name):
    """A file that is missing, cut off, changed in one bit or exchanged for another one of its kind is found."""
    whole = (log / name).read_bytes()
    other = (log / {BUNDLE: bundle_path(0), "checkpoint": bundle_path(0)}.get(name, tile_path(0, 0))).read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in (0, len(whole) - 9)]
    for data in (None, b"", whole[:-1], whole[:-40], *flipped, other):
        if data is None:
            (log / name).unlink()
        else:
            (log / name).write_bytes(data)
        assert faults(log), name


def test_a_change_with_all_tiles_made_anew(log, untouched):
    """Entries that were changed together with their tiles still fail the checkpoint's root."""
    _, _, events, _ = untouched
    note = (log / "checkpoint").read_bytes()
    rewritten(log, [*events[:300], events[300].replace(b'"records":2', b'"records":3'), *events[301:]])
    (log / "checkpoint").write_bytes(note)
    assert any("do not make the root" in fault for fault in faults(log, ring=None))


def test_truncated_and_sealed_again_by_the_key_holder(log, untouched):
    """A log that was cut and signed anew by the sealer's own key is found with a checkpoint that somebody kept."""
    _, kept, events, _ = untouched
    rewritten(log, events[:200])
    assert faults(log) == []  # nobody kept anything: a chain that ends earlier is a chain
    assert ["it was cut back" in fault for fault in faults(log, kept)] == [True]


@pytest.mark.parametrize("change", ["removed", "reordered", "changed"])
def test_history_rewritten_by_the_key_holder(log, untouched, change):
    """Whatever the sealer's key rewrites in the sealed past fails the checkpoint that was kept."""
    _, kept, events, _ = untouched
    events = list(events)
    if change == "removed":
        del events[10]
    elif change == "reordered":
        swap(events)
    else:
        events[10] = events[10].replace(b'"records":2', b'"records":3')
    rewritten(log, events)
    assert any("rewritten" in fault for fault in faults(log, kept))
    assert change == "reordered" or faults(log)  # the chain tells, too


def test_a_writers_event_forged_by_the_sealer(log, untouched):
    """Who has the sealer's key and no key ring can write no event: its code does not fit."""
    _, _, events, _ = untouched
    forged = AuditChain.signed(KeyRing.new(), "orders", 4, "0" * 64).event("unmask", 0, {"actor": "a", "purpose": "p", "outcome": "done"})
    rewritten(log, [*events, forged])
    assert faults(log, ring=None) == [] and ["the code of event" in fault for fault in faults(log)] == [True]
    old = AuditChain("orders", 4, "0" * 64, 1).event("unmask", 0, {"actor": "a", "purpose": "p", "outcome": "done"})
    rewritten(log, [*events, old])
    assert ["has no code" in fault for fault in faults(log)] == [True]


def test_a_forged_checkpoint(log):
    """A checkpoint of the same name by another key, or with another root under the old signature, is not accepted."""
    other = NoteSigner(SIGNER.verifier.name, bytes(32))
    note = (log / "checkpoint").read_bytes()
    now = Checkpoint.read(note, [SIGNER.verifier])
    (log / "checkpoint").write_bytes(now.signed(other))
    assert "no key that was given" in faults(log)[0]
    text, _, signature = note.partition(b"\n\n")
    (log / "checkpoint").write_bytes(text.replace(base64.b64encode(now.root), base64.b64encode(leaf_hash(b""))) + b"\n\n" + signature)
    assert "forged" in faults(log)[0]


def test_an_old_key(log, untouched):
    """After a change of the sealer's key, what the old one signs is not accepted, unless it is given, too."""
    _, kept, events, _ = untouched
    new = NoteSigner("audit.example.com/orders", bytes(31) + b"\1")
    assert "no key that was given" in faults(log, keys=[new.verifier])[0]
    rewritten(log, events, signer=new)
    assert faults(log, kept, keys=[new.verifier]) and faults(log, kept, keys=[new.verifier, SIGNER.verifier]) == []


def test_another_log(log, tmp_path):
    """The checkpoint of another log of ours is not this one's."""
    other = NoteSigner("audit.example.com/claims", bytes(range(32)))
    (log / "checkpoint").write_bytes(Checkpoint("audit.example.com/claims", 0, leaf_hash(b"")).signed(other))
    assert faults(log)


def test_leaf_hashes(log):
    """Leaf hashes that were changed do not make the root of their event; those that are missing are counted."""
    [first, *_] = sorted((log / "leaves").iterdir())
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(lines[0].replace(b'"leaves":"', b'"leaves":"AAAA', 1) + b"".join(lines[1:]))
    assert ["tells no leaf hashes" in fault for fault in faults(log)] == [True]
    first.write_bytes(b"".join(lines[1:]))
    assert verify(Directory(log), [SIGNER.verifier]).untraced == 1
    second = lines[1].replace(b'"of":1', b'"of":0')
    first.write_bytes(b"".join([second, *lines[1:]]))
    assert any("do not make its root" in fault for fault in faults(log))
