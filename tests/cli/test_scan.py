"""flink-masking scan: the table, JSON, proposals that take every record, and policies held against a sample."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scan_samples import cloudtrail, fhir, lines, otlp, strings, taxi

from flink_masking import KeyRing, Protector
from flink_masking.generate import write_events


def events(path: Path) -> bytes:
    """Events of the example."""
    write_events(path, 400, 80, 5)
    return path.read_bytes()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Samples of five kinds, by name."""
    folder = tmp_path_factory.mktemp("samples")
    events(folder / "customers.jsonl")
    found = {"customers": folder / "customers.jsonl"}
    for name, records in (("fhir", fhir()), ("cloudtrail", cloudtrail()), ("otlp", otlp())):
        found[name] = folder / f"{name}.jsonl"
        found[name].write_bytes(lines(records))
    found["taxi"] = folder / "taxi.csv"
    found["taxi"].write_bytes(taxi())
    return found


WORDS = {"Patient", "user.email", "client.address", "http://example.org/race"}
"""Values that are words of a format."""
NAMES = ["customers", "fhir", "cloudtrail", "otlp", "taxi"]


def values(path: Path) -> set[str]:
    """The texts of a sample that say something: six characters or more."""
    if path.suffix == ".csv":
        return {cell for line in path.read_text().splitlines()[1:] for cell in line.split(",") if len(cell) >= 6}
    return {text for line in path.read_text(encoding="utf-8").splitlines() for text in strings(json.loads(line)) if len(text) >= 6}


@pytest.mark.parametrize("name", NAMES)
def test_a_proposal_passes_check_and_takes_every_record(name, samples, cli, tmp_path):
    """What scan proposes is a policy that check accepts, that quarantines no record of the sample, and that its own scan agrees with."""
    policy = tmp_path / "policy.yaml"
    done = cli("scan", samples[name], "--propose", policy)
    assert done.code == 0 and "quarantines none" in done.err
    assert cli("check", policy).code == 0
    assert cli("scan", samples[name], "--against", policy).code == 0
    lines_of = samples[name].read_bytes().splitlines()
    if samples[name].suffix != ".csv":
        assert Protector(policy, KeyRing.ephemeral()).protect(lines_of).quarantine == []
    assert cli("preview", policy, samples[name]).code == 0


def test_a_small_sample_and_a_long_path(cli, tmp_path, monkeypatch):
    """A size below a tenth of a megabyte is in kB, and where there is no terminal no path is broken, unless COLUMNS asks for it."""
    monkeypatch.delenv("COLUMNS", raising=False)
    path = ".".join(f"level{number}" for number in range(12))
    record = "".join(f'{{"level{number}":' for number in range(12)) + '"ann.miller@example.org"' + "}" * 12
    (tmp_path / "one.jsonl").write_text(record + "\n")
    done = cli("scan", tmp_path / "one.jsonl")
    assert "1 record of format json, 0.2 kB, 12 paths" in done.out and f" {path} " in done.out
    monkeypatch.setenv("COLUMNS", "80")
    assert f" {path} " not in cli("scan", tmp_path / "one.jsonl").out


@pytest.mark.parametrize("name", NAMES)
def test_no_value_of_the_sample_is_written(name, samples, cli, tmp_path):
    """Neither table nor JSON nor messages hold a value of the sample; a proposal only words of the format that selectors and parts need."""
    policy = tmp_path / "policy.yaml"
    table, data = cli("scan", samples[name], "--propose", policy), cli("scan", samples[name], "--json")
    said = " ".join((table.out, table.err, data.out, data.err)).replace(str(samples[name]), "")
    assert [value for value in values(samples[name]) if value in said] == []
    text = policy.read_text(encoding="utf-8")
    assert {value for value in values(samples[name]) if value in text} <= WORDS


