"""A sound view passes; for each promise a view that breaks it fails it, and a promise that the output does not decide is open."""

import json

import pytest
from release_material import FILES, POLICY, raw_records, released, source, verdicts

from flink_masking.errors import PolicyError
from flink_masking.policy.source import PolicySource
from flink_masking.verify.files import verify

RULES = """\
l_diversity: [{field: illness, l: 2}, {field: severity, l: 2, kind: entropy}]
t_closeness: {field: illness, t: 0.9, reference: {flu: 0.4, asthma: 0.3, infarct: 0.3}}
alpha_k: {field: illness, alpha: 0.9}"""


def sound(n=40, people=None):
    """Raw records and a view in which every class has several illnesses and severities."""
    raw = raw_records(n, people)
    for number, record in enumerate(sorted(raw, key=lambda r: r["age"])):
        record["illness"], record["severity"] = ("flu", "asthma", "infarct")[number % 3], 1 + number % 4
    return raw, released(raw)


def test_a_sound_view_keeps_every_promise(measure):
    """Every promise of a sound view is held, and nothing is open."""
    report = measure(*sound(), RULES)
    assert set(verdicts(report).values()) == {"held"}
    assert set(verdicts(report)) == {"members", "covered", "once", "k", "l_diversity", "t_closeness", "alpha_k"}
    assert (report.broken, report.open, report.counts["suppressed"]) == (False, False, 0)


def test_sensitive_values_are_told_apart_by_value(measure):
    """Classes in which one value is only spelt in several ways break the promise: numbers always, text where it is compared folded."""
    raw, _ = sound()
    order = sorted(raw, key=lambda r: r["age"])
    for number, record in enumerate(order):
        record["illness"], record["severity"] = ("flu", "Flu", " FLU")[number % 3], (2, 2.0)[number % 2]
    rules = "l_diversity: [{field: illness, l: 2}, {field: severity, l: 2}]"
    exact = [found.verdict for found in measure(raw, released(raw), rules).promises if found.name == "l_diversity"]
    assert exact == ["held", "broken"]
    text = POLICY.replace("illness: {class: sensitive", "illness: {class: sensitive, compare: folded", 1) + f"    {rules}\n"
    folded = measure(raw, released(raw), policy=PolicySource("policy.yaml", text, FILES))
    assert [found.verdict for found in folded.promises if found.name == "l_diversity"] == ["broken", "broken"]


def one(**changes):
    """Change members of the first line."""
    return lambda lines: [{**lines[0], **changes}, *lines[1:]]


def first_class(**changes):
    """Change members of all lines of the first class."""
    def change(lines):
        first = [lines[0][name] for name in ("age", "zip", "ward")]
        return [{**line, **changes} if [line[name] for name in ("age", "zip", "ward")] == first else line for line in lines]

    return change


MUTATIONS = [
    ("k", one(ward="*", zip="*")),
    ("k", lambda lines: lines[1:]),
    ("once", lambda lines: [*lines, lines[0]]),
    ("covered", first_class(age="90-99")),
    ("covered", one(seq=999)),
    ("covered", first_class(age="20 to 30")),
    ("covered", first_class(age="90-101")),
    ("covered", first_class(zip="9*")),
    ("covered", first_class(ward="C")),
    ("covered", lambda lines: [{k: v for k, v in lines[0].items() if k != "ward"}, *lines[1:]]),
    ("members", one(person="P1")),
    ("members", one(at="2024-03-15T10:00:00Z")),
    ("l_diversity", first_class(illness="flu")),
    ("l_diversity", first_class(severity=3)),
    ("t_closeness", first_class(illness="infarct")),
    ("alpha_k", first_class(illness="asthma")),
]


@pytest.mark.parametrize(("promise", "change"), MUTATIONS)
def test_a_broken_promise_is_found(measure, promise, change):
    """What is changed breaks the promise that it is about."""
    raw, lines = sound()
    rules = RULES.replace("t: 0.9", "t: 0.6")
    assert not measure(raw, lines, rules).broken
    report = measure(raw, change(lines), rules)
    assert promise in {found.name for found in report.promises if found.verdict == "broken"}


