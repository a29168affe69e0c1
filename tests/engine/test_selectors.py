"""Fields that are told from others by what stands beside them: selectors, places in an array, objects in the place of arrays."""

import random

import orjson
import pyarrow as pa
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.tools.preview import hidden
from flink_masking.tools.unmask import Unmask

POLICY = """
version: 1
stream: s
unknown_fields: UNKNOWN
fields:
FIELDS
segments:
SEGMENTS
"""
APART = {path: "{class: plain}" for path in ("a[*].k", "a[k=x].v", "a[*].v", "b[0]", "b[1]", "b[*]")}
LOGS = {
    "logs[*].attributes[*].key": "{class: plain}",
    "logs[*].attributes[key=user.email].value.stringValue": "{class: direct, type: email}",
    "logs[*].attributes[key=http.method].value.stringValue": "{class: plain, values: [GET, POST]}",
    "logs[*].attributes[*].value.stringValue": "{class: free_text}",
    "logs[*].attributes[*].value.intValue": "{class: plain}",
}
PATIENT = {
    "identifier[*].type.coding[*].code": "{class: plain}",
    "identifier[*].system": "{class: plain}",
    "identifier[type.coding[*].code=SS].value": "{class: direct, type: us_ssn}",
    "identifier[system=http://hospital].value": "{class: identifier}",
    "identifier[*].value": "{class: direct}",
    "address[0].city": "{class: quasi}",
    "address[*].city": "{class: direct}",
}


def policy(fields, rules, unknown="quarantine", more=""):
    """The text of a policy with one masked segment."""
    lines = "\n".join(f"  '{path}': {declared}" for path, declared in fields.items())
    written = "\n".join(f"      '{path}': {rule}" for path, rule in rules.items())
    segments = f"  m:\n    view: masked\n    rules:\n{written}\n{more}"
    return POLICY.replace("UNKNOWN", unknown).replace("FIELDS", lines).replace("SEGMENTS", segments)


def masked(text, *records, ring=None):
    """The view m as Python objects, and reasons of the quarantine."""
    done = Protector(load(PolicySource("p.yaml", text)), ring or KeyRing.new()).protect([orjson.dumps(record) for record in records])
    reasons = {row: (entry["reason"], entry["path"]) for row, line in done.quarantine for entry in [orjson.loads(line)]}
    return [None if row is None else orjson.loads(row) for row in done.views["m"].to_pylist()], reasons


def log(*attributes):
    """A record of OTLP with one log; attributes are (key, value) with the value in front of the key where they are a list."""
    return {"logs": [{"attributes": [dict(pair) for pair in attributes]}]}


def attribute(key, value, name="stringValue"):
    """One attribute, as OTLP has it."""
    return {"key": key, "value": {name: value}}


def test_a_rule_is_for_the_elements_that_say_so():
    """Each value goes by the selector that its element fits, others by the rule for all; the order of members does not matter."""
    rules = {"logs[*].attributes[*].key": "keep", "logs[*].attributes[key=http.method].value.stringValue": "keep",
             "logs[*].attributes[key=user.email].value.stringValue": "{technique: pseudonym, domain: m}",
             "logs[*].attributes[*].value.stringValue": "redact"}
    email = {"value": {"stringValue": "a@b.de"}, "key": "user.email"}
    escaped = orjson.loads(b'{"key":"user\\u002eemail","value":{"stringValue":"a@b.de"}}')
    record = log(attribute("http.method", "GET"), email, attribute("other", "a@b.de"), attribute("user.email", 7, "intValue"))
    record["logs"].append({"attributes": [attribute("user.email", "a@b.de"), {"value": {"stringValue": "no key"}}, escaped]})
    ring = KeyRing.new()
    (row,), reasons = masked(policy(LOGS, rules), record, ring=ring)
    assert reasons == {}
    first, second = (entry["attributes"] for entry in row["logs"])
    pseudonym = first[1]["value"]["stringValue"]
    assert len(pseudonym) == 22 and [a.get("key") for a in first] == ["http.method", "user.email", "other", "user.email"]
    assert [first[0]["value"], first[2]["value"]] == [{"stringValue": "GET"}, {"stringValue": "***"}]
    assert "intValue" not in first[3].get("value", {})
    assert [a["value"]["stringValue"] for a in second] == [pseudonym, "***", pseudonym]


