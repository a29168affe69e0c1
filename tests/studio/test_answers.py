"""What the studio answers to an edit: faults at their lines, the view, figures; and hostile texts and samples."""

import json

import pytest

from flink_masking.compliance.subject import PolicyViews
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.report.coverage import coverage
from flink_masking.studio.answers import Answers, Window
from flink_masking.studio.file import LARGEST, PolicyFile
from flink_masking.studio.sample import Sample

PERSONAL = ("name", "email", "ssn", "birthDate", "notes", "zip", "diagnosis")
MASKED, ANONYMIZED = "masked-customer-events", "anonymized-customer-events"


def answers_of(folder, sample, limit=1000):
    """Answers beside a policy in a folder."""
    return Answers(PolicyFile(folder / "policy.yaml"), Sample(sample, limit), KeyRing.ephemeral())


@pytest.fixture
def answers(tmp_path, events):
    """Answers for the customer events."""
    return answers_of(tmp_path, events)


@pytest.fixture(scope="module")
def parts(tmp_path_factory, events, customer_policy):
    """One answer to the demonstration's policy, by part."""
    made = answers_of(tmp_path_factory.mktemp("answers"), events)
    return {part["part"]: part for part in made.to(customer_policy, Window(MASKED))}


def small(events, tmp_path, lines):
    """Answers for a sample of these lines."""
    (tmp_path / "sample.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return answers_of(tmp_path, tmp_path / "sample.jsonl")


SMALL = ("version: 1\nstream: s\nfields:\n  email: {class: direct, type: email}\n  n: {class: plain, type: integer}\n"
         "segments:\n  m:\n    view: masked\n    rules: {email: {technique: partial, keep_first: 1}, n: keep}\n")


def test_the_parts_of_an_answer(parts):
    """Faults, view, coverage, groups and joins are answered in that order, each with its time."""
    assert list(parts) == ["policy", "view", "coverage", "groups", "joins"] and all(part["ms"] >= 0 for part in parts.values())
    assert [one["view"] for one in parts["policy"]["segments"]] == ["masked", "masked", "anonymized", "aggregated"]


def test_the_view_shows_records_before_and_after(parts):
    """A member is changed, removed or the same; personal values are not on the left side."""
    view = parts["view"]
    members = {path: (left, right, mark) for path, left, right, mark in view["shown"][0]["members"]}
    assert members["email"][0] == '"‹direct›"' and members["email"][2] == "changed" and "***@example." in members["email"][1]
    assert members["name"][2] == "removed" and members["purchaseAmount"][2] == "same"
    assert (view["records"], view["total"], len(view["shown"]), view["quarantined"]) == (400, 400, 20, 0)


def test_personal_values_are_sent_only_when_asked_for(parts, answers, events, customer_policy):
    """No part holds a personal value of a record that is shown, until raw values are asked for."""
    told = json.dumps(parts, ensure_ascii=False)
    records = [json.loads(line) for line in events.read_text().splitlines()[:20]]
    clear = {record[name] for record in records for name in ("name", "email", "ssn", "birthDate") if isinstance(record.get(name), str)}
    assert [value for value in clear if value in told] == []
    raw = json.dumps(answers.view(customer_policy, Window(MASKED, raw=True)), ensure_ascii=False)
    assert all(value in raw for value in clear)


def test_coverage_is_that_of_the_report(parts, customer_policy):
    """Fields and views are told as the report tells them."""
    assert parts["coverage"]["coverage"] == coverage(PolicyViews(load(PolicySource("policy.yaml", customer_policy))))


def test_groups_tell_loss_and_promises(parts):
    """The anonymized view keeps its promises, with loss by quasi-identifier; the aggregated one tells its budget and noise."""
    groups, figures = parts["groups"]["groups"]
    assert groups["segment"] == ANONYMIZED and not groups["broken"] and set(groups["figures"]["loss"]) == {"all", "age", "zip"}
    assert min(one["lines"] for one in groups["class_sizes"]) >= groups["k"] == 5
    assert figures["epsilon"] == 1.0 and {one["metric"] for one in figures["noise"]} == {"orders", "customers", "spend"}


def test_joins_are_tried_on_the_views_as_readers_get_them(parts, answers, customer_policy):
    """Shuffled views do not join by the order of lines; the same policy without shuffling does."""
    found = [join["fields"] for join in parts["joins"]["joins"]]
    assert ("the order of lines",) not in found and ("age", "zip") in found
    ordered = customer_policy.replace("order: shuffled", "order: as_read")
    last = list(answers.to(ordered, Window()))[-1]
    assert ("the order of lines",) in [join["fields"] for join in last["joins"]]


def test_lines_of_an_anonymized_view_stand_class_by_class(answers, customer_policy):
    """Lines of a class stand together with its size, of at least k."""
    view = answers.view(customer_policy, Window(ANONYMIZED))
    assert view["kind"] == "lines" and view["quasi_identifiers"] == ["age", "zip"] and view["columns"] == ["age", "zip", "diagnosis"]
    numbers = [line["class"] for line in view["lines"]]
    assert numbers == sorted(numbers) and all(line["size"] >= 5 for line in view["lines"])


def test_an_edit_changes_the_view(answers, customer_policy):
    """The next answer shows what the edit did."""
    before = answers.view(customer_policy, Window(MASKED))["shown"][0]["members"]
    after = answers.view(customer_policy.replace("keep_first: 1, keep_after", "keep_first: 2, keep_after"), Window(MASKED))
    changed = [one[0] for one, two in zip(before, after["shown"][0]["members"], strict=True) if one[2] != two[2]]
    assert changed == ["email"]  # pseudonyms stay: the key ring is the session's


def test_faults_have_their_place_and_hint(answers, customer_policy):
    """A wrong key, a wrong technique and broken YAML are told at their lines; nothing else is answered."""
    (one,) = answers.to(customer_policy.replace("unknown_fields: quarantine", "unknown_felds: quarantine"), Window())
    line = customer_policy.splitlines().index("unknown_fields: quarantine") + 1
    assert not one["usable"] and [(fault["line"], fault["column"]) for fault in one["faults"]] == [(line, 1)]
    assert "unknown_fields" in one["faults"][0]["hint"]
    (broken,) = answers.to("version: 1\n  stream: [", Window())
    assert broken["faults"][0]["line"] == 2 and broken["faults"][0]["severity"] == "error"


def test_warnings_do_not_stop_an_answer(answers, customer_policy):
    """A policy with warnings is applied, and they are told."""
    text = customer_policy.replace("zip: {technique: shuffle, min_distinct: 5}", "zip: keep")
    parts = list(answers.to(text, Window()))
    warned = parts[0]["faults"]
    assert len(parts) == 5 and (not warned or {fault["severity"] for fault in warned} == {"warning"})


@pytest.mark.parametrize("text", [
    "", " ", "\0", "\x07\x1b[31m", "\ufeff", "version: 1", "- 1\n- 2", "a: &a [*a]", "42", "null", "!!python/object:os.system {}",
    "a: &a {b: 1}\n<<: *a", "{" * 5000, "[" * 5000, "- " * 5000, "x: " + "9" * 5000, "k: " + "\U0001f600" * 1000, "\u202etxt: 1",
    "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join('*' + chr(97 + n) for _ in range(9))}]\n" for n in range(9)),
    "".join(f"key{n}: {n}\n" for n in range(20_000)), "fields: {" + ", ".join(f"f{n}: {{class: plain}}" for n in range(5_000)) + "}",
    "#" * (LARGEST + 1), "segments:\n" + "  x:\n" * 3, SMALL.replace("stream: s", "stream: " + "s" * 10_000),
    SMALL + "    hierarchy: ../../../etc/passwd\n", SMALL.replace("type: email", "hierarchy: ../../../../etc/passwd"),
], ids=range(26))
def test_hostile_texts_are_faults(answers, text):
    """Bombs, cycles, tags, depth, size, control characters and files outside the folder end in faults at a line, and in nothing else."""
    (told,) = answers.to(text, Window())
    assert told["part"] == "policy" and not told["usable"] and told["faults"]
    assert all(fault["line"] >= 1 and fault["column"] >= 1 and "internal" not in fault["message"] for fault in told["faults"])
    assert "root:" not in json.dumps(told)