@pytest.mark.parametrize("name", NAMES)
def test_a_proposal_shows_no_personal_data(name, samples, cli, tmp_path):
    """No address, telephone number, UUID or name of the sample stands in the masked view of a proposal."""
    policy = tmp_path / "policy.yaml"
    cli("scan", samples[name], "--propose", policy)
    if samples[name].suffix == ".csv":
        assert "hack_license: {class: " in policy.read_text() and "hack_license: keep" not in policy.read_text()
        return
    result = Protector(policy, KeyRing.ephemeral()).protect(samples[name].read_bytes().splitlines())
    (view,) = result.views.values()
    shown = b"\n".join(view.to_pylist()).decode()
    direct = {value for value in values(samples[name]) if "@" in value or len(value) == 36 or value.startswith(("+", "arn:aws:iam"))}
    assert direct and [value for value in direct if value in shown] == []
    assert "@" not in shown


def test_choices_have_comments_and_decisions(samples, cli, tmp_path):
    """Each field of a proposal has a comment with its evidence, and what a person must decide is marked."""
    policy = tmp_path / "policy.yaml"
    cli("scan", samples["fhir"], "--propose", policy, "--stream", "clinic")
    text = policy.read_text()
    fields = text[text.index("\nfields:\n") + 9 : text.index("unknown_fields:")].splitlines()
    assert all("  # " in line for line in fields) and len(fields) > 10
    assert "stream: clinic" in text and "masked-clinic:" in text
    assert "contained: {class: plain, type: json}" in text and "# decide: declare what it may hold" in text
    assert "identifiers" not in text and "values of id inside" in text
    assert "birthDate: {technique: generalize, date: year}" in text


def test_the_table_tells_what_people_look_for(samples, cli):
    """The table has a line a path, and notes on kinds, empty containers, maps, references and siblings."""
    done = cli("scan", samples["fhir"])
    assert done.code == 0 and "600 records of format json" in done.out
    for said in ("contained: empty in all of 200", "deceased: not always of one kind: string in", "values of id are inside, after '/'",
                 "telecom[*].value: what it holds depends on telecom[*].system: right for 200 of 200 values"):
        assert said in done.out
    assert "keys are data" in cli("scan", samples["cloudtrail"]).out


def test_json_is_the_whole_report(samples, cli):
    """--json prints one document with counts by path."""
    report = json.loads(cli("scan", samples["taxi"], "--json").out)
    assert report["format"] == "csv" and report["records"] == 500 and len(report["paths"]) == 9
    fares = next(path for path in report["paths"] if path["path"] == "total_amount")
    assert fares["shapes"] == {"decimal": 500} and fares["share"] == 1.0


def test_inputs_may_be_compressed_directories_and_standard_input(samples, cli, tmp_path):
    """Compressed files, directories and standard input give the same report as the plain file, proposals included."""
    folder = tmp_path / "in"
    folder.mkdir()
    raw = samples["fhir"].read_bytes().splitlines(keepends=True)
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(raw[:200])))
    (folder / "b.jsonl").write_bytes(b"".join(raw[200:]))
    plain = json.loads(cli("scan", samples["fhir"], "--json").out)
    parts = json.loads(cli("scan", folder / "a.jsonl.gz", folder / "b.jsonl", "--json").out)
    assert parts["paths"] == plain["paths"] == json.loads(cli("scan", folder, "--json").out)["paths"]
    program = "from flink_masking.cli import main; main()"
    command = [sys.executable, "-c", program, "scan", "-", "--json", "--propose", str(tmp_path / "p.yaml")]
    done = subprocess.run(command, input=samples["fhir"].read_bytes(), capture_output=True, check=True, env=os.environ)
    assert json.loads(done.stdout)["paths"] == plain["paths"]
    assert cli("scan", samples["fhir"], "--against", tmp_path / "p.yaml").code == 0


def test_broken_records_are_counted_and_not_fatal(cli, tmp_path):
    """Records that cannot be read are counted by reason; a proposal takes all the others."""
    sample = tmp_path / "sample.jsonl"
    sample.write_bytes(b'{"a":"x","a":"y"}\nnot json\n{"a":\n[1]\n{"a":"z"}\n')
    done = cli("scan", sample, "--propose", tmp_path / "policy.yaml")
    assert done.code == 0 and "2 of 5 records cannot be read: malformed" in done.out
    assert "records that no policy takes" in done.err and "2 malformed" in done.err and "1 not_an_object" in done.err
    assert cli("check", tmp_path / "policy.yaml").code == 0