def test_an_escaped_discriminator_is_the_same_text():
    """What decides is compared as text, not as bytes."""
    text = policy(LOGS, {"logs[*].attributes[key=user.email].value.stringValue": "redact", "*": "keep"})
    done = Protector(load(PolicySource("p.yaml", text)), KeyRing.new()).protect(
        [b'{"logs":[{"attributes":[{"k\\u0065y":"user\\u002eemail","value":{"stringValue":"a@b.de"}}]}]}'])
    assert b"a@b.de" not in done.views["m"][0].as_py() and b"***" in done.views["m"][0].as_py()


def test_first_match_wins_in_the_order_of_fields():
    """An element that fits two selectors goes by the one that is declared first."""
    both = {"type": {"coding": [{"code": "MR"}, {"code": "SS"}]}, "system": "http://hospital", "value": "123-45-6789"}
    rules = {"identifier[system=http://hospital].value": "keep", "identifier[type.coding[*].code=SS].value": "redact"}
    (row,), _ = masked(policy(PATIENT, rules), {"identifier": [both]})
    assert row == {"identifier": [{"value": "***"}]}
    turned = dict(sorted(PATIENT.items(), key=lambda item: "SS" in item[0]))
    (row,), _ = masked(policy(turned, rules), {"identifier": [both]})
    assert row == {"identifier": [{"value": "123-45-6789"}]}


def test_contracts_are_those_of_the_selected_field():
    """A value is checked by what is declared of its own field: a social security number that is none does not leave."""
    rules = {"identifier[type.coding[*].code=SS].value": "{technique: partial, keep_last: 4, keep_separators: true}",
             "identifier[*].value": "keep"}
    records = [{"identifier": [{"type": {"coding": [{"code": code}]}, "value": value}]} for code, value in
               (("SS", "123-45-6789"), ("SS", "no number"), ("MR", "no number"))]
    found, _ = masked(policy(PATIENT, rules), *records)
    assert [row["identifier"][0]["value"] for row in found] == ["***-**-6789", "***", "no number"]


def test_places_in_an_array():
    """[0] is the first element, also where the array holds other things or is in another array."""
    fields = {"a[0]": "{class: plain}", "a[*]": "{class: direct}", "g[*][1]": "{class: plain}", "g[*][*]": "{class: direct}"}
    rules = {"a[0]": "keep", "a[*]": "redact", "g[*][1]": "keep", "g[*][*]": "redact"}
    found, _ = masked(policy(fields, rules), {"a": ["x", "y", "z"]}, {"a": [None, "y"]}, {"a": []},
                      {"g": [["p", "q"], [], ["r"], ["s", "t", "u"]]})
    assert [row.get("a") for row in found[:3]] == [["x", "***", "***"], [None, "***"], []]
    assert found[3]["g"] == [["***", "q"], [], ["***"], ["***", "t", "***"]]


def test_dropping_and_replacing_whole_elements():
    """A selected element can be dropped or replaced as a whole; what is left keeps its commas."""
    ring = KeyRing.new()
    record = {"identifier": [{"system": "a", "value": "1"}, {"system": "http://hospital", "value": "2"}, {"system": "b", "value": "3"}]}
    (row,), _ = masked(policy(PATIENT, {"identifier[system=http://hospital]": "drop", "*": "keep"}), record)
    assert row == {"identifier": [{"system": "a", "value": "1"}, {"system": "b", "value": "3"}]}
    rules = {"identifier[system=http://hospital]": "{technique: encrypt, domain: d}", "identifier[*].value": "redact"}
    (row,), _ = masked(policy(PATIENT, rules), record, ring=ring)
    assert [type(one) for one in row["identifier"]] == [dict, str, dict]


