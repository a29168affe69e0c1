"""flink-masking check of several policies, its newer warnings, and what preview says of objects and of empty views."""

import orjson
import pytest

from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

MASKED = """\
version: 1
stream: {stream}
subject: {path}
fields: {{{path}: {{class: identifier}}, name: {{class: direct}}}}
segments:
  research: {{view: masked, rules: {{{path}: {rule}}}}}
"""
DP = """\
version: 1
stream: trips
subject: rider
event_time: {field: at}
fields:
  rider: {class: identifier}
  at: {class: plain, type: datetime}
  zone: {class: quasi, ZONE}
  fare: {class: measure, type: number, bounds: [0, 100]}
segments:
  counts:
    view: aggregated
    window: {tumbling: 1h}
    group_by: [{zone: {GROUPS}}]
    metrics: {n: count}
    privacy: {epsilon: 1, delta: 1.0e-6}
"""


def policies(folder, *rules):
    """Files of policies, one for each rule."""
    files = []
    for number, (path, rule) in enumerate(rules):
        files.append(folder / f"p{number}.yaml")
        files[-1].write_text(MASKED.format(stream=f"stream{number}", path=path, rule=rule))
    return files


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("{technique: pseudonym, domain: d}", "{technique: pseudonym, domain: d, length: 30}", "their length differ"),
        ("{technique: pseudonym, domain: d}", "{technique: encrypt_deterministic, domain: d}", "one is pseudonym, the other encrypt"),
        ("{technique: pseudonym, domain: d}", '{technique: pseudonym, domain: d, within: {prefix: "Patient/"}}', None),
        ("{technique: pseudonym, domain: d, on_error: drop}", "{technique: pseudonym, domain: d}", None),
        ("{technique: pseudonym, domain: d}", "{technique: pseudonym, domain: e, length: 30}", None),
        ("redact", "{technique: pseudonym, domain: d}", None),
    ],
)
def test_subjects_of_two_streams(cli, tmp_path, one, other, reason):
    """Where two streams mean to join people by one domain and write them differently, check says so; other differences are meant."""
    done = cli("check", *policies(tmp_path, ("id", one), ("subject.reference", other)))
    assert done.code == 0 and "stream0" in done.out and "stream1" in done.out
    told = [line for line in done.err.splitlines() if "cannot be joined" in line]
    assert [reason in line and "stream0: research: 'id'" in line for line in told] == ([True] if reason else [])


def test_a_fault_in_one_of_several_policies(cli, tmp_path):
    """Every file must be usable: the command ends with 2 where one is not."""
    files = policies(tmp_path, ("id", "keep"), ("id", "{technique: nothing}"))
    assert cli("check", *files).code == 2


def test_a_default_that_keeps_sensitive_fields_is_warned_of():
    """'*': keep over fields of class sensitive is one warning with their names; a rule of their own is meant."""
    text = "version: 1\nstream: s\nfields: {a: {class: sensitive, type: text}, b: {class: sensitive, type: text}, c: {class: plain, type: "
    text += "uuid}}\n"
    text += "segments: {m: {view: masked, rules: {RULES}}}\n"
    warned = [w.message for w in load(PolicySource("p", text.replace("RULES", "a: keep, '*': keep"))).warnings]
    assert ["'*' keeps 'b' in clear, of class sensitive"] == warned
    assert [] == load(PolicySource("p", text.replace("RULES", "a: keep, b: keep, '*': keep"))).warnings
    assert [] == load(PolicySource("p", text.replace("RULES", "a: keep, '*': redact"))).warnings


