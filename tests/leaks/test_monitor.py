"""The monitor finds planted leaks in views, and none in views as they are made."""

import gc
import os
import time
import tracemalloc

import pyarrow as pa
import pytest

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.generate.events import write_events
from flink_masking.keys.ring import KeyRing
from flink_masking.leaks.canaries import Canaries, CanaryWriter
from flink_masking.leaks.monitor import Monitor
from flink_masking.leaks.options import LeakOptions
from flink_masking.leaks.places import Place, Places
from flink_masking.leaks.recent import Recent
from flink_masking.policy.load import load, load_policy
from flink_masking.policy.source import PolicySource

LOADED = load_policy("flink_masking/examples/customer_events.yaml")
"""Read from the checkout: tests run at its root."""
VIEWS = ("masked-customer-events", "dev-customer-events")


def now() -> int:
    """Time in ms."""
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def protected(tmp_path_factory):
    """Raw events, their views, and canaries of half of the events."""
    ring, place = KeyRing.new(), tmp_path_factory.mktemp("canaries")
    lines = tmp_path_factory.mktemp("events") / "events.jsonl"
    write_events(lines, 5_000, 1_500, seed=7)
    raw = pa.array(lines.read_bytes().splitlines(), pa.binary())
    writer = CanaryWriter(LOADED, LeakOptions(str(place), 0.5), lambda: ring, os.urandom, now)
    writer.note(raw)
    writer.write()
    (result,) = Protect(compile_plan(LOADED, ring), os.urandom, now)(raw)
    canaries = Canaries(place, ring, now)
    canaries.look()
    return raw, result.views, canaries


@pytest.mark.parametrize("view", VIEWS)
def test_no_alarm_in_our_own_views(protected, view):
    """Partial masks, pseudonyms, dates and realistic stand-ins are no leaks."""
    _, views, canaries = protected
    monitor = Monitor(view, Places(LOADED, view), canaries)
    monitor.records_of(views[view].drop_null())
    assert monitor.leaks == [] and monitor.records > 4_000


@pytest.mark.parametrize("view", VIEWS)
def test_a_raw_record_in_a_view_is_found(protected, view):
    """One raw record among thousands of protected ones is told by several fields, each with its path."""
    raw, views, canaries = protected
    monitor = Monitor(view, Places(LOADED, view), canaries)
    monitor.records_of(pa.concat_arrays([views[view].drop_null(), raw.slice(3, 40)]))
    assert {leak.path for leak in monitor.leaks} >= {"customerId", "ssn"}
    assert {leak.kind for leak in monitor.leaks} == {"canary", "detected"}


PLANTED = [
    ("ssn2", '"ssn2":"219-42-8531"', "US_SSN"), ("notes", '"notes":"reach me at john.roe@mail.example.com"', "EMAIL"),
    ("email2", '"email2":"john.roe@mail.example.com"', "EMAIL"), ("card", '"card":"4111111111111111"', "CARD_NUMBER"),
    ("iban", '"iban":"DE89370400440532013000"', "IBAN"), ("notes", '"notes":"card 4111 1111 1111 1111"', "CARD_NUMBER"),
    ("customerId", '"customerId":"john.roe@mail.example.com"', "EMAIL"), ("key", '"key":"AKIAIOSFODNN7EXAMPLQ"', "AWS_ACCESS_KEY"),
    ("ip", '"ip":"8.8.4.4"', "IP_ADDRESS"), ("mac", '"mac":"00:1B:44:11:3A:B7"', "MAC_ADDRESS"),
    ("imei", '"imei":"490154203237518"', "IMEI"), ("password", '"password":"hunter2Secret!"', "PASSWORD"),
    ("phone", '"phone":"+1 212 555 2368"', "PHONE"), ("a.b", '"a":{"b":"john.roe@mail.example.com"}', "EMAIL"),
    ("a[*]", '"a":["john.roe@mail.example.com"]', "EMAIL"), ("nhs", '"nhs_number":"943 476 5919"', "UK_NHS"),
    ("url", '"url":"https://bob:s3cretPw@host.example/x"', "URL_CREDENTIALS"),
    ("jwt", '"jwt":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"', "JWT"),
    ("zip", '"zip":"john.roe@mail.example.com"', "EMAIL"), ("diagnosis", '"diagnosis":"219-42-8531"', "US_SSN"),
]


