"""Tracing records: every one is found with what was done to it, and its proof stands alone."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealed_logs import SIGNER, batches, sealed

from flink_masking.audit.entries import expire_leaves
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.stores import Directory
from flink_masking.audit.trace import check_proof, trace
from flink_masking.audit.verify import verify
from flink_masking.errors import InputError

KEYS = [SIGNER.verifier]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log of batches of several sizes, and the records that they released."""
    released, lines = [], []
    for count, size in ((300, 2), (3, 1), (2, 1_500)):
        more, further = batches(count, size, len(released))
        released, lines = released + more, lines + further
    return sealed(tmp_path_factory.mktemp("log") / "log", lines[:100], lines[100:]), released


@pytest.mark.parametrize("at", [0, 1, 599, 600, 602, 603, 2_102, 2_103, 3_602])
def test_a_record_is_found_and_proved(log, at):
    """Of a record that was sent once, trace tells batch, policy and rules, and the proof needs nothing else."""
    folder, released = log
    [sent] = trace(Directory(folder), "support", released[at])
    assert sent.event["policy_version"] == 4 and sent.event["stream"] == "orders" and len(sent.event["policy_digest"]) == 64
    assert sent.done["fields"]["email"]["technique"] == "partial"
    event, checkpoint = check_proof(sent.proof, released[at], KEYS)
    assert event == sent.event and checkpoint.origin == SIGNER.verifier.name


def test_a_record_that_was_sent_twice(tmp_path):
    """Each time that a record was sent is told."""
    released, lines = batches(2)
    folder = sealed(tmp_path / "log", lines, batches(2)[1])
    found = trace(Directory(folder), "support", released[4])
    assert [(sent.entry, sent.index) for sent in found] == [(1, 1), (3, 1)]


def test_leaf_hashes_that_a_source_repeats(tmp_path):
    """Lines that came again, in one round or in another, change nothing of what is found."""
    released, lines = batches(2, 1_500)
    folder = sealed(tmp_path / "log", lines, lines + lines[:3])
    assert [(sent.entry, sent.index) for sent in trace(Directory(folder), "support", released[2_000])] == [(1, 500)]


def test_what_was_not_sent_is_not_found(log):
    """Another record, another view, and a record with a byte more are in no batch."""
    folder, released = log
    store = Directory(folder)
    assert not trace(store, "support", released[0] + b"\n") and not trace(store, "other", released[0]) and not trace(store, "support", b"")


@given(st.data())
def test_a_proof_that_was_changed_proves_nothing(log, data):
    """A proof with another byte, for another record or under another key is refused."""
    folder, released = log
    proof = bytearray(trace(Directory(folder), "support", released[0])[0].proof)
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at] ^= data.draw(st.integers(1, 255))
    try:
        event, _ = check_proof(bytes(proof), released[0], KEYS)
    except InputError:
        return
    assert event == check_proof(trace(Directory(folder), "support", released[0])[0].proof, released[0], KEYS)[0]


def test_a_proof_belongs_to_a_record_and_a_log(log):
    """A proof of one record proves nothing of another one, nor under another log's key."""
    folder, released = log
    proof = trace(Directory(folder), "support", released[0])[0].proof
    with pytest.raises(InputError, match="not in the batch"):
        check_proof(proof, released[1], KEYS)
    with pytest.raises(InputError, match="no key that was given"):
        check_proof(proof, released[0], [NoteSigner("other", bytes(32)).verifier])
    body = json.loads(proof)
    body["record"]["index"] = 1
    with pytest.raises(InputError, match="not in the batch"):
        check_proof(json.dumps(body).encode(), released[0], KEYS)


def test_without_leaf_hashes_nothing_is_found(log, tmp_path):
    """A log without leaf hashes traces single records only."""
    folder, released = log
    shutil.copytree(folder, tmp_path / "log", ignore=shutil.ignore_patterns("leaves"))
    assert not trace(Directory(tmp_path / "log"), "support", released[0]) and trace(Directory(tmp_path / "log"), "support", released[600])


def test_leaf_hashes_expire(tmp_path):
    """Files whose newest line is older than leaf hashes are kept are removed; the log verifies, and younger records are traced."""
    (old, first), (young, second) = batches(2), batches(2)
    folder = sealed(tmp_path / "log", first, second)
    middle = json.loads(second[0])["time"]
    assert expire_leaves(Directory(folder), middle) == 1 == len(list((folder / "leaves").iterdir()))
    found = verify(Directory(folder), KEYS)
    assert (found.faults, found.untraced) == ([], 2)
    assert not trace(Directory(folder), "support", old[0]) or old[0] == young[0]
    assert trace(Directory(folder), "support", young[0])
    sealed(folder, batches(1)[1])
    assert len(list((folder / "leaves").iterdir())) == 2