def test_an_empty_sample_is_no_fault_but_proposes_nothing(cli, tmp_path):
    """A scan of nothing says so; nothing can be proposed from it, and no policy held against it."""
    sample, policy = tmp_path / "sample.jsonl", tmp_path / "policy.yaml"
    sample.write_bytes(b"")
    assert "0 records" in cli("scan", sample).out
    refused = cli("scan", sample, "--propose", policy)
    assert refused.code == 1 and "no record that can be read" in refused.err and not policy.exists()
    policy.write_text("version: 1\nstream: s\nfields: {a: {class: plain}}\nsegments: {m: {view: masked, rules: {a: keep}}}\n")
    assert cli("scan", sample, "--against", policy).code == 2


def test_a_policy_that_does_not_fit_ends_with_1(cli, tmp_path):
    """What is undeclared, mistyped, or sensitive and shown in clear is listed with counts, and the exit code is 1."""
    sample, policy = tmp_path / "sample.jsonl", tmp_path / "policy.yaml"
    sample.write_text("".join(json.dumps(record) + "\n" for record in [
        {"mail": f"user{number}@example.com", "age": 30 if number else "thirty", "new": {"x": 1}, "flat": {"y": 1}}
        for number in range(10)]))
    policy.write_text("version: 1\nstream: s\nfields: {mail: {class: plain}, age: {class: quasi, type: integer}, flat: {class: plain}}\n"
                      "segments: {support: {view: masked, rules: {mail: keep, \"*\": drop}}}\n")
    done = cli("scan", sample, "--against", policy)
    assert done.code == 1
    assert "undeclared: new: 10 of 10: no field of the policy: object in 10" in done.out
    assert "mistyped: flat: 10 of 10: the policy declares one value" in done.out
    assert "mistyped: age: 1 of 10: not of type integer" in done.out
    assert "shown: mail in support: 10 of 10: EMAIL" in done.out and "user1@" not in done.out
    found = json.loads(cli("scan", sample, "--against", policy, "--json").out)["complaints"]
    assert {"undeclared", "mistyped", "shown"} == {one["kind"] for one in found}


def test_declared_fields_that_never_occur_are_named(cli, tmp_path):
    """A misspelt declaration is told with the member that it was meant for, and the other way round; a rare field changes no exit code."""
    sample, policy = tmp_path / "sample.jsonl", tmp_path / "policy.yaml"
    sample.write_text("".join(json.dumps({"email": "x", "by": {"2023": 1}, "o": {"a": None}}) + "\n" for _ in range(9)))
    text = ("version: 1\nstream: s\nfields: {%s: {class: direct}, by.2023: {class: plain}, o.a: {class: plain}, coupon: {class: plain}}\n"
            "segments: {m: {view: masked, rules: {\"*\": drop}}}\n")
    policy.write_text(text % "email")
    done = cli("scan", sample, "--against", policy)
    assert done.code == 0 and "\nnever in this sample: coupon\n" in done.out
    policy.write_text(text % "emial")
    done = cli("scan", sample, "--against", policy)
    assert done.code == 1 and "\nnever in this sample: emial (did you mean email?), coupon\n" in done.out
    assert "undeclared: email: " in done.out and "did you mean 'emial', which is declared and never occurs?" in done.out
    assert json.loads(cli("scan", sample, "--against", policy, "--json").out)["unseen"] == {"emial": "email", "coupon": ""}


def test_a_policy_may_name_each_key_of_a_map(cli, tmp_path):
    """Keys that look like data to the scan are declared if the policy names every one of them, and undeclared if it names only some."""
    sample, policy = tmp_path / "sample.jsonl", tmp_path / "policy.yaml"
    sample.write_text("".join(json.dumps({"by": {"2023": 1.5, "2024": 2.5}}) + "\n" for _ in range(9)))
    head = "version: 1\nstream: s\nfields: {by.2023: {class: plain, type: number}"
    tail = "}\nsegments: {m: {view: masked, rules: {\"*\": drop}}}\n"
    policy.write_text(head + ", by.2024: {class: plain, type: number}" + tail)
    assert cli("scan", sample, "--against", policy).code == 0
    policy.write_text(head + tail)
    done = cli("scan", sample, "--against", policy)
    assert done.code == 1 and "undeclared: by.*" in done.out


