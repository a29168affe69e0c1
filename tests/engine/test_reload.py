"""Keys that change while a job runs."""

import os

import orjson
import pytest

from flink_masking.audit.events import broken_links
from flink_masking.engine.inprocess import InProcess
from flink_masking.engine.quarantine import Entry, QuarantineReader
from flink_masking.engine.reload import ReloadingProtect, ReloadingSealer
from flink_masking.errors import DecryptionError, KeyRingError
from flink_masking.keys.files import create, edit
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer
from flink_masking.keys.watch import RingWatcher
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column
from flink_masking.techniques.registry import purposes
from flink_masking.vault.memory import MemoryVault

POLICY = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  card: {class: direct, optional: true}
  ssn: {class: direct, optional: true}
  age: {class: quasi, domain: [0, 120]}
  sick: {class: sensitive, optional: true}
segments:
  masked:
    view: masked
    key_versions: true
    rules:
      id: {technique: pseudonym, domain: customer}
      card: {technique: fpe, domain: pan, format: card, keep_first: 6}
      ssn: {technique: tokenize, domain: ssn}
  groups: {view: anonymized, k: 2, quasi_identifiers: [age], release: [sick], max_delay: 1h, max_buffer: 100}
  diverse: {view: anonymized, k: 2, l_diversity: {field: sick, l: 2}, quasi_identifiers: [age], max_delay: 1h, max_buffer: 100}
"""
RECORD = b'{"id":"a","card":"4111111111111111","ssn":"1","age":30,"sick":"flu"}'
NOW = 1_710_498_600_000


class Holder:
    """Gives the ring that is put into it."""

    def __init__(self, ring: KeyRing) -> None:
        """Begin with a ring."""
        self.ring = ring

    def __call__(self) -> KeyRing:
        """The ring as it is now."""
        return self.ring


@pytest.fixture
def job(ring):
    """A Protect that reloads, and what its ring is taken from."""
    held = Holder(ring)
    return held, ReloadingProtect(load(PolicySource("policy.yaml", POLICY)), held, MemoryVault(), os.urandom, lambda: NOW)


def protected(job, *records):
    """One batch."""
    (piece,) = job[1](binary_column(list(records)))
    return piece


def masked(piece):
    """Its first masked record."""
    return orjson.loads(piece.views["masked"][0].as_py())


def test_a_promotion_takes_effect_between_two_batches(job, ring):
    """Pseudonyms and ciphertext are those of the new key from the next batch on, key versions say so, and tokens stay."""
    before, again = masked(protected(job, RECORD)), masked(protected(job, RECORD))
    job[0].ring = ring.rotated()
    after = masked(protected(job, RECORD))
    assert before == again
    assert before["id"] != after["id"] and before["card"] != after["card"] and before["ssn"] == after["ssn"]
    assert before["_key_versions"] == {"card": 1} and after["_key_versions"] == {"card": 2}
    assert job[1].plan.ring is job[0].ring


def test_the_audit_names_the_version_in_force(job, ring):
    """Each batch's event names its key version; a new chain begins with a new ring, and no chain is broken."""
    events = [protected(job, RECORD).audit, protected(job, RECORD).audit]
    job[0].ring = ring.rotated()
    events.append(protected(job, RECORD).audit)
    first, second, third = map(orjson.loads, events)
    assert (first["key_version"], second["key_version"], third["key_version"]) == (1, 1, 2)
    assert first["chain"] == second["chain"] != third["chain"] and broken_links(events) == []


def test_people_count_once_across_a_promotion(job, ring):
    """One person before and after a promotion is no group of two, nor are two records of one sensitive value diverse."""
    def feed(*batches):
        stateful = InProcess(job[1].plan, lambda: NOW)
        for keys, records in batches:
            job[0].ring = keys
            piece = protected(job, *records)
            opening = InProcess(job[1].plan, lambda: NOW)
            for name, packed in piece.packed.items():
                for one in packed:
                    stateful._batch(name, 0, one.shard, opening._sealers[name].open(one.blob))
        stateful.finish()
        return stateful.counts

    other = RECORD.replace(b'"a"', b'"b"')
    after = ring.rotated()
    alone = feed((ring, [RECORD]), (after, [RECORD]))
    assert alone["groups"]["released"] == 0 and alone["groups"]["suppressed"] == 2
    pair = feed((ring, [RECORD]), (after.rotated(), [other]))
    assert pair["groups"]["released"] == 2 and pair["diverse"]["released"] == 0
    diverse = feed((ring, [RECORD]), (ring.rotated(), [other.replace(b"flu", b"gout")]))
    assert diverse["diverse"]["released"] == 2


