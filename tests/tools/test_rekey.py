"""From one key version to another: what the new version would have made, and nothing else changed."""

import os

import orjson
import pyarrow as pa
import pytest

from flink_masking.errors import DecryptionError, InputError, KeyRingError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.tools.rekey import Rekey
from flink_masking.tools.unmask import Unmask
from flink_masking.vault.memory import MemoryVault

POLICY = """\
version: 1
stream: s
fields:
  id: {class: identifier}
  card: {class: direct, optional: true}
  phones[*]: {class: direct, optional: true}
  name: {class: direct, optional: true}
  note: {class: free_text, type: json, optional: true}
  ssn: {class: direct, optional: true}
segments:
  versions:
    view: masked
    key_versions: true
    rules: &rules
      id: {technique: pseudonym, domain: customer}
      card: {technique: fpe, domain: pan, format: card, keep_first: 6}
      phones[*]: {technique: fpe, domain: phone, format: phone}
      name: {technique: encrypt_deterministic, domain: name}
      note: {technique: encrypt, domain: note}
      ssn: {technique: tokenize, domain: ssn}
  bare: {view: masked, rules: *rules}
  tokens: {view: masked, rules: {ssn: {technique: tokenize, domain: ssn}}}
  kept: {view: masked, rules: {id: keep}}
"""
LOADED = load(PolicySource("policy.yaml", POLICY))
RECORDS = [
    b'{"id":"a","card":"4111-1111-1111-1111","phones":["+14155550100","1"],"name":"N","note":{"x":[1,2.50]},"ssn":"1"}',
    b'{"id":"b","card":"4111-1111-1111-1111","phones":[],"name":"N","note":null,"ssn":"1"}',
    b'{"id":"c"}',
]


@pytest.fixture(scope="module")
def both(ring):
    """A ring with two versions; the first still protects."""
    return ring.added()


@pytest.fixture(scope="module")
def vault():
    """Tokens of these tests."""
    return MemoryVault()


@pytest.fixture
def masked(both, vault):
    """The records in a segment, as a version protects them."""
    return lambda version, segment="versions": Protector(LOADED, both.at(version), vault).protect(RECORDS).views[segment]


def rekeyed(ring, records, segment="versions", source=1, target=2):
    """Records under another key version."""
    return Rekey(LOADED, segment, ring, source, target, os.urandom)(records)


@pytest.mark.parametrize("segment", ["versions", "bare"])
def test_deterministic_values_are_those_of_the_new_version(both, masked, segment):
    """What is deterministic is what the new version makes of the raw values; tokens, pseudonyms and redacted values stay."""
    old, new = masked(1, segment), masked(2, segment)
    for before, expected, found in zip(old.to_pylist(), new.to_pylist(), rekeyed(both, old, segment).to_pylist(), strict=True):
        was, want, got = map(orjson.loads, (before, expected, found))
        assert list(got) == list(was) and got["id"] == was["id"] != want["id"]
        for name in ("card", "phones", "name", "ssn", "_key_versions"):
            assert got.get(name) == want.get(name)
        assert (got.get("note") is None) == (was.get("note") is None) and (got.get("note") != was.get("note") or not got.get("note"))
    assert orjson.loads(rekeyed(both, old, segment)[0].as_py())["phones"][1] == "***"


def test_the_old_version_is_not_needed_any_more(both, masked, vault):
    """After rekeying everything opens with a ring whose first version was destroyed."""
    after = both.promoted(2)
    fresh = rekeyed(after, masked(1))
    opened = Unmask(LOADED, "versions", after.destroyed(1), None, ["card", "phones[*]", "name", "note"])(fresh).records.to_pylist()
    assert orjson.loads(opened[0])["card"] == "4111-1111-1111-1111" and b'"note":{"x":[1,2.50]}' in opened[0]
    old = Unmask(LOADED, "versions", after.destroyed(1), None, ["card"])
    with pytest.raises(KeyRingError, match="version 1 was destroyed on"):
        old(masked(1))


def test_there_and_back_is_where_it_was(both, masked):
    """Rekeying back gives the same FPE values and deterministic ciphertext again."""
    old = masked(1)
    back = rekeyed(both, rekeyed(both, old), source=2, target=1)
    for before, after in zip(old.to_pylist(), back.to_pylist(), strict=True):
        was, now = orjson.loads(before), orjson.loads(after)
        was.pop("note", None), now.pop("note", None)
        assert was == now


def test_records_that_are_done_stay_as_they_are(both, masked):
    """Where records tell their version, those of the new one are taken along unchanged: a second run does no harm."""
    mixed = pa.concat_arrays([masked(1), masked(2)])
    once = [orjson.loads(row) for row in rekeyed(both, mixed).to_pylist()]
    assert [row.get("card") for row in once[:3]] == [row.get("card") for row in once[3:]]
    assert {row["_key_versions"]["card"] for row in once} == {2}


def test_records_of_a_third_version_are_an_error(both, masked):
    """A record that tells neither version is named, and nothing is written for it."""
    three = both.added()
    records = Protector(LOADED, three.at(3), MemoryVault()).protect(RECORDS).views["versions"]
    with pytest.raises(InputError, match=r"record 4: its values are of key version 3\..* 1 and 2"):
        rekeyed(three, pa.concat_arrays([masked(1), records]))


def test_versions_that_do_not_open_are_told(both, masked):
    """A disabled, destroyed or missing version is the ring's clear error, before a record is read."""
    after = both.promoted(2)
    for ring, pair, said in [(after.disabled(1), (1, 2), "version 1 is disabled"), (after.destroyed(1), (1, 2), "version 1 was destroyed"),
                             (both.disabled(2), (1, 2), "version 2 is disabled"), (both, (1, 7), "no version 7"),
                             (both, (7, 1), "no version 7")]:
        with pytest.raises(KeyRingError, match=said):
            Rekey(LOADED, "bare", ring, *pair, os.urandom)
    with pytest.raises(InputError, match="the same"):
        Rekey(LOADED, "bare", both, 1, 1, os.urandom)


@pytest.mark.parametrize(("segment", "said"), [("tokens", "nothing in the segment depends on a key version"), ("kept", "reversible"),
                                               ("none", "masked segments are")])
def test_segments_without_versions_are_told(both, segment, said):
    """Where there is nothing to change, nothing is pretended."""
    with pytest.raises(InputError, match=said):
        Rekey(LOADED, segment, both, 1, 2, os.urandom)


def test_another_ring_changes_nothing(masked, other_ring):
    """With other keys it is one error without detail."""
    with pytest.raises(DecryptionError) as raised:
        rekeyed(other_ring.added(), masked(1))
    assert "note" not in str(raised.value) and "name" not in str(raised.value)
