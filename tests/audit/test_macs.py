"""Codes of audit events: who can write them, and what a change does to them."""

import json
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.audit.events import AuditChain, broken_links
from flink_masking.audit.log import AuditLog
from flink_masking.audit.macs import EventKeys
from flink_masking.keys.ring import KeyRing
from flink_masking.techniques.registry import purposes

RING = KeyRing.new()


def events(ring, count=2):
    """Some events of a chain."""
    chain = AuditChain.signed(ring, "s", 3, "ab" * 32)
    return [chain.event("protect", k, {"records": k}) for k in range(count)]


def test_an_event_tells_its_format_and_code():
    """An event of format 2 is a JSON object that ends with its code."""
    line = events(RING)[1]
    event = json.loads(line)
    assert (event["format"], event["number"], len(event["mac"])) == (2, 1, 64) and list(event)[-1] == "mac"


def test_the_ring_that_wrote_an_event_confirms_it_after_a_rotation_too():
    """The code is found sound with the version that the event names; another ring's is not."""
    lines = events(RING)
    later = RING.rotated()
    assert {EventKeys(ring).finding(line) for ring in (RING, later) for line in (*lines, *events(later)) if ring is later} == {"sound"}
    assert {EventKeys(RING).finding(line) for line in lines} == {"sound"}
    assert {EventKeys(KeyRing.new()).finding(line) for line in lines} == {"forged"}
    assert {EventKeys(RING).finding(line) for line in events(later)} == {"unknown_key"}


@given(st.data())
def test_any_changed_byte_is_found(data):
    """A byte that is changed anywhere in an event leaves no sound code."""
    line = bytearray(events(RING)[1])
    line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        finding = EventKeys(RING).finding(bytes(line))
    except ValueError:
        return  # no JSON any more
    assert finding != "sound"


def test_events_of_earlier_releases_are_unsigned_and_not_taken_for_signed_ones():
    """An event without format and code is unsigned; one that has lost its code is forged."""
    old = AuditChain("s", 1, "", 1).event("protect", 0, {})
    assert EventKeys(RING).finding(old) == "unsigned"
    line = events(RING)[0]
    assert EventKeys(RING).finding(line[: line.rindex(b',"mac"')] + b"}") == "forged"


def test_an_exported_ring_signs_with_the_key_of_its_domain():
    """Whoever holds the keys of a domain writes events that the whole ring confirms, and that are told apart from those of the whole."""
    part = RING.export(["pan", "card"], purposes())
    line = events(part)[0]
    assert json.loads(line)["mac_domain"] == "card" and EventKeys(RING).finding(line) == "sound"
    forged = AuditChain.signed(part).event("reveal", 0, {}).replace(b'"mac_domain":"card",', b"")
    assert EventKeys(RING).finding(forged) == "forged"


def test_commands_append_to_a_directory(tmp_path):
    """Events of commands in an audit directory are one signed chain in a file of their own."""
    for _ in range(2):
        AuditLog(tmp_path, RING, "s").append("unmask", 0, {"actor": "a"})
    lines = (tmp_path / "commands.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1] and {EventKeys(RING).finding(line) for line in lines} == {"sound"}


def test_a_full_disk_is_an_error_and_leaves_no_half_event(tmp_path):
    """An event that cannot be written whole raises, and the next one goes on behind the last whole one."""
    log = AuditLog(tmp_path / "a.jsonl", RING)
    log.append("unmask", 0, {})
    size, limits = (tmp_path / "a.jsonl").stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, limits[1]))
    try:
        with pytest.raises(OSError):
            log.append("unmask", 1, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.append("unmask", 2, {})
    lines = (tmp_path / "a.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1] and broken_links(lines) == []
