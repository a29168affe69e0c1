"""Audit events as hash chains: what a check of the links finds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.audit.events import START, AuditChain, broken_links
from flink_masking.errors import InputError


def chain(name, count):
    """Events of one chain."""
    made = AuditChain("stream", 3, "ab" * 32, 2, name)
    return [made.event("protect", 1_710_498_600_123 + k, {"records": k}) for k in range(count)]


def test_an_event_says_what_and_under_which_policy():
    """An event is one JSON line with its kind, time, policy and key versions, counts and link."""
    first, second = (json.loads(line) for line in chain("c", 2))
    assert first == {
        "event": "protect", "time": "2024-03-15T10:30:00.123Z", "stream": "stream", "policy_version": 3, "policy_digest": "ab" * 32,
        "key_version": 2, "records": 0, "chain": "c", "number": 0, "previous": START}
    assert second["number"] == 1 and second["previous"] != START


def test_chains_have_names_of_their_own():
    """Two instances that are not named never share a chain."""
    names = {json.loads(AuditChain("s", 1, "", 1).event("protect", 0, {}))["chain"] for _ in range(20)}
    assert len(names) == 20


@given(st.lists(st.integers(1, 5), max_size=4), st.randoms())
def test_whole_chains_have_no_broken_links(lengths, random):
    """Chains that are complete are sound, in whatever order their lines are read."""
    lines = [line for k, length in enumerate(lengths) for line in chain(f"c{k}", length)]
    random.shuffle(lines)
    assert broken_links(lines) == []


@given(st.integers(2, 6), st.data())
def test_tampering_is_found(length, data):
    """An event that was changed, taken out, doubled, renumbered or exchanged shows, and the sound chain beside it does not."""
    lines, other = chain("bad", length), chain("good", 3)
    at = data.draw(st.integers(0, length - 2))
    match data.draw(st.sampled_from(["change", "remove", "double", "forge", "exchange"])):
        case "change":
            lines[at] = lines[at].replace(b'"records":', b'"records":1')
        case "remove":
            del lines[at]
        case "double":
            lines.append(lines[at])
        case "forge":
            lines[at + 1] = json.dumps(json.loads(lines[at + 1]) | {"previous": START[:-1] + "1"}).encode()
        case "exchange":
            one, two = json.loads(lines[at]), json.loads(lines[at + 1])
            one["number"], two["number"] = two["number"], one["number"]
            lines[at], lines[at + 1] = json.dumps(two).encode(), json.dumps(one).encode()
    assert broken_links([*other, *lines]) == ["bad"]


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"7", b"{}", b'{"chain":"c","number":null,"previous":""}', b'{"chain":"c","number":"x","previous":""}']
)
def test_a_line_that_is_no_event_is_refused(line):
    """What belongs to no chain cannot be checked: that is an error, not a sound chain."""
    with pytest.raises(InputError, match=r"no audit event.*Hint: "):
        broken_links([*chain("c", 2), line])
