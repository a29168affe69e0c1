"""``flink-masking verify``: what it prints and how it ends."""

import json

import pytest
from release_material import FILES, POLICY, raw_records, released


@pytest.fixture
def run(cli, tmp_path):
    """Run the command over lines of a view; returns the outcome."""
    files = {"policy.yaml": POLICY, **FILES}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    raw = raw_records()
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps(record) + "\n" for record in raw))

    def over(lines, *options, name="view"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "part-0").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return cli("verify", tmp_path / "policy.yaml", "--raw", tmp_path / "raw.jsonl", "--released", tmp_path / name, *options)

    return over


SOUND = released(raw_records())


def test_a_sound_view_ends_with_0(run):
    """Every promise held: exit 0, a table with the loss, and a line that says so."""
    done = run(SOUND)
    assert done.code == 0 and done.out.endswith("every promise holds\n")
    assert "prosecutor" in done.out and "loss" in done.out


def test_a_broken_promise_ends_with_1(run):
    """A record that is released twice: exit 1, and no word that all is well."""
    done = run([*SOUND, SOUND[0]])
    assert done.code == 1 and "broken" in done.out and "every promise holds" not in done.out


def test_json_has_the_figures(run):
    """With --json the report is one JSON object with counts, promises and figures."""
    report = json.loads(run(SOUND, "--json").out)
    assert report["broken"] is False and report["counts"]["released"] == 40
    assert [p["name"] for p in report["promises"]] == ["members", "covered", "once", "k"]
    assert set(report["figures"]) == {"loss", "suppression", "risk", "homogeneity", "delay in records"}


def test_bad_usage_ends_with_2(run, cli, tmp_path):
    """A policy that is none, files that are not there and a segment that is none end with 2 and a hint, without a traceback."""
    for options in (("--segment", "nobody"), ("--raw", tmp_path / "nowhere.jsonl"), ("--joint",)):
        done = run(SOUND, *options)
        assert done.code == 2 and "Hint: " in done.err and "Traceback" not in done.err
    (tmp_path / "bad.yaml").write_text("version: 1")
    assert cli("verify", tmp_path / "bad.yaml", "--raw", tmp_path / "raw.jsonl", "--released", tmp_path / "view").code == 2


def test_a_view_that_is_not_there_is_named_first(run, cli, tmp_path):
    """A wrong path and an empty view are told as what they are, before the name of the folder is looked up in the policy."""
    run(SOUND)
    others = "  others: {view: anonymized, k: 2, quasi_identifiers: [age], max_delay: 1s, max_buffer: 9}\n"
    (tmp_path / "policy.yaml").write_text(POLICY + others)
    given = ("verify", tmp_path / "policy.yaml", "--raw", tmp_path / "raw.jsonl", "--released")
    done = cli(*given, tmp_path / "views")
    assert done.code == 2 and f"{tmp_path / 'views'}: there is no such file or directory" in done.err
    (tmp_path / "others").mkdir()
    done = cli(*given, tmp_path / "others")
    assert done.code == 2 and "the view is empty: nothing was released" in done.err


def test_a_policy_without_a_view_to_measure(run, cli, tmp_path):
    """Of a policy with masked segments only, such as a proposal of scan, the message says which segments are measured."""
    run(SOUND)
    (tmp_path / "policy.yaml").write_text("version: 1\nstream: s\nfields: {id: {class: identifier}}\n"
                                          "segments: {masked: {view: masked, rules: {id: drop}}}\n")
    done = cli("verify", tmp_path / "policy.yaml", "--raw", tmp_path / "raw.jsonl", "--released", tmp_path / "view")
    assert done.code == 2 and "the policy has no anonymized or aggregated segment, and verify measures only these" in done.err


def test_strict_takes_what_is_open_for_broken(run, tmp_path):
    """A promise that the output does not decide ends with 0, and with 1 under --strict."""
    same = [{**record, "age": 30, "zip": "94110", "ward": "A1"} for record in raw_records(12)]
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps({**record, "illness": "flu"}) + "\n" for record in same))
    rule = "    l_diversity: {field: severity, l: 2}\n"  # of a field that is not released
    (tmp_path / "policy.yaml").write_text(POLICY.replace(", severity, seq]", "]") + rule)
    line = {"age": "30", "zip": "94110", "ward": "A1", "illness": "flu"}
    assert run([line] * 4).code == 0
    assert run([line] * 4, "--strict").code == 1