def test_people_count_not_records(measure):
    """A class of many records of few people breaks k, although it has lines enough."""
    raw, lines = sound(40, people=3)
    report = measure(raw, lines)
    assert verdicts(report)["k"] == "broken"
    assert next(found.found for found in report.promises if found.name == "k") in ("2 in the smallest", "3 in the smallest")


ALIKE = {"age": "30", "zip": "94110", "ward": "A1", "illness": "flu", "severity": 1}
UNTOLD = PolicySource("policy.yaml", POLICY.replace(", seq]", "]"), FILES)


def test_lines_that_tell_no_people_apart_are_decided_by_the_raw_records(measure):
    """Where lines could come from fewer than k people or from k, an assignment of raw records that gives every class k decides."""
    raw = [{**record, **ALIKE, "age": 30} for record in raw_records(12, people=6)]
    report = measure(raw, [ALIKE] * 4, policy=UNTOLD)
    (k,) = [found for found in report.promises if found.name == "k"]
    assert (k.verdict, k.found) == ("held", "2 to 4 in the smallest")
    assert "raw records are assigned" in k.note
    assert verdicts(measure(raw, [ALIKE] * 16, policy=UNTOLD))["once"] == "broken"


def test_people_whom_two_classes_need_break_k(measure):
    """Classes of which each alone could have k people, but not both without a record that is released twice, break the promise."""
    people = ["P0"] * 4 + ["P1"] * 4 + ["P2"] * 4 + ["P3"]
    raw = [{**record, **ALIKE, "age": 28, "person": person} for record, person in zip(raw_records(13), people, strict=True)]
    lines = [{**ALIKE, "age": "20-30"}] * 4 + [{**ALIKE, "age": "25-40"}] * 4
    report = measure(raw, lines, policy=UNTOLD)
    assert verdicts(report)["k"] == "broken"
    assert "no assignment" in next(promise.note for promise in report.promises if promise.name == "k")
    raw.append({**raw[-1], "seq": 99})
    assert verdicts(measure(raw, lines, policy=UNTOLD))["k"] == "held"


def test_a_member_that_is_there_twice_is_refused(write):
    """A released line with a member twice, at any depth and however spelt, is no line: readers may take the other value."""
    raw, lines = sound()
    twice = [json.dumps(lines[0])[:-1] + ', "age": "20-30"}', json.dumps(lines[1])[:-1] + ',"\\u0061ge":"1"}',
             json.dumps(lines[2])[:-1] + ',"more":{"a":1,"a":2}}']
    path = write("partners/part-0", lines[3:])
    path.write_text(path.read_text() + "\n".join(twice) + "\n")
    report = verify(source(RULES), write("raw.jsonl", raw), path.parent)
    (promise,) = [promise for promise in report.promises if promise.name == "lines"]
    assert (promise.verdict, promise.found) == ("broken", "3 lines have a member twice")


def test_a_hidden_sensitive_field_is_judged_by_the_records(measure):
    """A rule about a field that is not released is judged where lines tell their records apart, and open where they do not."""
    raw, _ = sound()
    text = POLICY.replace("[illness, severity, seq]", "[{}]") + "    l_diversity: {field: illness, l: 4}\n"
    told = PolicySource("policy.yaml", text.replace("{}", "seq"), FILES)
    assert verdicts(measure(raw, released(raw, names=["seq"]), policy=told))["l_diversity"] == "broken"
    same = [{**record, "age": 30, "zip": "94110", "ward": "A1"} for record in raw]
    lines = released(same, names=["severity"])
    hidden = PolicySource("policy.yaml", text.replace("{}", "severity"), FILES)
    assert verdicts(measure(same, lines[:16], policy=hidden))["l_diversity"] == "open"


def test_a_running_reference_is_broken_only_beyond_doubt(measure):
    """A class that is far from all records may have been close to those before it; one that never was breaks the promise."""
    raw = [{**record, "illness": "infarct" if number >= 20 else "flu"} for number, record in enumerate(raw_records(40))]
    lines = released(raw[:20])
    rule = "t_closeness: {{field: illness, t: {}}}"
    assert verdicts(measure(raw, lines, rule.format(0.1)))["t_closeness"] == "open"
    assert verdicts(measure(raw, lines, rule.format(0.5)))["t_closeness"] == "held"
    mixed = [{**record, "illness": "infarct" if number % 2 else "flu"} for number, record in enumerate(raw_records(400))]
    assert verdicts(measure(mixed, released([r for r in mixed if r["illness"] == "flu"]), rule.format(0.1)))["t_closeness"] == "broken"