def test_the_default_reaches_selected_fields():
    """Fields without a rule go by the default, selected ones, too: nothing is shown because another element's field has a rule."""
    record = {"identifier": [{"type": {"coding": [{"code": "SS"}]}, "value": "123-45-6789"}, {"value": "other"}]}
    (row,), _ = masked(policy(PATIENT, {"identifier[*].value": "keep"}), record)
    assert row == {"identifier": [{}, {"value": "other"}]}
    (row,), _ = masked(policy(PATIENT, {"identifier[type.coding[*].code=SS].value": "keep"}), record)
    assert row == {"identifier": [{"value": "123-45-6789"}, {}]}
    (row,), _ = masked(policy(PATIENT, {"address[*].city": "keep"}), record)
    assert row == {}


def test_against_a_slow_reading(random_seed=7):
    """On random records, a batch at once, every value gets what its own element says."""
    draw = random.Random(random_seed)
    fields = {"a[*].k": "{class: plain}", "a[*].t[*].c": "{class: plain}", "a[k=x].v": "{class: plain}", "a[t[*].c=y].v": "{class: plain}",
              "a[2].v": "{class: plain}", "a[*].v": "{class: plain}"}
    fills = ("a[k=x].v", "A"), ("a[t[*].c=y].v", "B"), ("a[2].v", "C"), ("a[*].v", "D")
    rules = {path: f"{{technique: redact, fill: '{fill}'}}" for path, fill in fills} | {"a[*].k": "keep", "a[*].t[*].c": "keep"}
    records = []
    for _ in range(500):
        elements = []
        for _ in range(draw.randrange(5)):
            members = [("v", "1")] * (draw.random() < 0.8)
            members += [("k", draw.choice(["x", "z", None, 1, True]))] * (draw.random() < 0.7)
            members += [("t", [{"c": draw.choice("yz")} for _ in range(draw.randrange(3))])] * (draw.random() < 0.7)
            draw.shuffle(members)
            elements.append(dict(members))
        records.append({"a": elements})
    found, reasons = masked(policy(fields, rules), *records)
    assert reasons == {}
    for before, after in zip(records, found, strict=True):
        for place, (one, other) in enumerate(zip(before["a"], after["a"], strict=True)):
            if "v" in one:
                codes = [inner["c"] for inner in one.get("t", [])]
                assert other["v"] == ("A" if one.get("k") == "x" else "B" if "y" in codes else "C" if place == 2 else "D")


def test_numbers_and_booleans_decide_by_how_they_are_written():
    """A selector's value is compared with the text of a number or boolean; null, objects and arrays fit none."""
    fields = {"a[*].k": "{class: plain}", "a[k=1].v": "{class: plain}", "a[k=true].v": "{class: plain}", "a[*].v": "{class: plain}"}
    rules = {"a[k=1].v": "keep", "a[k=true].v": "keep", "a[*].v": "redact"}
    (row,), _ = masked(policy(fields, rules), {"a": [{"k": k, "v": "v"} for k in (1, "1", True, None, 1.0)]})
    assert [one["v"] for one in row["a"]] == ["v", "v", "v", "***", "***"]