def test_people_are_known_again_after_a_restart(ring):
    """A job that starts with a promoted ring hashes people as the one before did."""
    after = ring.rotated().rotated()
    policy = load(PolicySource("policy.yaml", POLICY))
    jobs = [ReloadingProtect(policy, Holder(keys), MemoryVault(), os.urandom, lambda: NOW) for keys in (ring, after)]
    hashes = [job._protect.people.words(binary_column(["a", "b"]).cast("string")).tolist() for job in jobs]
    assert hashes[0] == hashes[1]


def test_quarantine_is_sealed_under_the_new_version(job, ring):
    """What is quarantined after a promotion opens with the new version alone, and not with the ring before."""
    job[0].ring = after = ring.rotated()
    piece = protected(job, b"broken")
    entry = Entry.decode(piece.quarantine[0][1])
    assert QuarantineReader(after).payload(entry) == b"broken"
    with pytest.raises(DecryptionError):
        QuarantineReader(ring).payload(entry)


def test_a_ring_that_lacks_a_key_stops_the_job(job, ring):
    """A changed ring without the keys of the policy is an error; the masks of the ring before are not used any longer."""
    job[0].ring = ring.export(["customer"], purposes())
    for _ in range(2):
        with pytest.raises(KeyRingError, match="does not hold the keys of pan"):
            protected(job, RECORD)


def test_a_file_is_looked_at_after_the_interval(tmp_path):
    """A ring file that was changed takes effect at the first batch after the interval, not before."""
    path, seconds = tmp_path / "keys.json", [0.0]
    create(path)
    watcher = RingWatcher(f"file://{path}", 30, clock=lambda: seconds[0])
    step = ReloadingProtect(load(PolicySource("policy.yaml", POLICY)), watcher.ring, MemoryVault(), os.urandom, lambda: NOW)
    seen = [masked(protected((None, step), RECORD))["id"]]
    edit(path, lambda data: KeyRing.parse(data, "").rotated().dump())
    for at in (29.9, 30.0, 31.0):
        seconds[0] = at
        seen.append(masked(protected((None, step), RECORD))["id"])
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_a_sealer_looks_when_it_meets_a_newer_version(ring):
    """A blob of a version that was promoted a moment ago opens after one look; what no version opens is refused."""
    after, looks = ring.rotated(), []
    held = Holder(ring)

    def look():
        looks.append(1)
        held.ring = after
        return after

    sealer = ReloadingSealer(held, look, "packed", "s")
    old, new = sealer.seal(b"old"), Sealer(after, "packed", "s").seal(b"new")
    assert sealer.open(old) == b"old" and looks == []
    assert sealer.open(new) == b"new" and looks == [1]
    assert sealer.open(old) == b"old" and Sealer(after, "packed", "s").open(sealer.seal(b"x")) == b"x" and looks == [1]
    with pytest.raises(DecryptionError):
        sealer.open(new[:-1] + bytes([new[-1] ^ 1]))
    with pytest.raises(DecryptionError):
        Sealer(ring, "packed", "s").open(sealer.seal(b"x"))


def test_a_sealer_tells_of_a_disabled_version(ring):
    """State of a version that was disabled since is a clear error, and opens again when the version is enabled."""
    held = Holder(ring)
    sealer = ReloadingSealer(held, held, "state", "s")
    blob = sealer.seal(b"x")
    held.ring = ring.rotated().disabled(1)
    with pytest.raises(KeyRingError, match="version 1 is disabled"):
        sealer.open(blob)
    held.ring = held.ring.enabled(1)
    assert sealer.open(blob) == b"x"


def test_a_look_finds_a_change_at_once(tmp_path):
    """Asked to look, a watcher does not wait for its interval."""
    path = tmp_path / "keys.json"
    create(path)
    watcher = RingWatcher(f"file://{path}", 30, clock=lambda: 0.0)
    assert watcher.look() is watcher.ring()
    edit(path, lambda data: KeyRing.parse(data, "").rotated().dump())
    assert watcher.ring().primary == 1 and watcher.look().primary == 2 and watcher.ring().primary == 2


def test_a_ring_as_another_version_sees_it(ring):
    """at() makes an enabled version protect, changes no key, and refuses versions that do not open."""
    both = ring.rotated()
    view = both.at(1)
    assert view.primary == 1 and both.at(2) is both and view.versions == both.versions
    assert view.derive("fpe", "d").secret() == ring.derive("fpe", "d").secret()
    part = both.export(["d"], purposes()).at(1)
    assert part.domains == ("d",) and part.derive("fpe", "d").secret() == ring.derive("fpe", "d").secret()
    for refused, number, said in ((both.disabled(1), 1, "disabled"), (both.destroyed(1), 1, "destroyed"), (both, 9, "no version 9")):
        with pytest.raises(KeyRingError, match=said):
            refused.at(number)