@pytest.mark.parametrize("lines", [
    [b"\x00\xff\xfe" * 100], [b"not json"], [b"1", b"[]", b"null", b'""'], [b'{"email":'], [b"{" * 50_000], [b'{"n": {}}'],
    [b'{"email":"' + b"x" * 2_000_000 + b'"}'], [b'{"email":"a\\ud800b@example.com"}'], [b'{"<img src=x onerror=alert(1)>": 1}'],
], ids=range(9))
def test_hostile_samples_go_to_quarantine(events, tmp_path, lines):
    """Records that cannot be read, or hold what nobody declared, are shown as quarantined with their reason, raw or not."""
    answers = small(events, tmp_path, [*lines, b'{"email":"jane@example.com","n":1}'])
    for raw in (False, True):
        found = {part["part"]: part for part in answers.to(SMALL, Window(raw=raw))}
        view = found["view"]
        assert view["quarantined"] == len(lines) and [one.get("quarantine") is None for one in view["shown"]][-1:] == [True]
        assert all(one["quarantine"]["reason"] for one in view["shown"] if "quarantine" in one)
        assert "jane" not in json.dumps(view) or raw


def test_quarantined_records_can_be_looked_at_alone(events, tmp_path):
    """With the filter only refused records are shown, with the members that they were refused for."""
    answers = small(events, tmp_path, [b'{"n":1}', b'{"n":"x","other":2}', b'{"n":2}'])
    view = answers.view(SMALL, Window(refused=True))
    assert view["total"] == 1 and view["shown"][0]["row"] == 1
    assert any("other" in text or "?" in text for text in view["shown"][0]["quarantine"]["members"])


