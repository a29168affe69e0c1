"""flink-masking generate --like: records of the types and shapes of a sample."""

import json

import pytest
from scan_samples import fhir, lines, otlp, taxi

from flink_masking.files.opened import opened


@pytest.mark.parametrize("name", ["like.jsonl", "like.jsonl.gz", "like.jsonl.zst"])
def test_records_like_a_sample_are_written(cli, tmp_path, name):
    """The command reads a sample, compressed or not, writes as many records as are wanted, and says which words it kept."""
    (tmp_path / "sample.jsonl").write_bytes(lines(fhir(300)))
    done = cli("generate", "--like", tmp_path / "sample.jsonl", "--events", 80, "--output", tmp_path / name)
    assert (done.code, done.out) == (0, "") and "80 records like 300 of the sample" in done.err
    assert "telecom[*].system (2)" in done.err and "subject.display" not in done.err
    with opened(tmp_path / name) as stream:
        records = [json.loads(line) for line in stream.read().splitlines()]
    assert len(records) == 80 and {record["resourceType"] for record in records} == {"Patient", "Encounter"}


def test_the_same_seed_writes_the_same_bytes(cli, tmp_path):
    """Same sample and seed, same bytes; several files and a directory are one sample."""
    (tmp_path / "in").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "in" / name).write_bytes(lines(otlp(100)))
    both = "--like", tmp_path / "in" / "a.jsonl", "--like", tmp_path / "in" / "b.jsonl"
    for name, options in (("x", both), ("y", ("--like", tmp_path / "in")), ("z", (*both, "--seed", 1))):
        assert cli("generate", *options, "--events", 30, "--output", tmp_path / name).code == 0
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes() != (tmp_path / "z").read_bytes()


def test_values_of_a_path_are_kept_on_request(cli, tmp_path):
    """Values of a path that a person names are used as they are, where five records have them; a path that there is not is refused."""
    sample = [{"region": ["eu-west-1", "us-east-1"][k % 2], "who": f"anna{k}"} for k in range(100)] + [{"region": "secret-1", "who": "x"}]
    (tmp_path / "sample.jsonl").write_bytes(lines(sample))
    command = "generate", "--like", tmp_path / "sample.jsonl", "--events", 60, "--output", tmp_path / "x", "--overwrite"
    assert cli(*command).code == 0
    assert not {"eu-west-1", "us-east-1"} & {json.loads(line)["region"] for line in (tmp_path / "x").read_text().splitlines()}
    done = cli(*command, "--keep", "region")
    found = {json.loads(line)["region"] for line in (tmp_path / "x").read_text().splitlines()}
    assert done.code == 0 and "region (2)" in done.err and found >= {"eu-west-1", "us-east-1"} and "secret-1" not in found
    for path in ("nowhere", "who"):
        refused = cli(*command, "--keep", path)
        assert refused.code == 1 and path in refused.err and "Hint: " in refused.err
    (tmp_path / "trips.csv").write_bytes(taxi(100))
    command = "generate", "--like", tmp_path / "trips.csv", "--keep", "store_and_fwd_flag", "--output", tmp_path / "y.csv", "--events", 40
    assert cli(*command).code == 0
    assert {line.split(",")[5] for line in (tmp_path / "y.csv").read_text().splitlines()[1:]} == {"Y", "N"}


def test_csv_makes_csv(cli, tmp_path):
    """A sample of CSV makes CSV with its header, which a policy proposed for the sample takes."""
    (tmp_path / "trips.csv").write_bytes(taxi(300))
    assert cli("generate", "--like", tmp_path / "trips.csv", "--events", 50, "--output", tmp_path / "like.csv.gz").code == 0
    with opened(tmp_path / "like.csv.gz") as stream:
        made = stream.read().splitlines()
    assert made[0] == taxi(1).splitlines()[0] and len(made) == 51
    assert cli("scan", tmp_path / "trips.csv", "--propose", tmp_path / "policy.yaml").code == 0
    shown = cli("preview", tmp_path / "policy.yaml", tmp_path / "like.csv.gz", "--limit", 50)
    assert shown.code == 0 and "to quarantine" not in shown.out


@pytest.mark.parametrize(("options", "code", "word"), [
    (("--shape", "flat"), 2, "--shape"), (("--people", "3"), 2, "--people"), (("--gold", "g"), 2, "--gold")])
def test_options_of_other_records_are_refused(cli, tmp_path, options, code, word):
    """A sample says what records look like: other options that do are refused, and nothing is written."""
    (tmp_path / "sample.jsonl").write_bytes(lines(otlp(20)))
    done = cli("generate", "--like", tmp_path / "sample.jsonl", *options, "--output", tmp_path / "x")
    assert done.code == code and word in done.err and not (tmp_path / "x").exists()


def test_a_sample_that_cannot_be_read_is_refused(cli, tmp_path):
    """A missing file, one without records and an output of another format end with a hint."""
    (tmp_path / "none.jsonl").write_text("broken\n")
    (tmp_path / "sample.jsonl").write_bytes(lines(otlp(20)))
    for sample, output, word in (("no", "x", "no such file"), ("none.jsonl", "x", "no record"), ("sample.jsonl", "x.csv", "is json")):
        done = cli("generate", "--like", tmp_path / sample, "--output", tmp_path / output)
        assert done.code == 1 and word in done.err and "Hint: " in done.err and not (tmp_path / output).exists()


def test_objects_and_arrays_of_them_at_one_path_keep_their_members(cli, tmp_path):
    """Where a sample has an object here and an array of objects there, the records made have both, with their members."""
    sample = [{"a": {"c": f"x{k % 3}"} if k % 2 else [{"c": "y"}, {"c": "z"}]} for k in range(60)]
    (tmp_path / "sample.jsonl").write_bytes(lines(sample))
    assert cli("generate", "--like", tmp_path / "sample.jsonl", "--events", 60, "--output", tmp_path / "x.jsonl").code == 0
    made = [json.loads(line)["a"] for line in (tmp_path / "x.jsonl").read_bytes().splitlines()]
    assert {type(one) for one in made} == {dict, list}
    assert all(part.keys() == {"c"} for one in made for part in (one if isinstance(one, list) else [one]))
