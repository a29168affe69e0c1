"""flink-masking example: policies that were proposed and edited, run over records that the project makes."""

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

import flink_masking
from flink_masking import KeyRing, Protector
from flink_masking.examples import EXAMPLES
from flink_masking.generate.streams import STREAMS, write_stream
from flink_masking.policy.layout import layout
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.records.codec import codec_for
from flink_masking.records.inputs import Input
from flink_masking.records.trie import Paths
from flink_masking.tools.headers import add_headers

PEOPLE = 150
REAL_FHIR = os.environ.get("FLINK_MASKING_FHIR")
"""Directory with files of a bulk export, ``…Patient….ndjson`` and so on; the tests on real data run where it is given."""
PAIRS = [(name, stream) for name, example in EXAMPLES.items() for stream in example.streams]


class Run(NamedTuple):
    """What a policy made of a stream.

    Attributes:
        loaded: the policy.
        raw: the file of the records.
        records: their number.
        views: the lines of each segment.
        quarantine: what was refused.
        output: directory of the views, as `run` writes them.
    """

    loaded: LoadedPolicy
    raw: Path
    records: list[bytes]
    views: dict[str, list[bytes]]
    quarantine: list[tuple[int, bytes]]
    output: Path


def run(loaded: LoadedPolicy, raw: Path, output: Path, ring: KeyRing) -> Run:
    """Protect a file in this process."""
    batches = list(Input.of(raw, loaded.policy.format, loaded.policy.columns).batches())
    protector = Protector(loaded, ring)
    views: dict[str, list[bytes]] = {name: [] for name in loaded.policy.segments}
    quarantine = []
    for batch in batches:
        result = protector.protect(batch)
        quarantine += result.quarantine
        for name, lines in (*((name, view.to_pylist()) for name, view in result.views.items()), *result.released.items()):
            views[name] += lines
    for name, lines in protector.finish().items():
        views[name] += lines
    for name, lines in views.items():
        (output / name).mkdir(parents=True)
        (output / name / "part-0").write_bytes(b"".join(line + b"\n" for line in lines if line is not None))
    add_headers(protector.plan, output)
    return Run(loaded, raw, [record for batch in batches for record in batch.to_pylist()], views, quarantine, output)


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    """One key ring, so that streams join."""
    return KeyRing.ephemeral()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, ring: KeyRing) -> dict[str, Run]:
    """All streams of all examples, in the order read, so that line i of a masked view is record i."""
    found, folder = {}, tmp_path_factory.mktemp("examples")
    for name, stream in PAIRS:
        raw = folder / f"{stream}{'.csv' if stream == 'taxi-trips' else '.jsonl'}"
        write_stream(raw, stream, PEOPLE, 7)
        found[stream] = run(load(PolicySource.read(EXAMPLES[name].streams[stream])).in_order(), raw, folder / stream, ring)
    return found


def masked(one: Run) -> list[Any]:
    """The records of the first masked view."""
    return [json.loads(line) for line in next(iter(one.views.values()))]


@pytest.mark.parametrize(("name", "stream"), PAIRS)
def test_check_passes_without_a_warning(name, stream):
    """Nothing is wrong with an example's policy, and nothing is left to warn of."""
    assert load(PolicySource.read(EXAMPLES[name].streams[stream])).warnings == []


def test_the_streams_of_fhir_fit_together(cli):
    """check of all three policies has nothing to say of them together."""
    done = cli("check", *EXAMPLES["fhir"].streams.values())
    assert done.code == 0 and "warning:" not in done.err


@pytest.mark.parametrize("stream", [stream for _, stream in PAIRS])
def test_no_record_goes_to_quarantine(runs, stream):
    """Every record is taken, masked views have all of them, and no view is empty."""
    one = runs[stream]
    assert one.quarantine == [] and len(one.records) >= PEOPLE
    for name, lines in one.views.items():
        assert len(lines) == len(one.records) if one.loaded.policy.segments[name].view == "masked" else len(lines) > 0


def identifying(one: Run) -> set[bytes]:
    """All values of fields that are of class direct or identifier."""
    fields = one.loaded.policy.fields
    table = codec_for(one.loaded.policy.format, layout(one.loaded.policy)).scan(
        pa.array(one.records, pa.binary()),
        Paths(dict(fields), known=fields, opaque=[path for path, field in fields.items() if field.type == "json"]))
    found: set[bytes] = set()
    for path, field in fields.items():
        if field.role in ("direct", "identifier"):
            contents = table.contents(path)
            found |= {bytes(contents.data[s:e]) for s, e in zip(contents.starts, contents.ends, strict=True)}
    return {value for value in found if len(value) >= 4 and value not in (b"true", b"null", b"false")}