def test_an_empty_sample_and_one_of_another_format(events, tmp_path):
    """An empty file shows no records; a format that the sample is not of is said, and coverage is answered all the same."""
    (tmp_path / "empty.jsonl").write_bytes(b"")
    found = {part["part"]: part for part in answers_of(tmp_path, tmp_path / "empty.jsonl").to(SMALL, Window())}
    assert found["view"]["records"] == 0 and found["view"]["shown"] == []
    other = list(answers_of(tmp_path, events).to(SMALL.replace("stream: s", "stream: s\nformat: csv\ncolumns: [email, n]"), Window()))
    assert [part["part"] for part in other] == ["policy", "error", "coverage"] and "column" in other[1]["message"]


def test_an_unexpected_error_tells_no_value(answers, customer_policy, monkeypatch):
    """An exception that nobody expects is told by type and place; its text, which may quote a record, is not."""
    def fails(*_):
        raise ValueError("john.doe@example.com")

    monkeypatch.setattr("flink_masking.studio.answers.shown", fails)
    told = json.dumps(list(answers.to(customer_policy, Window())))
    assert "internal error: ValueError" in told and "john.doe" not in told


@pytest.mark.parametrize("place", ["anonymized", "join_views", "read_policy"])
def test_a_key_that_is_missing_is_not_told(answers, customer_policy, monkeypatch, place):
    """Where a value of the sample is looked up and missing, notes of groups and joins say where, and not the value."""
    def fails(*_):
        raise KeyError("john.doe@example.com")

    monkeypatch.setattr(f"flink_masking.studio.measured.{place}", fails)
    told = json.dumps(list(answers.to(customer_policy, Window())))
    assert "internal error: KeyError" in told and "john.doe" not in told


def test_without_a_subject_groups_say_what_is_missing(events, tmp_path):
    """A policy that names no subject has a note in place of joins."""
    found = {part["part"]: part for part in small(events, tmp_path, [b'{"n":1}']).to(SMALL, Window())}
    assert found["groups"]["groups"] == [] and "subject" in found["joins"]["note"]
