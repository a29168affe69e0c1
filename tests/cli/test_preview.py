"""flink-masking preview: before and after, without personal values and without Flink."""

import json
import sys

import pytest
from granted_jobs import POLICY as GRANTED

from flink_masking.generate import write_events

POLICY = """\
version: 1
stream: customer-events
subject: customerId
event_time: {field: timestamp}
fields:
  customerId:        {class: identifier}
  name:              {class: direct, type: person}
  email:             {class: direct, type: email}
  ssn:               {class: direct, type: us_ssn}
  card.number:       {class: direct, type: payment_card}
  card.brand:        {class: plain}
  contacts[*].phone: {class: direct, type: phone}
  contacts[*].kind:  {class: plain}
  birthDate:         {class: direct, type: date}
  age:               {class: quasi, domain: [0, 120]}
  zip:               {class: quasi, prefix: 5}
  diagnosis:         {class: sensitive}
  purchaseAmount:    {class: measure, bounds: [0, 1000], scale: 2}
  notes:             {class: free_text}
  timestamp:         {class: plain, type: datetime}
segments:
  analytics:
    view: masked
    rules:
      customerId: {technique: pseudonym, domain: customer}
      email: {technique: redact}
      ssn: {technique: partial, keep_last: 4, keep_separators: true}
      contacts[*].phone: {technique: redact, with: hidden}
      contacts[*].kind: keep
      birthDate: {technique: generalize, date: year, on_error: quarantine}
      notes: {technique: redact, fill: "#"}
      purchaseAmount: keep
      timestamp: keep
  internal: {view: masked, rules: {purchaseAmount: keep}}
  partners: {view: anonymized, k: 3, quasi_identifiers: [age, zip], release: [purchaseAmount]}
  dashboards:
    view: aggregated
    window: {tumbling: 1h}
    metrics: {n: count}
    privacy: {epsilon: 100, delta: 0.1}
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Forty made-up events."""
    path = tmp_path_factory.mktemp("preview") / "events.jsonl"
    write_events(path, 40, 20, 5, "nested", None)
    return path


@pytest.fixture
def policy(tmp_path):
    """Write the policy, one text replaced."""

    def write(old="", new=""):
        path = tmp_path / "policy.yaml"
        path.write_text(POLICY.replace(old, new, 1) if old else POLICY)
        return path

    return write


def personal(record):
    """Every personal value of an event, as text that must not be seen."""
    found = [record.get(name) for name in ("customerId", "name", "email", "ssn", "birthDate", "zip", "diagnosis", "notes")]
    found += [record.get("card", {}).get("number"), *(contact.get("phone") for contact in record.get("contacts") or [])]
    return {value for value in found if value}


def test_no_personal_value_is_shown(cli, policy, events, key_uri):
    """Of all sample events, no value of a personal field stands in what is printed for a masked segment; the plain ones do."""
    records = [json.loads(line) for line in events.read_bytes().splitlines()]
    done = cli("preview", policy(), events, "--segment", "analytics", "--limit", "40", "--keys", key_uri)
    assert done.code == 0 and done.out.count("\nevent ") == 40
    values = set().union(*map(personal, records))
    assert len(values) > 100
    assert [value for value in values if value in done.out + done.err] == []
    assert f'"{records[0]["timestamp"]}"' in done.out and "‹direct›" in done.out and "hidden" in done.out


def test_redacted_text_is_previewed(cli, policy, tmp_path):
    """An entity in a text is shown as its type, or as its own technique leaves it; the rest of the text stays."""
    path = tmp_path / "one.jsonl"
    note = "Call +1 415 555 0100 or jane.doe@example.com"
    path.write_text(json.dumps({"customerId": "c", "notes": note, "timestamp": "2024-01-01T00:00:00Z"}) + "\n")
    rule = "{technique: redact_text, entities: {EMAIL: {technique: partial, keep_first: 1, keep_after: '@'}}}"
    done = cli("preview", policy('{technique: redact, fill: "#"}', rule), path, "--segment", "analytics", "--limit", "1")
    assert done.code == 0 and "Call <PHONE> or j***@example.com" in done.out and "555 0100" not in done.out