def test_an_unusable_policy_or_input_ends_with_2_against_a_policy(cli, tmp_path, samples):
    """Exit code 1 says that sample and policy differ, and nothing else."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\n")
    assert cli("scan", samples["fhir"], "--against", policy).code == 2
    cli("scan", samples["fhir"], "--propose", policy, "--overwrite")
    assert cli("scan", tmp_path / "none.jsonl", "--against", policy).code == 2
    assert cli("scan", tmp_path / "none.jsonl").code == 1


def test_a_proposal_never_replaces_a_file_unasked(cli, tmp_path, samples):
    """An existing policy stays as it is without --overwrite."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("mine")
    assert cli("scan", samples["fhir"], "--propose", policy).code == 1 and policy.read_text() == "mine"
    assert cli("scan", samples["fhir"], "--propose", policy, "--overwrite").code == 0 and policy.read_text() != "mine"


def test_keys_of_any_kind_can_be_proposed(cli, tmp_path):
    """Keys with points, brackets, quotes, blanks, words of YAML and characters beyond ASCII are declared as they are."""
    sample, policy = tmp_path / "odd.jsonl", tmp_path / "policy.yaml"
    record = {"a.b": 1, "c[*]": "x", "null": True, "on": "y", 'quo"te': "z", "größe": 1.5, "two words": {"#": "n"}, " pad ": "v", "": "e"}
    sample.write_text("".join(json.dumps(record | {"n": number}) + "\n" for number in range(30)))
    assert cli("scan", sample, "--propose", policy).code == 0
    assert cli("check", policy).code == 0 and cli("scan", sample, "--against", policy).code == 0


def test_times_since_1970_are_rounded(cli, tmp_path):
    """Numbers of ms since 1970 are proposed with their unit, and cut to the hour."""
    sample, policy = tmp_path / "sample.jsonl", tmp_path / "policy.yaml"
    sample.write_text("".join(json.dumps({"at": 1_700_000_000_000 + 7_777 * number}) + "\n" for number in range(40)))
    assert cli("scan", sample, "--propose", policy).code == 0 and "at: {class: plain, type: integer, unit: ms}" in policy.read_text()
    views = Protector(policy, KeyRing.ephemeral()).protect(sample.read_bytes().splitlines()).views
    assert json.loads(views["masked-sample"][0].as_py())["at"] % 3_600_000 == 0


def test_a_record_whose_own_keys_are_data_is_proposed_with_a_decision(cli, tmp_path):
    """Keys of the record itself that look like data are not told, and the proposal drops them."""
    sample, policy = tmp_path / "people.jsonl", tmp_path / "policy.yaml"
    sample.write_text("".join(json.dumps({f"user{number}@example.com": {"x": number}}) + "\n" for number in range(40)))
    done = cli("scan", sample, "--propose", policy)
    assert done.code == 0 and "unknown_fields: drop  # decide:" in policy.read_text()
    assert "user1@" not in done.out + done.err + policy.read_text()


HEAD = "version: 1\nstream: s\n"


def against(cli, folder: Path, records: list[object], policy: str) -> list[tuple[str, str]]:
    """What is said of a sample by a policy: kind and path of each complaint."""
    sample, file = folder / "sample.jsonl", folder / "policy.yaml"
    sample.write_bytes(lines(records))
    file.write_text(HEAD + policy)
    done = cli("scan", sample, "--against", file, "--json")
    assert done.code in (0, 1), done.err
    return [(one["kind"], one["path"]) for one in json.loads(done.out)["complaints"]]


def test_selected_fields_are_judged_apart(cli, tmp_path):
    """What a selector shows is told from what its else shows."""
    records = [{"t": [{"system": "email", "value": f"p{k}@example.org"}, {"system": "rank", "value": f"a{k % 3}"}]} for k in range(40)]
    fields = 'fields: {"t[*].system": {class: plain}, "t[system=email].value": {class: direct}, "t[*].value": {class: plain}}\n'
    shown = 'segments: {m: {view: masked, rules: {"t[*].system": keep, "t[system=%s].value": keep, "t[*].value": %s, "*": drop}}}\n'
    assert against(cli, tmp_path, records, fields + shown % ("email", "drop")) == [("shown", "t[system=email].value")]
    hidden = 'segments: {m: {view: masked, rules: {"t[*].system": keep, "t[system=email].value": redact, "t[*].value": keep}}}\n'
    assert against(cli, tmp_path, records, fields + hidden) == []