@pytest.mark.parametrize(("path", "member", "type_"), PLANTED, ids=[f"{path}:{type_}" for path, _, type_ in PLANTED])
def test_each_planted_leak_is_found(protected, path, member, type_):
    """One value that the view must not show is found in one record of thousands, by its form alone."""
    _, views, _ = protected
    monitor = Monitor("view", Places(LOADED, VIEWS[0]))
    monitor.records_of(pa.concat_arrays([views[VIEWS[0]].drop_null(), pa.array([b"{" + member.encode() + b"}"])]))
    assert [leak.what for leak in monitor.leaks] == [type_]
    assert sum(leak.values for leak in monitor.leaks) == 1


def test_a_stand_in_that_equals_a_value_is_no_leak_but_many_are(protected):
    """Where a view shows realistic stand-ins, single values that somebody has are chance; a share of them is not."""
    raw, views, canaries = protected
    dev = views[VIEWS[1]].drop_null()
    for count, expected in ((2, False), (200, True)):
        monitor = Monitor("dev", Places(LOADED, VIEWS[1]), canaries)
        clear = [b'{"card":' + record.split(b'"card":')[1].split(b"}")[0] + b"}}" for record in raw.to_pylist() if b'"card":{' in record]
        monitor.records_of(pa.concat_arrays([dev, pa.array(clear[:count], pa.binary())]))
        assert any(leak.path == "card.number" for leak in monitor.leaks) is expected


def test_keys_that_may_be_data_are_not_told():
    """A leak under an undeclared key names the key only if it reads like a name that a program gives."""
    monitor = Monitor("x")
    monitor.records_of(pa.array([b'{"jane.roe@example.com":{"mail":"jane.roe@mail.example.com"},"k":{"078-05-1120":"a@mail.example.com"}}']))
    told = [leak.path for leak in monitor.leaks]
    assert told and not any("roe" in path or "078" in path for path in told)
    assert any(path.endswith("mail") for path in told)


def test_what_stands_where():
    """Kept fields show values, substituted ones stand-ins, masked ones parts; all else is searched, unknown members, too."""
    masked, dev, anonymized = (Places(LOADED, name) for name in (*VIEWS, "anonymized-customer-events"))
    assert [masked.of(path) for path in ("purchaseAmount", "card.brand", "email", "ssn", "customerId", "notes", "no.such", "")] == [
        Place.SHOWN, Place.SHOWN, Place.PARTIAL, Place.PARTIAL, Place.SEARCHED, Place.SEARCHED, Place.SEARCHED, Place.SEARCHED]
    assert [dev.of(path) for path in ("email", "contacts[*].phone", "birthDate", "zip", "ssn", "notes")] == [
        Place.REALISTIC, Place.REALISTIC, Place.REALISTIC, Place.SHOWN, Place.SEARCHED, Place.SEARCHED]
    assert anonymized.of("age") is Place.SHOWN and anonymized.of("email.x") is Place.SHOWN


def test_format_preserving_values_are_stand_ins():
    """FPE gives values of the form that came in."""
    text = ("version: 1\nstream: s\nfields: {a: {class: direct, type: us_ssn}}\nsegments:\n  v: {view: masked, rules: "
            "{a: {technique: fpe, domain: d, format: ssn}}}\n")
    assert Places(load(PolicySource("p.yaml", text)), "v").of("a") is Place.REALISTIC


class Story:
    """A monitor, and canaries that come later than the values; its clock stands until it is moved."""

    def __init__(self, path):
        """Nothing has come yet."""
        self.ring, self.now = KeyRing.new(), 10**12
        self.writer = CanaryWriter(LOADED, LeakOptions(str(path), 1.0), lambda: self.ring, os.urandom, self.clock)
        self.canaries, self.recent = Canaries(path, self.ring, self.clock), Recent(self.clock)
        self.monitor = Monitor("view", None, self.canaries, recent=self.recent)
        self.canaries.look()

    def clock(self) -> int:
        """The time in ms."""
        return self.now

    def leak(self, *names: str) -> None:
        """Records with customer numbers in a note."""
        self.monitor.records_of(pa.array([b'{"note":"%s"}' % name.encode() for name in (*names, "fine")]))

    def meet(self, name: str) -> None:
        """Protect meets a customer."""
        self.writer.note(pa.array([b'{"customerId":"%s","timestamp":"2024-03-15T10:30:00Z"}' % name.encode()]))
        self.writer.write()

    def look(self, after: int, ended: bool = False) -> None:
        """Read canaries, and look again."""
        self.now += after
        self.canaries.look()
        self.monitor.look_again(ended)

    @property
    def found(self) -> int:
        """Customer numbers that were found by canaries."""
        return sum(leak.values for leak in self.monitor.leaks if leak.kind == "canary" and leak.what.endswith("/customerId"))