@pytest.mark.parametrize(("fields", "rules", "message"), [
    ({"a[k=x].v": "{class: plain}", "a[*].k": "{class: plain}"}, {"a[*].k": "keep"}, "nothing says what 'a[*].v' is in the other elements"),
    ({"a[k=x].v": "{class: plain}", "a[*].v": "{class: plain}"}, {"a[*].v": "keep"}, "selected by 'a[*].k', which is not a declared field"),
    ({"a[0].v": "{class: plain, type: json}", "a[*].v": "{class: plain}"}, {"a[*].v": "keep"}, "not both of type json"),
    ({"a[0].*": "{class: plain}", "a[*].*": "{class: plain}"}, {"a[*].*": "drop"}, "do not go together"),
    ({"a[0]": "{class: plain}", "a.b": "{class: plain}", "a[*]": "{class: plain}"}, {"a[*]": "keep"}, "contradict each other"),
    ({"a[*]?.b": "{class: plain}", "a.b": "{class: plain}"}, {"a.b": "keep"}, "contradict each other"),
    ({"a[0].b": "{class: plain}", "a[*].b": "{class: plain}"}, {"a[*]": "drop", "a[0].b": "keep"}, "is covered by the rule for 'a[*]'"),
    ({"a[0].b": "{class: plain}", "a[*].b": "{class: plain}"}, {"a[0]": "keep", "a[*].b": "drop"}, "an element as a whole"),
    ({"a[0].b": "{class: plain}", "a[*].b": "{class: plain}"}, {"a[1].b": "keep"}, "not a declared field"),
    ({"a[*]?": "{class: plain}"}, {"a": "drop"}, "is declared with [*]?"),
    ({"a[k]": "{class: plain}"}, {"a[k]": "drop"}, "position 3"),
    ({"a[k==x]": "{class: plain}"}, {"*": "drop"}, "a second '='"),
    ({"a[k=$x$]": "{class: plain}"}, {"*": "drop"}, "in the place of quotes"),
    ({"a": "{class: plain, type: number}"}, {"a": "{technique: pseudonym, domain: d, within: {after: x}}"}, "which has no parts"),
])  # fmt: skip
def test_faults_of_selectors(fields, rules, message):
    """What cannot be meant is refused where it stands."""
    with pytest.raises(PolicyFaults) as error:
        load(PolicySource("p.yaml", policy(fields, rules).replace("$x$", "''x''")))
    assert any(message in fault.message for fault in error.value.faults), error.value.faults
    assert all(fault.line > 5 for fault in error.value.faults)


def test_an_object_or_an_array_of_objects():
    """A path with [*]? is for the object in one record and for the elements of the array in another; nothing else is taken."""
    fields = {"address[*]?.city": "{class: plain}", "address[*]?.street": "{class: direct}", "tags[*]?": "{class: plain}"}
    rules = {"address[*]?.city": "keep", "address[*]?.street": "redact", "tags[*]?": "{technique: redact}"}
    here = {"city": "Rome", "street": "SECRET"}
    several = {"address": [here, {"street": "SECRET"}], "tags": ["SECRET", 1]}
    found, reasons = masked(policy(fields, rules), {"address": here, "tags": "SECRET"}, several, {"address": []},
                            {"address": "SECRET"}, {"address": [[here]]}, {"tags": {"a": 1}}, {"address": {"x": 1}})
    shown = {"city": "Rome", "street": "***"}
    assert found[:2] == [{"address": shown, "tags": "***"}, {"address": [shown, {"street": "***"}], "tags": ["***", "***"]}]
    assert found[2] == {"address": []}
    mismatches = dict.fromkeys((3, 4, 5), "type_mismatch")
    assert mismatches | {6: "unknown_field"} == {row: reason for row, (reason, _) in reasons.items()}
    two = {"address": here, "tags": "SECRET"}, {"tags": ["SECRET", "S"], "address": [here]}
    dropped, _ = masked(policy(fields, {"address[*]?.city": "keep"}), *two)
    assert dropped == [{"address": {"city": "Rome"}}, {"tags": [], "address": [{"city": "Rome"}]}]
    nothing, _ = masked(policy(fields, {"tags[*]?": "keep"}), {"address": here, "tags": "a"}, {"tags": ["a"], "address": [here]})
    assert nothing == [{"tags": "a"}, {"tags": ["a"], "address": []}]


def test_selected_values_come_back():
    """unmask opens the values of selected fields, while what decides is still in the view, and leaves others as they are."""
    fields = {"a[*].k": "{class: plain}", "a[k=x].v": "{class: direct}", "a[*].v": "{class: direct}"}
    rules = {"a[*].k": "keep", "a[k=x].v": "{technique: encrypt, domain: x}", "a[*].v": "{technique: encrypt, domain: y}"}
    ring, loaded = KeyRing.new(), load(PolicySource("p.yaml", policy(fields, rules)))
    record = b'{"a":[{"k":"x","v":"1"},{"v":"2","k":"y"}]}'
    view = Protector(loaded, ring).protect([record]).views["m"]
    assert b'"1"' not in view[0].as_py() and Unmask(loaded, "m", ring)(view).records.to_pylist() == [record]
    (half,) = Unmask(loaded, "m", ring, fields=["a[k=x].v"])(view).records.to_pylist()
    assert orjson.loads(half)["a"][0]["v"] == "1" and orjson.loads(half)["a"][1]["v"] not in ("2", None)