def test_what_a_list_of_values_keeps_out_is_not_shown(cli, tmp_path):
    """An address in a field that is kept, and that may hold listed words only, breaks the contract; it is not said to be shown."""
    records = [{"state": f"p{k}@example.org" if k % 9 == 0 else "open"} for k in range(90)]
    view = "segments: {m: {view: masked, rules: {state: keep}}}\n"
    assert against(cli, tmp_path, records, "fields: {state: {class: plain, values: [open]}}\n" + view) == [("mistyped", "state")]
    assert against(cli, tmp_path, records, "fields: {state: {class: plain}}\n" + view) == [("shown", "state")]


def test_an_object_or_an_array_of_them_is_declared_once(cli, tmp_path):
    """A path with [*]? stands for objects and for arrays; members that it does not have are undeclared in both."""
    records = [{"a": {"city": "x", "new": 1}} if k % 2 else {"a": [{"city": "y"}]} for k in range(20)]
    policy = 'fields: {"a[*]?.city": {class: plain}}\nsegments: {m: {view: masked, rules: {"*": drop}}}\n'
    assert against(cli, tmp_path, records[::2], policy) == against(cli, tmp_path, [{"a": {"city": "x"}}], policy) == []
    assert {kind for kind, _ in against(cli, tmp_path, records, policy)} == {"undeclared"}


def test_an_element_by_its_place_is_declared(cli, tmp_path):
    """A path with [0] declares elements of an array, and not the others' members."""
    policy = 'fields: {"a[0].x": {class: plain}, "a[*].x": {class: plain}}\nsegments: {m: {view: masked, rules: {"*": drop}}}\n'
    assert against(cli, tmp_path, [{"a": [{"x": 1}, {"x": 2}]}], policy) == []


def test_documents_of_records_are_judged_by_their_elements(cli, tmp_path):
    """With each, what a file's documents hold is compared with the policy."""
    policy = 'each: "Records[*]"\nfields: {user: {class: direct}}\nsegments: {m: {view: masked, rules: {"*": drop}}}\n'
    assert against(cli, tmp_path, [{"Records": [{"user": "x"}, {"user": "y", "new": 1}]}], policy) == [("undeclared", "new")]


@pytest.mark.parametrize("standard_input", [False, True])
def test_documents_of_records_are_proposed_by_their_elements(standard_input, cli, tmp_path):
    """Files of documents that hold nothing but an array of many objects are proposed with each, and preview reads them so."""
    sample, policy = tmp_path / "trail.json", tmp_path / "policy.yaml"
    events = cloudtrail(120)
    sample.write_bytes(lines([{"Records": events[:60]}, {"Records": events[60:]}]))
    if standard_input:
        program = "from flink_masking.cli import main; main()"
        subprocess.run([sys.executable, "-c", program, "scan", "-", "--propose", str(policy)], input=sample.read_bytes(),
                       capture_output=True, check=True, env=os.environ)  # fmt: skip
    else:
        done = cli("scan", sample, "--propose", policy)
        assert done.code == 0 and "takes 120 records" in done.err
    text = policy.read_text()
    assert '\neach: Records[*]  # ' in text and "\n  userIdentity.arn: {class: " in text and "Records[*].eventID" not in text
    assert cli("check", policy).code == 0 and cli("scan", sample, "--against", policy).code == 0
    shown = cli("preview", policy, sample)
    assert shown.code == 0 and "to quarantine" not in shown.out


def test_records_that_hold_an_array_among_others_are_records(cli, tmp_path):
    """An array beside other members, or of few elements, is part of a record."""
    for number, records in enumerate(([{"id": k, "items": [{"n": 1}] * 9} for k in range(20)], [{"items": [{"n": 1}]}] * 20)):
        sample, policy = tmp_path / f"s{number}.jsonl", tmp_path / f"p{number}.yaml"
        sample.write_bytes(lines(records))
        assert cli("scan", sample, "--propose", policy).code == 0 and "each:" not in policy.read_text()
