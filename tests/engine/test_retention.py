"""Retention of quarantined records: they open until they expire, and never again after their day's key was destroyed."""

import json
import os

import pyarrow as pa
import pytest

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.quarantine import Entry, QuarantineReader, QuarantineWriter, RecordParts
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.errors import DecryptionError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.vault.day_keys import DAY
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.sqlite import SqliteVault
from flink_masking.vault.subject_keys import rewrap

POLICY = """
version: 1
stream: events
quarantine: {keep: 2d}
fields: {n: {class: plain, type: integer}}
segments: {one: {view: masked, rules: {n: keep}}}
"""
NOON = 20_000 * DAY + DAY // 2
"""Of a day, ms since 1970."""


class Job:
    """A job with a clock and a ring that can be changed."""

    def __init__(self, vault, ring=None):
        """At noon of a day."""
        self.now, self.vault, self.ring = NOON, vault, ring or KeyRing.new()
        self.protect = ReloadingProtect(load(PolicySource("p.yaml", POLICY)), lambda: self.ring, vault, os.urandom, lambda: self.now)

    def refuse(self, record, parts=None):
        """The entry of a record that is refused."""
        [piece] = self.protect(pa.array([record], pa.binary()), *([parts] if parts else []))
        [(_, line)] = piece.quarantine
        return Entry.decode(line)

    def reader(self, ring=None):
        """Opens entries, at the job's time."""
        return QuarantineReader(ring or self.ring, self.vault, lambda: self.now)


@pytest.fixture(params=["memory", "sqlite"])
def vault(request, tmp_path):
    """A vault of each kind that needs no server."""
    opened = MemoryVault() if request.param == "memory" else SqliteVault(tmp_path / "vault.db")
    yield opened
    opened.close()


def fresh(vault, tmp_path):
    """The same vault as another process sees it, which has no keys in memory."""
    if isinstance(vault, SqliteVault):
        return SqliteVault(tmp_path / "vault.db")
    vault.keys.clear()
    return vault


def test_a_record_opens_until_it_expires(vault):
    """An entry says when it expires: the end of its day and the time that the policy keeps it; until then it opens, and then no more."""
    job = Job(vault)
    entry = job.refuse(b"broken")
    assert entry.expires == "2024-10-07T00:00:00.000Z" and entry.payload[:1] == b"\x03"
    job.now = 20_003 * DAY - 1
    assert job.reader().payload(entry) == b"broken"
    job.now += 1
    with pytest.raises(DecryptionError, match="expired"):
        job.reader().payload(entry)


def test_the_key_of_a_day_is_destroyed_by_the_job(vault, tmp_path):
    """The first batch after it expired destroys the day's key: nobody opens it, by whatever clock; later days open."""
    job = Job(vault)
    old = job.refuse(b"old")
    job.now = NOON + DAY
    young = job.refuse(b"young")
    job.now = 20_003 * DAY
    job.protect(pa.array([b'{"n":1}'], pa.binary()))
    job.vault = fresh(vault, tmp_path)
    assert job.reader().payload(young) == b"young"
    job.now = NOON
    with pytest.raises(DecryptionError, match="cannot be opened"):
        job.reader().payload(old)
    changed = Entry(**{**{name: getattr(old, name) for name in Entry.__dataclass_fields__}, "expires": "2999-01-01T00:00:00.000Z"})
    with pytest.raises(DecryptionError):
        job.reader().payload(changed)


def test_the_time_of_expiry_cannot_be_changed(vault):
    """An entry whose time was put off does not open, even while its day's key is there."""
    job = Job(vault)
    entry = job.refuse(b"broken")
    body = json.loads(entry.encode())
    for expires in ("2999-01-01T00:00:00.000Z", None):
        forged = Entry.decode(json.dumps({**body, "expires": expires}).encode())
        with pytest.raises(DecryptionError):
            job.reader().payload(forged)


def test_every_worker_has_the_same_key_and_other_rings_none(vault, tmp_path):
    """Two workers seal under one key of the day; another ring opens nothing."""
    ring = KeyRing.new()
    one, two = Job(vault, ring), Job(fresh(vault, tmp_path), ring)
    entries = [one.refuse(b"1"), two.refuse(b"2"), one.refuse(b"3")]
    assert [two.reader().payload(entry) for entry in entries] == [b"1", b"2", b"3"]
    with pytest.raises(Exception, match=r"another key ring|cannot be opened"):
        QuarantineReader(KeyRing.new(), fresh(vault, tmp_path), lambda: NOON).payload(entries[0])


def test_a_rotation_of_the_ring(vault, tmp_path):
    """After a rotation and with keys wrapped anew, the old version of the ring can be destroyed: the day opens, and expires as before."""
    job = Job(vault)
    before = job.refuse(b"before")
    job.ring = job.ring.rotated()
    after = job.refuse(b"after")
    rewrap(vault, job.ring)
    job.ring = job.ring.disabled(1)
    job.vault = fresh(vault, tmp_path)
    assert [job.reader().payload(entry) for entry in (before, after)] == [b"before", b"after"]


def test_key_and_headers_expire_too(vault, tmp_path):
    """Kafka's key and headers in an entry are sealed under the same key of the day."""
    ring = KeyRing.new()
    plan = compile_plan(load(PolicySource("p.yaml", POLICY)), ring, vault)
    writer, beside = QuarantineWriter(ring, "events", None, plan.days), RecordParts(b"KEY", (("h", b"v"),))
    entry = Entry.decode(writer.entry(b"x", "malformed", None, None, NOON, beside))
    reader = QuarantineReader(ring, vault, lambda: NOON)
    assert reader.payload(entry) == b"x" and reader.parts(entry).key == b"KEY"
    plan.days.destroy(20_003 * DAY)
    late = QuarantineReader(ring, fresh(vault, tmp_path), lambda: NOON)
    for opened in (late.payload, late.parts):
        with pytest.raises(DecryptionError):
            opened(entry)


def test_without_a_vault_nothing_starts_or_opens(vault):
    """A policy that keeps records for some time needs a vault, in the job and to open them."""
    with pytest.raises(VaultError, match=r"quarantine.keep.*Hint: --vault"):
        compile_plan(load(PolicySource("p.yaml", POLICY)), KeyRing.new())
    job = Job(vault)
    entry = job.refuse(b"broken")
    with pytest.raises(VaultError, match="--vault"):
        QuarantineReader(job.ring, clock=lambda: NOON).payload(entry)


def test_a_clock_that_is_behind_seals_nothing_that_is_gone(vault, tmp_path):
    """A worker whose clock is days behind fails with a hint, instead of sealing under a key that was destroyed."""
    job = Job(vault)
    job.refuse(b"old")
    job.now += 10 * DAY
    job.protect(pa.array([b'{"n":1}'], pa.binary()))
    late = Job(fresh(vault, tmp_path), job.ring)
    with pytest.raises(VaultError, match="clock"):
        late.refuse(b"behind")