@pytest.mark.parametrize(("rules", "field", "message"), [
    ({"a[k=x].v": "R"}, "a[k=x].v", "selected by 'a[*].k', which the view drops. Hint: a rule 'a[*].k: keep'"),
    ({"a[*].k": "{technique: pseudonym, domain: k}", "a[k=x].v": "R"}, None, "which the view changes (pseudonym)"),
    ({"a[*].v": "R", "a[k=x].v": "redact"}, "a[*].v", "'a[k=x].v', beside which 'a[*].v' stands, is selected by 'a[*].k'"),
    ({"b[1]": "R", "b[*]": "drop"}, "b[1]", "by its place, and the view drops elements before it ('b[*]')"),
    ({"b[1]": "R", "b[*]": "{technique: partial, keep_last: 1, on_error: drop}"}, "b[1]", "drops elements before it ('b[*]')"),
])  # fmt: skip
def test_values_that_cannot_be_told_apart_are_not_opened(rules, field, message):
    """Where the view does not show what decides, unmask says so and opens nothing, instead of leaving or taking the wrong values."""
    rules = {path: rule.replace("R", "{technique: encrypt, domain: d}") for path, rule in rules.items()}
    loaded = load(PolicySource("p.yaml", policy(APART, rules)))
    with pytest.raises(InputError) as error:
        Unmask(loaded, "m", KeyRing.new(), fields=[field] if field else None)
    assert message in str(error.value) and "choose other fields with --field" in str(error.value)


@pytest.mark.parametrize("rules", [
    {"a[*].k": "keep", "a[k=x].v": "R", "a[*].v": "R"}, {"a[k=x].v": "R", "*": "keep"}, {"a[*].v": "R"}, {"b[1]": "R", "*": "keep"},
    {"b[0]": "R", "b[1]": "R", "b[*]": "R"}, {"b[0]": "R", "b[*]": "drop"},
])  # fmt: skip
def test_values_that_can_be_told_apart_come_back(rules):
    """Where what decides is kept, by its own rule, that of a parent or the default, or the others are dropped, values come back."""
    ring = KeyRing.new()
    written = {path: rule.replace("R", f"{{technique: encrypt, domain: d{n}}}") for n, (path, rule) in enumerate(rules.items())}
    loaded = load(PolicySource("p.yaml", policy(APART, written)))
    clear = load(PolicySource("p.yaml", policy(APART, {path: rule.replace("R", "keep") for path, rule in rules.items()})))
    record = [b'{"a":[{"k":"x","v":"1"},{"v":"2","k":"y"},{"v":"3"}],"b":["p","q","r"]}']
    view, expected = (Protector(one, ring).protect(record).views["m"] for one in (loaded, clear))
    assert view != expected and Unmask(loaded, "m", ring)(view).records.to_pylist() == expected.to_pylist()


def test_preview_hides_selected_fields_by_their_own_class():
    """Before a rule, a selected field is shown as its class, not as that of the other elements."""
    fields = {"a[*].k": "{class: plain}", "a[k=x].v": "{class: direct}", "a[*].v": "{class: plain}"}
    plan = Protector(load(PolicySource("p.yaml", policy(fields, {"a[*].k": "keep"}))), KeyRing.new()).plan
    shown, _, _ = hidden(plan, pa.array([b'{"a":[{"k":"x","v":"1"},{"k":"y","v":"2"}]}'], pa.binary()))
    assert [one["v"] for one in orjson.loads(shown[0].as_py())["a"]] == ["‹direct›", "2"]
