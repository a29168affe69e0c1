"""The monitor finds planted leaks in views, and none in views as they are made."""

import os
import time

import numpy as np
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


@pytest.mark.parametrize(("later", "found"), [(3_000, 1), (7_000, 0)], ids=["in time", "too late"])
def test_a_value_that_leaks_before_its_canary_is_read(tmp_path, later, found):
    """Canaries that come within seconds are looked up in what came before them, and each value counts once."""
    ring, clock = KeyRing.new(), [10**12]
    writer = CanaryWriter(LOADED, LeakOptions(str(tmp_path), 1.0), lambda: ring, os.urandom, lambda: clock[0])
    canaries = Canaries(tmp_path, ring, lambda: clock[0])
    monitor = Monitor("view", None, canaries, recent=Recent(lambda: clock[0]))

    def counts():
        return [leak.values for leak in monitor.leaks if leak.kind == "canary" and leak.what.endswith("/customerId")]

    canaries.look()
    monitor.records_of(pa.array([b'{"note":"CUST99887"}', b'{"note":"fine"}']))
    writer.note(pa.array([b'{"customerId":"CUST99887","timestamp":"2024-03-15T10:30:00Z"}']))
    writer.write()
    clock[0] += later
    assert canaries.look() and counts() == []
    monitor.look_again()
    monitor.look_again()
    assert counts() == [1] * found
    monitor.records_of(pa.array([b'{"note":"CUST99887"}']))
    monitor.look_again()
    assert counts() == [found + 1]


def test_what_is_kept_has_a_size(monkeypatch):
    """Above the limit the oldest batches are no longer looked through again."""
    monkeypatch.setattr("flink_masking.leaks.recent.MOST", 1_000)
    recent, none = Recent(lambda: 0), np.zeros(0, np.int64)
    for size in (600, 300, 300):
        recent.add(np.zeros(size, np.uint8), none, none, none, none, False, set())
    assert [batch.data.nbytes for batch in recent] == [300, 300]