def words(lines: list[bytes]) -> set[bytes]:
    """The parts of lines that separators make."""
    return set(re.split(rb'[^A-Za-z0-9.@+_-]+', b"\n".join(lines)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_view_shows_an_identifier(runs, name):
    """No value of a direct identifier of any stream of an example stands in a view of any of them, and no name inside one."""
    streams = [runs[stream] for stream in EXAMPLES[name].streams]
    secrets = {value for one in streams for value in identifying(one)}
    if name == "cloudtrail":  # names inside ARNs, addresses, keys of objects and messages
        secrets |= {json.loads(record)["userIdentity"]["userName"].encode() for record in streams[0].records if b'"userName"' in record}
        secrets |= {value + b"@example.com" for value in secrets if value.isalnum()}
    if name == "otlp-logs":
        secrets |= set(re.findall(rb"[a-z0-9_.]+@example[.]net", b"\n".join(streams[0].records)))
    assert len(secrets) > PEOPLE
    lines = [line for one in streams for view in one.views.values() for line in view]
    shown, blob = words(lines), b"\n".join(lines)
    assert [value for value in secrets if value in shown or (len(value) >= 8 and b" " in value and value in blob)] == []


def test_ids_and_references_join(runs):
    """Every reference of an encounter or condition leads to the patient, or the encounter, that it led to before; and only there."""
    _joins(*(runs[f"fhir-{kind}"] for kind in ("patient", "encounter", "condition")))


@pytest.mark.skipif(REAL_FHIR is None, reason="FLINK_MASKING_FHIR names no directory with a bulk export")
def test_real_resources_are_taken_and_join(tmp_path, ring):
    """Resources of a bulk export need no change of the policies: none is quarantined, all references join."""
    found = []
    for kind in ("Patient", "Encounter", "Condition"):
        (raw,) = Path(REAL_FHIR or "").glob(f"*{kind}*.ndjson")
        loaded = load(PolicySource.read(EXAMPLES["fhir"].streams[f"fhir-{kind.lower()}"])).in_order()
        found.append(run(loaded, raw, tmp_path / kind, ring))
        assert found[-1].quarantine == []
    _joins(*found)
    lines = [line for one in found for view in one.views.values() for line in view]
    assert identifying(found[0]) & words(lines) == set()


def _joins(patients: Run, encounters: Run, conditions: Run) -> None:
    joined = 0
    known: dict[str, dict[str, str]] = {}
    for kind, one in (("Patient", patients), ("Encounter", encounters)):
        raw = [json.loads(record)["id"] for record in one.records]
        known[kind] = dict(zip(raw, (record["id"] for record in masked(one)), strict=True))
        assert len(set(known[kind].values())) == len(raw) and not set(raw) & set(known[kind].values())
    for one in (encounters, conditions):
        for before, after in zip(map(json.loads, one.records), masked(one), strict=True):
            for member in ("subject", "encounter"):
                if member in before:
                    kind, _, number = before[member]["reference"].partition("/")
                    assert after[member]["reference"] == f"{kind}/{known[kind][number]}"
                    joined += 1
    assert joined == len(encounters.records) + 2 * len(conditions.records)


def test_dates_of_a_patient_move_alike(runs):
    """A condition is as many days after its encounter as before, though both moved."""
    starts = {after["id"]: after["period"]["start"][:10] for after in masked(runs["fhir-encounter"])}
    conditions = masked(runs["fhir-condition"])
    days = [(after["recordedDate"][:10], starts[after["encounter"]["reference"].partition("/")[2]]) for after in conditions]
    assert all(recorded == start for recorded, start in days) and len(days) > PEOPLE
    moved = zip(map(json.loads, runs["fhir-condition"].records), masked(runs["fhir-condition"]), strict=True)
    assert all(before["recordedDate"][:10] != after["recordedDate"][:10] for before, after in moved)


def test_an_address_in_a_text_has_the_pseudonym_of_its_attribute(runs):
    """In logs, the address in the body is replaced by what its attribute becomes."""
    hits = 0
    for before, after in zip(map(json.loads, runs["otlp-logs"].records), masked(runs["otlp-logs"]), strict=True):
        both = zip(before["attributes"], after["attributes"], strict=True)
        pairs = [(a["value"]["stringValue"], b["value"]["stringValue"]) for a, b in both if a["key"] == "user.email"]
        for mail, pseudonym in pairs:
            if mail in before["body"]["stringValue"]:
                assert pseudonym in after["body"]["stringValue"]
                hits += 1
    assert hits > PEOPLE


def test_a_user_is_one_pseudonym_wherever_the_name_stands(runs):
    """In audit events a user's name has one pseudonym in its field, in ARNs, in keys of objects and in messages."""
    seen: dict[str, set[str]] = {}
    for before, after in zip(map(json.loads, runs["cloudtrail"].records), masked(runs["cloudtrail"]), strict=True):
        who = re.split(r"[/@]", before["userIdentity"]["arn"])
        name = before["userIdentity"].get("userName") or who[-2]
        arn = r"arn:aws:(?:iam::\d{12}:user|sts::\d{12}:assumed-role/Admin)/([^@]+)(?:@example[.]com)?"
        after_arn = re.fullmatch(arn, after["userIdentity"]["arn"])
        assert after_arn is not None
        seen.setdefault(name, set()).add(after_arn[1])
        if "userName" in after["userIdentity"]:
            seen[name].add(after["userIdentity"]["userName"])
        if after["requestParameters"]:
            seen[name].add(after["requestParameters"]["key"].split("/")[1])
            seen[name].add(after["resources"][0]["ARN"].split("/")[2])
        if "errorMessage" in after:
            seen[name].add(re.split(r"[/@ ]", after["errorMessage"].partition(" is not")[0])[-1 - ("@" in after["errorMessage"])])
    assert len(seen) == PEOPLE and all(len(found) == 1 for found in seen.values())


@pytest.mark.parametrize(("stream", "segment"), [
    ("fhir-patient", "partners-fhir-patient"), ("fhir-condition", "partners-fhir-condition"), ("fhir-encounter", "public-fhir-encounter"),
    ("cloudtrail", "partners-cloudtrail"), ("cloudtrail", "public-cloudtrail"), ("taxi-trips", "partners-taxi-trips"),
    ("taxi-trips", "public-taxi-trips"),
])  # fmt: skip
def test_every_promise_holds(cli, runs, stream, segment):
    """verify finds that the views of groups and figures keep what the policy promises."""
    one = runs[stream]
    done = cli("verify", one.loaded.source.name, "--raw", one.raw, "--released", one.output / segment, "--segment", segment)
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("stream", ["fhir-patient", "fhir-condition", "cloudtrail", "taxi-trips"])
def test_the_views_together_single_nobody_out(cli, runs, stream):
    """verify --joint finds no reader of several views who finds somebody."""
    one = runs[stream]
    done = cli("verify", one.loaded.source.name, "--raw", one.raw, "--released", one.output, "--joint")
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("stream", [stream for _, stream in PAIRS])
def test_scan_finds_nothing_in_clear(cli, runs, stream):
    """scan --against a policy finds nothing undeclared, mistyped, or sensitive in clear; digits of an OID may look like a phone number."""
    one = runs[stream]
    done = cli("scan", one.raw, "--against", one.loaded.source.name, "--json")
    assert {complaint["path"] for complaint in json.loads(done.out)["complaints"]} <= {"identifier[*].system"}


def test_examples_are_listed_and_written(cli, tmp_path):
    """The command lists all examples, and writes policies with what they name and records; preview takes them."""
    listed = cli("example")
    assert listed.code == 0 and [line.split()[0] for line in listed.out.splitlines()] == list(EXAMPLES)
    for name, example in EXAMPLES.items():
        assert cli("example", name, "--output", tmp_path / name, "--people", 5).code == 0
        written = {file.name for file in (tmp_path / name).iterdir()}
        assert written > {file.name for file in (*example.streams.values(), *example.files)}
        for policy in example.streams.values():
            records = tmp_path / name / f"{policy.stem}.{'csv' if name == 'taxi-trips' else 'jsonl'}"
            shown = cli("preview", tmp_path / name / policy.name, records, "--limit", 2)
            assert shown.code == 0 and "to quarantine" not in shown.out


def test_the_commands_of_the_page_work(cli, tmp_path, monkeypatch):
    """What the page on examples tells one to type ends with 0, and says what it says there; `run` is tested elsewhere."""
    page = (Path(flink_masking.__file__).parent / "docs" / "examples.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    typed = [block.split("\n") for block in re.findall(r"^\$ flink-masking (.*?)(?=^\$|^```)", page, re.DOTALL | re.MULTILINE)]
    assert len(typed) >= 9
    for command, *told in typed:
        if command.split()[0] == "run" or "trail/out" in command:
            continue
        done = cli(*command.split())
        assert done.code == 0, command
        said = re.sub(r"\s+", " ", done.out + done.err)
        for line in told if command.split()[0] != "scan" else ():  # its counts grow with what it knows
            stable = re.split(r"…|\d\.\d s|[A-Za-z0-9]{22}", line.strip())[0].strip()
            assert re.sub(r"\s+", " ", stable) in said, (command, line)


def test_a_directory_that_is_there_stays(cli, tmp_path):
    """Nothing is written where something is; an example that there is not is refused with those that there are."""
    done = cli("example", "fhir", "--output", tmp_path)
    assert done.code == 1 and "already exists" in done.err and list(tmp_path.iterdir()) == []
    assert cli("example", "nothing").code == 2


def test_the_same_seed_makes_the_same_records(tmp_path):
    """The same arguments write the same bytes, another seed writes others."""
    for name in STREAMS:
        for file, seed in (("a", 1), ("b", 1), ("c", 2)):
            write_stream(tmp_path / file, name, 3, seed)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()