@pytest.fixture
def story(tmp_path):
    """A story of its own."""
    told = Story(tmp_path)
    yield told
    told.writer.close()


@pytest.mark.parametrize(("looked", "later", "found"), [(0, 4_000, 1), (0, 3_600_000, 1), (4_000, 100, 0)],
                         ids=["in time", "behind a pause", "too late"])
def test_a_value_that_leaks_before_its_canary_is_read(story, looked, later, found):
    """Canaries that come within seconds, or before the next look, are looked up in what came before them, and each value counts once."""
    story.leak("CUST99887")
    story.look(looked)
    story.meet("CUST99887")
    assert story.found == 0
    story.look(later)
    story.look(later)
    assert story.found == found
    story.leak("CUST99887")
    story.look(later)
    assert story.found == found + 1


def test_what_came_last_before_a_pause_is_looked_through_again(story):
    """Batches at 0 and 1 s, canaries at 2 s and nothing until 8 s: the values of both are found then, or when the watch ends before."""
    for ended in (False, True):
        before, names = story.found, [f"CUST0{ended:d}{number}77" for number in range(2)]
        for name in names:
            story.leak(name)
            story.now += 1_000
        for name in names:
            story.meet(name)
        story.look(100 if ended else 6_000, ended)
        assert story.found == before + 2


def test_a_batch_is_looked_through_twice(story, monkeypatch):
    """However often canaries change while it is kept, a batch gets one more look; none where no canary is new, and then it is let go."""
    from flink_masking.leaks.filters import Filters

    looked, find = [], Filters.find
    monkeypatch.setattr(Filters, "find", lambda self, *given: looked.append(len(given[2])) or find(self, *given))
    story.meet("CUST00000")
    story.look(0)
    story.leak(*(f"CUST1{number:04}" for number in range(99)))
    for number in range(8):
        story.meet(f"CUST2{number:04}")
        story.look(1_000)
    assert looked == [100, 100] and list(story.recent) == []
    story.leak(*(f"CUST1{number:04}" for number in range(49)))
    story.look(8_000)
    assert looked == [100, 100, 50] and list(story.recent) == []


def test_only_canaries_that_have_come_are_looked_up_again(story, tmp_path):
    """Where writers of several streams share a directory, a second look takes those in which a value is new."""
    other = load(PolicySource("p", "version: 1\nstream: other\nfields: {id: {class: identifier}}\n"
                                   "segments: {v: {view: masked, rules: {id: drop}}}\n"))
    second = CanaryWriter(other, LeakOptions(str(tmp_path), 1.0), lambda: story.ring, os.urandom, story.clock)
    second.note(pa.array([b'{"id":"OTHER00001"}']))
    story.meet("CUST00001")
    story.look(0)
    assert sorted(one.stream for one, _ in story.canaries.newer(0)) == ["customer-events", "other"]
    first = story.canaries.generation
    story.meet("CUST00002")
    story.look(0)
    assert [one.stream for one, _ in story.canaries.newer(first)] == ["customer-events"]
    story.now += 3_000
    second.note(pa.array([b'{"id":"OTHER00002"}']))
    story.look(0)
    assert [one.stream for one, _ in story.canaries.newer(first + 1)] == ["other"]


def test_what_is_kept_has_a_size(story, monkeypatch):
    """Records of many short values take much more than their text: all of it counts, and above the limit the oldest batches go."""
    monkeypatch.setattr("flink_masking.leaks.recent.MOST", 8 << 20)
    batch = b'{"a":[' + b",".join(b"%d" % number for number in range(1_000)) + b"]}"
    gc.collect()  # what other tests have left is not let go while this one counts
    tracemalloc.start()
    try:
        story.monitor.records_of(pa.array([batch] * 10))
        before = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes()
        for _ in range(100):
            story.monitor.records_of(pa.array([batch] * 100))
        held = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - before
    finally:
        tracemalloc.stop()
    assert 4 << 20 < held < 9 << 20
    assert abs(held - story.recent.nbytes) < 1 << 20 and 1 < len(list(story.recent)) < 10