@pytest.mark.parametrize(
    ("zone", "groups", "warned"),
    [
        ("type: text", "{groups: [1, 2]}", "texts here, and groups are numbers"),
        ("values: ['1', '2']", "{groups: [1, 2]}", "texts here, and groups are numbers"),
        ("type: integer", "{groups: ['1', '2']}", "numbers here, and groups are texts"),
        ("type: integer, domain: [0, 99]", "{width: 10, groups: [0, 10]}", "texts here, and groups are numbers"),
        ("type: integer, domain: [0, 99]", "{width: 10, groups: ['0-9', '10-19']}", None),
        ("type: text", "{groups: ['1', '2']}", None),
        ("type: integer", "{groups: [1, 2]}", None),
        ("type: integer", "{round_to: 10, groups: [10, 20]}", None),
        ("prefix: 5", "{groups: [1, 2]}", None),
    ],
)
def test_public_groups_of_the_wrong_type(zone, groups, warned):
    """A list of groups that no value of the field can be in is warned of."""
    found = [w.message for w in load(PolicySource("p", DP.replace("ZONE", zone).replace("{GROUPS}", groups))).warnings]
    assert [warned in message for message in found if "no record is in them" in message] == ([True] if warned else [])


def test_check_tells_how_many_people_a_group_needs(cli, tmp_path):
    """The table tells the threshold of a view whose groups come from the data, or the number of public groups."""
    file = tmp_path / "p.yaml"
    file.write_text(DP.replace("ZONE", "type: text").replace("{GROUPS}", "{prefix: 2}"))
    threshold = load(PolicySource.read(file)).aggregate("counts").threshold
    shown = " ".join(cli("check", file).out.split())
    assert f"epsilon = 1, groups of {threshold:,} people or more" in shown and threshold > 10
    file.write_text(DP.replace("ZONE", "type: text").replace("{GROUPS}", "{groups: [a, b]}"))
    assert "epsilon = 1, 2 public groups" in " ".join(cli("check", file).out.split())


def test_preview_says_why_a_view_is_empty(cli, tmp_path):
    """A view without lines is followed by how many people a group needs, in the words of dp explain."""
    policy, events = tmp_path / "p.yaml", tmp_path / "e.jsonl"
    text = DP.replace("ZONE", "type: text").replace("{GROUPS}", "{prefix: 2}")
    policy.write_text(text + "  groups: {view: anonymized, k: 50, quasi_identifiers: [fare]}\n".replace("fare", "zone").replace("50", "50"))
    policy.write_text(policy.read_text().replace("class: quasi, type: text", "class: quasi, prefix: 5"))
    events.write_bytes(b"".join(orjson.dumps({"rider": f"r{n}", "at": "2024-03-15T10:00:00Z", "zone": "ab"}) + b"\n" for n in range(5)))
    done = cli("preview", policy, events)
    explained = cli("dp", "explain", policy).out
    (sentence,) = (line.partition("Groups: ")[2] for line in explained.splitlines() if "Groups: " in line)
    assert f"groups are {sentence}" in done.out and "needs 50 distinct people" in done.out
    events.write_bytes(b'{"other":1}\n')
    assert "every event went to quarantine" in cli("preview", policy, events).out


def test_preview_shows_a_kept_object_as_kept(cli, tmp_path):
    """An object that is declared and kept as a whole stands on one line, with its members behind the arrow."""
    policy, events = tmp_path / "p.yaml", tmp_path / "e.jsonl"
    policy.write_text(
        "version: 1\nstream: s\nfields: {place: {class: quasi, type: geo}, more: {class: free_text, type: json}}\n"
        "segments: {m: {view: masked, rules: {place: keep, more: keep}}}\n"
    )
    events.write_text('{"place":{"lat":1.5,"lon":2},"more":{"a":{"b":[1,2]}}}\n{"more":7}\n')
    lines = [" ".join(line.split()) for line in cli("preview", policy, events).out.splitlines()]
    shown = ['place "‹quasi›" → {lat: 1.5, lon: 2}', 'more "‹free_text›" → {a.b[0]: 1, a.b[1]: 2}', 'more "‹free_text›" → 7']
    assert shown == [line for line in lines if "→" in line]
    assert not any("—" in line for line in lines)
