"""Merkle trees over columns against their definition, and proofs against roots."""

import hashlib
import os

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.crypto.merkle import EMPTY, inclusion_path, leaf_hash, leaf_hashes, root_by_path, root_of

LENGTHS = [0, 1, 20, 53, 54, 55, 56, 62, 63, 64, 65, 117, 118, 119, 120, 126, 127, 128, 200, 1000]


def defined(hashes):
    """The root as RFC 6962, 2.1 defines it."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + defined(hashes[:k]) + defined(hashes[k:])).digest()


@pytest.mark.parametrize("length", LENGTHS)
def test_leaves_of_every_length(length):
    """A leaf hash is SHA-256 of 0x00 and the record, wherever the record ends in a block."""
    records = [os.urandom(length) for _ in range(17)]
    expected = [hashlib.sha256(b"\0" + record).digest() for record in records]
    assert [bytes(row) for row in leaf_hashes(pa.array(records, pa.binary()))] == expected == [leaf_hash(record) for record in records]


@given(st.lists(st.one_of(st.none(), st.binary(max_size=200)), max_size=70), st.integers(0, 5))
def test_roots_and_paths(records, skipped):
    """Of any column, slices and nulls included, leaves and root are those of the definition, and every path leads to the root."""
    column = pa.array([*[b"before"] * skipped, *records], pa.binary()).slice(skipped)
    hashes = leaf_hashes(column)
    root = root_of(hashes)
    expected = [leaf_hash(record) for record in records if record is not None]
    assert [bytes(row) for row in hashes] == expected and root == defined(expected)
    for index, leaf in enumerate(expected):
        path = inclusion_path(hashes, index)
        assert root_by_path(leaf, index, len(expected), path) == root
        assert root_by_path(leaf, index, len(expected) + 70, path) != root and root_by_path(b"x" * 32, index, len(expected), path) != root


def test_the_empty_tree():
    """The root of nothing is the hash of nothing."""
    assert root_of(leaf_hashes(pa.array([], pa.binary()))) == EMPTY == hashlib.sha256(b"").digest()