def test_records_that_cannot_be_in_the_view_are_told_apart(measure):
    """Records without a person or outside a domain are refused, those without a quasi-identifier suppressed: they count in the loss."""
    raw, lines = sound()
    more = [{**raw[0], "seq": 900, "person": None}, {**raw[0], "seq": 901, "age": 200}, {**raw[0], "seq": 902, "age": "30"},
            {**raw[0], "seq": 903, "zip": None}]
    report = measure(raw + more, lines)
    assert (report.counts["refused"], report.counts["inputs"], report.counts["suppressed"]) == (3, 41, 1)
    alone = measure(raw, lines)
    assert report.figures["loss"]["all"] == pytest.approx((40 * alone.figures["loss"]["all"] + 1) / 41)


def test_the_loss_is_that_of_the_labels(measure):
    """Loss by attribute is (u - l) / (U - L), characters cut among 10^p, and (leaves - 1) / (all leaves - 1)."""
    raw = [{**record, "age": 20 + 10 * (number % 2), "zip": f"9411{number}", "ward": "A1" if number else "A2"}
           for number, record in enumerate(raw_records(4))]
    lines = [{"age": "20-30", "zip": "9411*", "ward": "A", **{n: r[n] for n in ("illness", "severity", "seq")}} for r in raw]
    loss = measure(raw, lines).figures["loss"]
    assert loss["age"] == pytest.approx(0.1)
    assert loss["zip"] == pytest.approx(9 / 99_999)
    assert loss["ward"] == pytest.approx(1 / 3)
    assert loss["all"] == pytest.approx((0.1 + 9 / 99_999 + 1 / 3) / 3)


def test_a_policy_that_is_none_is_refused(tmp_path, write):
    """A policy with faults ends in its faults, before anything is read."""
    with pytest.raises(ValueError, match="unknown key"):
        verify(PolicySource("p", source().text.replace("k: 4", "kk: 4")), tmp_path, tmp_path)


def test_without_delay_rare_values_are_found(measure):
    """In mode zero_delay every label and value must have been shown by k people; * and null say nothing."""
    raw = [{**record, "age": 30, "zip": "94110", "severity": 1, "ward": "A1", "illness": "flu"} for record in raw_records(8)]
    raw[0] |= {"ward": "B1", "illness": "asthma"}
    line = {"age": "30", "zip": "94110", "ward": "A1", "illness": "flu", "severity": 1, "seq": None}
    assert not measure(raw, [line] * 7 + [{**line, "ward": "*", "illness": None}], "mode: zero_delay").broken
    for change in ({"ward": "B1"}, {"ward": "B"}, {"illness": "asthma"}, {"seq": 3}, {"age": "31"}, {"zip": 9}):
        report = measure(raw, [{**line, **change}], "mode: zero_delay")
        assert [promise.name for promise in report.promises if promise.verdict == "broken"] == ["z"]
    assert measure(raw, [line] * 9, "mode: zero_delay").broken


@pytest.mark.parametrize(("old", "new"), [
    ("[age, zip, ward]", "[age, zip, room]"), ("domain: [0, 100]", "domain: [low, high]"), ("subject: person\n", ""),
    ("seq]\n", "seq]\n    t_closeness: {field: severity, t: 0.2, distance: hierarchical}\n"),
    ("severity: {class: sensitive, domain: [1, 5]}", "severity: {class: sensitive}"),
])
def test_a_policy_that_cannot_be_verified_is_refused(measure, old, new):
    """What a policy lacks is bad usage, with a hint, and no broken promise."""
    text = POLICY + "    t_closeness: {field: severity, t: 0.2, distance: ordered}\n" * ("severity" in old)
    assert old in text
    with pytest.raises(PolicyError, match="Hint: "):
        measure(*sound(), policy=PolicySource("policy.yaml", text.replace(old, new), FILES))