def test_a_sweep_is_shown(cli, policy, tmp_path):
    """Undeclared members that stay are shown on the right without what is detected in them, and not on the left."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'{"customerId": "C1", "extra": {"jane@example.com": "from 10.1.2.3"}}\n')
    file = tmp_path / "swept.yaml"
    file.write_text("version: 1\nstream: s\nunknown_fields: scan\nfields: {customerId: {class: plain}}\n"
                    "segments: {support: {view: masked, rules: {customerId: keep}}}\n")  # fmt: skip
    done = cli("preview", file, path)
    assert done.code == 0 and "extra.<EMAIL>" in done.out and "from <IP_ADDRESS>" in done.out
    assert "jane" not in done.out + done.err and "10.1.2.3" not in done.out + done.err


def test_a_shuffled_segment_is_shown_beside_its_records(cli, policy, events):
    """The records of a segment with an order of its own stand beside the ones they came from, and that is said."""
    times = [json.loads(line)["timestamp"] for line in events.read_bytes().splitlines()]
    mixed = policy("internal: {view: masked, rules: {purchaseAmount", "mixed: {view: masked, order: shuffled, rules: {timestamp")
    done = cli("preview", mixed, events, "--segment", "mixed", "--limit", "40")
    rows = [line.split()[1::2] for line in done.out.splitlines() if line.startswith("  timestamp")]
    assert rows == [[f'"{time}"', f'"{time}"'] for time in times]
    assert done.out.startswith("mixed (masked, shown in the order read)")


def test_show_raw_shows_the_records(cli, policy, events):
    """With --show-raw the values stand on the left; without keys it is said that the pseudonyms are throw-away."""
    record = json.loads(events.read_bytes().splitlines()[0])
    done = cli("preview", policy(), events, "--segment", "analytics", "--limit", "1", "--show-raw")
    assert done.code == 0 and personal(record) - {""} == {value for value in personal(record) if value in done.out}
    assert "throw-away" in done.err


def test_before_and_after_stand_side_by_side(cli, policy, tmp_path):
    """Each member is a line with its path, nested ones under their own; numbers stand as they came; removed members are a dash."""
    path = tmp_path / "one.jsonl"
    path.write_text('{"purchaseAmount":12.50,"card":{"number":"4111","brand":"visa"},"contacts":[{"kind":"home","phone":"1"},{}],"age":1e2,"notes":""}\n')
    done = cli("preview", policy(POLICY[POLICY.index("  partners:") :], ""), path, "--segment", "analytics")
    lines = [line.split() for line in done.out.splitlines() if "→" in line]
    assert lines == [
        ["purchaseAmount", "12.50", "→", "12.50"],
        ["card.number", '"‹direct›"', "→", "—"],
        ["card.brand", '"visa"', "→", "—"],
        ["contacts[0].kind", '"home"', "→", '"home"'],
        ["contacts[0].phone", '"‹direct›"', "→", '"hidden"'],
        ["contacts[1]", "{}", "→", "{}"],
        ["age", '"‹quasi›"', "→", "—"],
        ["notes", '"‹free_text›"', "→", '""'],
    ]


def test_numbers_keep_their_digits(cli, policy, tmp_path):
    """A preview shows the bytes that will leave: trailing zeros, exponents, and numbers that no float can hold."""
    numbers = ["0.10", "1E+2", "123456789012345678901", "1e999", "-0"]
    path = tmp_path / "numbers.jsonl"
    path.write_text("".join(f'{{"card":{{"brand":{number}}}}}\n' for number in numbers))
    single = policy(POLICY, POLICY[: POLICY.index("  partners:")].replace("timestamp: keep", "card.brand: keep"))
    done = cli("preview", single, path, "--segment", "analytics")
    assert [line.split()[1:] for line in done.out.splitlines() if "→" in line] == [[number, "→", number] for number in numbers]


def test_a_preview_is_json(cli, policy, events, tmp_path):
    """With --json the same stands in one document: members before and after, why a record is refused, and the lines of other views."""
    done = cli("preview", policy(), events, "--limit", 2, "--json")
    told = json.loads(done.out)
    assert (done.code, told["records"], list(told["views"])) == (0, 40, ["analytics", "internal", "partners", "dashboards"])
    first = told["views"]["analytics"]["events"][0]
    assert first["before"]["email"] == '"‹direct›"' and first["after"]["email"] == '"***"' and "name" not in first["after"]
    released = told["views"]["partners"]
    assert (released["view"], released["note"], len(released["first"])) == ("anonymized", "", min(2, released["lines"]))
    record = json.loads(events.read_text().splitlines()[0])
    assert [value for value in personal(record) if value in done.out] == []
    (tmp_path / "odd.jsonl").write_text('{"odd": "SECRET"}\n')
    done = cli("preview", policy(), tmp_path / "odd.jsonl", "--segment", "internal", "--json")
    (refused,) = json.loads(done.out)["views"]["internal"]["events"]
    assert refused["quarantine"]["reason"] == "unknown_field" and refused["quarantine"]["raw"] is None and "SECRET" not in done.out


def test_progress_has_a_total(cli, policy, events, terminal):
    """On a terminal, reading the sample shows the time that remains."""
    assert cli("preview", policy(), events, "--segment", "partners").code == 0
    assert "Reading a sample" in (shown := terminal()) and " left" in shown


def test_a_granted_view_is_previewed(cli, tmp_path):
    """A granted view is named with why nothing is shown: without a grant no record leaves."""
    (tmp_path / "p.yaml").write_text(GRANTED.format(version=1, may_show="ssn: keep", most=10))
    (tmp_path / "e.jsonl").write_text('{"id": "a", "ssn": "078051120"}\n')
    done = cli("preview", tmp_path / "p.yaml", tmp_path / "e.jsonl")
    assert done.code == 0 and "debug: granted; no record leaves without a grant" in done.out, done.err
    told = json.loads(cli("preview", tmp_path / "p.yaml", tmp_path / "e.jsonl", "--json").out)["views"]
    assert told["debug"]["view"] == "granted" and "ssn" not in told["support"]["events"][0]["after"]


def test_quarantined_events_are_shown_with_their_reason(cli, policy, tmp_path):
    """An event that goes to quarantine shows reason and path, and its record with --show-raw only."""
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"timestamp":"2024-03-15","customerId":"a","birthDate":"SECRET"}\nSECRET\n{"SECRET 1":2}\n\n')
    hidden = cli("preview", policy(), path, "--segment", "analytics")
    assert [line for line in hidden.out.splitlines() if line.startswith("event")] == [
        "event 1: to quarantine, refused_value (birthDate)", "event 2: to quarantine, malformed",
        "event 3: to quarantine, unknown_field (?)", "event 4: to quarantine, malformed"]
    assert "SECRET" not in hidden.out + hidden.err
    assert cli("preview", policy(), path, "--segment", "analytics", "--show-raw").out.count("SECRET") == 3


@pytest.mark.parametrize("unknown", ["drop", "redact"])
def test_undeclared_members_are_counted_on_the_left(cli, policy, tmp_path, unknown):
    """Keys that nobody declared can be personal: their number is shown, and they with --show-raw."""
    path = tmp_path / "unknown.jsonl"
    path.write_text('{"timestamp":"2024-03-15","customerId":"a","age":3,"ann@example.com":1,"card":{"pin":{"x":1}}}\n')
    written = policy("segments:", f"unknown_fields: {unknown}\nsegments:")
    done = cli("preview", written, path, "--segment", "internal")
    assert "(2 undeclared members)" in done.out
    assert ("ann@example.com" in done.out) == (unknown == "redact")  # there it is a part of what leaves
    assert "ann@example.com" in cli("preview", written, path, "--segment", "internal", "--show-raw").out


@pytest.mark.parametrize(("rule", "shown"), [
    ("", []), ("keys: {attrs.*: {technique: pseudonym, domain: k, prefix: k-}}", []), ("keys: {attrs.*: plain}", ["ann@example.com"]),
])  # fmt: skip
def test_keys_of_open_objects_are_numbers_on_the_left(cli, policy, tmp_path, rule, shown):
    """Keys that no policy names are data: the left side has numbers for them, unless the policy says that they are plain."""
    path = tmp_path / "open.jsonl"
    path.write_text('{"timestamp":"2024-03-15","customerId":"a","attrs":{"ann@example.com":"red"}}\n')
    fields = "  timestamp:         {class: plain, type: datetime}\n"
    rules = "attrs.*: keep" if rule else "attrs.*: drop"
    text = POLICY.replace(fields, fields + "  attrs.*:           {class: plain}\n")
    text = text.replace("masked, rules: {purchaseAmount: keep}}", f"masked, rules: {{{rules}}}, {rule}}}")
    done = cli("preview", policy(POLICY, text), path, "--segment", "internal")
    assert done.code == 0
    assert [key for key in ("ann@example.com",) if key in done.out] == shown
    assert ("attrs.‹key 1›" in done.out) is not bool(shown) and ("attrs.k-" in done.out) is ("pseudonym" in rule)


def test_an_anonymized_segment_shows_released_lines_only(cli, policy, events):
    """Nothing of single records is shown, only lines of groups, at most as many as asked for, and how many there are."""
    done = cli("preview", policy(), events, "--segment", "partners", "--limit", "4")
    lines = [json.loads(line) for line in done.out.splitlines() if line.startswith("  {")]
    assert len(lines) == 4 and all(set(line) <= {"age", "zip", "purchaseAmount"} for line in lines)
    assert " lines from 40 events" in done.out and "event 1" not in done.out
    raw = {json.loads(line)["zip"] for line in events.read_bytes().splitlines() if b'"zip":"' in line}
    assert not {line["zip"] for line in lines} & raw


def test_all_segments_are_shown_unless_one_is_named(cli, policy, events):
    """Without --segment every view has its part, in the order of the policy."""
    done = cli("preview", policy(), events, "--limit", "1")
    heads = [line for line in done.out.splitlines() if line and not line.startswith((" ", "event"))]
    assert heads[:2] == ["analytics (masked)", "internal (masked)"]
    assert heads[2].startswith("partners: ") and heads[3].startswith("dashboards: ")


def test_an_unknown_segment_has_a_hint(cli, policy, events):
    """A segment that the policy lacks ends with 1 and names those that it has."""
    done = cli("preview", policy(), events, "--segment", "analytic")
    assert (done.code, done.out) == (1, "")
    assert "Hint: segments are analytics, internal, partners, dashboards" in done.err


HOSTILE = "\x1b]0;owned\x07\x7f\x9b31m\u202e\u2028\r"


@pytest.mark.parametrize("segment", ["analytics", "partners"])
@pytest.mark.parametrize("raw", [[], ["--show-raw"]])
def test_control_characters_never_reach_the_terminal(cli, policy, tmp_path, segment, raw):
    """Values, keys and broken records can hold terminal sequences: they are printed as escapes, in every view."""
    path = tmp_path / "hostile.jsonl"
    common = {"age": 30, "zip": "94110", "timestamp": "2024-03-15", "diagnosis": HOSTILE, HOSTILE: 1}
    rows = [{"customerId": f"c{k}", **common} for k in range(3)] + [{"timestamp": HOSTILE, "customerId": "x"}]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_bytes("\n".join([*lines, HOSTILE, '{"\udcff'.encode(errors="surrogateescape").decode("latin-1")]).encode())
    text = POLICY.replace("unknown_fields: quarantine", "").replace("segments:", "unknown_fields: redact\nsegments:", 1)
    text = text.replace("release: [purchaseAmount]", "release: [diagnosis]").replace("timestamp: keep", '"*": keep', 1)
    text = text[: text.index("  dashboards:")]
    written = policy(POLICY, text)
    done = cli("preview", written, path, "--segment", segment, *raw)
    assert done.code == 0
    assert {c for c in done.out + done.err if not c.isprintable()} <= {"\n"}
    assert "\\x7f" in done.out or "\\u2028" in done.out


def test_a_preview_needs_no_flink(cli, policy, events, monkeypatch):
    """Without PyFlink and Java a preview works all the same."""
    monkeypatch.setitem(sys.modules, "pyflink", None)
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")
    assert cli("preview", policy(), events).code == 0


def test_faults_and_missing_files_are_clear(cli, policy, events, tmp_path):
    """A faulty policy ends with 2 and its place; a missing sample with 1 and its name."""
    assert cli("preview", policy("k: 3", "k: 1"), events).code == 2
    done = cli("preview", policy(), tmp_path / "nowhere.jsonl")
    assert done.code == 1 and "nowhere.jsonl" in done.err and "Traceback" not in done.err


def test_kafkas_parts_are_told(cli, tmp_path):
    """A file has no keys and headers: the preview says what becomes of them, for segments that let any of them leave."""
    segments = "\n".join(f"  {name}:\n    view: masked\n    rules: {{order: keep}}" for name in ("plain", "beside"))
    record = "\n    record: {key: {technique: pseudonym, domain: d}, headers: {trace-id: keep}, timestamp: keep}\n"
    (tmp_path / "p.yaml").write_text(f"version: 1\nstream: s\nfields:\n  order: {{class: plain}}\nsegments:\n{segments}{record}")
    (tmp_path / "events.jsonl").write_text('{"order": 1}\n')
    shown = cli("preview", tmp_path / "p.yaml", tmp_path / "events.jsonl").out
    assert shown.count("in Kafka, beside the value") == 1
    assert "beside (masked)\nin Kafka, beside the value: key pseudonym, header trace-id keep, timestamp keep\n" in shown


def test_all_members_that_a_record_is_refused_for_are_told(cli, tmp_path):
    """An event with several wrong members shows every one, with what was found and what is declared, and the command that names them."""
    (tmp_path / "p.yaml").write_text("version: 1\nstream: s\nfields: {name.family: {class: direct}, 'tags[*]': {class: plain}}\n"
                                     "segments: {m: {view: masked, rules: {'*': drop}}}\n")
    (tmp_path / "e.jsonl").write_text('{"nme":{"SECRET":1},"more":[1],"tags":"SECRET","name":{"family":"x","SECRET":true}}\n')
    done = cli("preview", tmp_path / "p.yaml", tmp_path / "e.jsonl")
    lines = [line.strip() for line in done.out.splitlines()]
    for expected in ("?~name  undeclared, found object", "?  undeclared, found array", "name.?  undeclared, found boolean",
                     "tags  array expected, found text"):
        assert expected in lines, done.out
    assert "SECRET" not in done.out + done.err and f"scan {tmp_path / 'e.jsonl'} --against" in done.err.replace("\n", " ")
