"""Bounded jobs: the command, the same at another parallelism, and inputs that are small, broken, empty or large."""

import concurrent.futures
import csv
import gzip
import io
import json
import random
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
import format_inputs
import intruder
import job_material as material
import processes
import pytest
import sockets
from lineage_receiver import receiving
from planted import plant
from scan_samples import fhir
from waiting import finish

from flink_masking.audit.events import broken_links
from flink_masking.engine.quarantine import Entry, QuarantineReader
from flink_masking.files.opened import data_files
from flink_masking.kernels import SHIPPED
from flink_masking.keys.providers import open_ring
from flink_masking.policy.source import PolicySource
from flink_masking.tools.reconcile import count_lines, lines
from flink_masking.verify.files import verify

pytestmark = pytest.mark.flink


class Run(NamedTuple):
    """A finished run of the command, all that its processes listened on, and what an intruder found while it ran."""

    events: material.Events
    raw: Path
    output: Path
    finished: processes.Finished
    doors: set[sockets.Listening]
    found: intruder.Found | None


@pytest.fixture(scope="module")
def policy(place: Path) -> Path:
    """The policy, and beside it one without stateful segments."""
    (place / "masked.yaml").write_text(material.FIELDS + material.MASKED)
    path = place / "policy.yaml"
    path.write_text(material.POLICY)
    return path


@pytest.fixture(scope="module")
def command(place: Path, policy: Path, key_uri: str) -> Run:
    """``flink-masking run`` over 6,000 events with broken ones among them."""
    events = material.make_events(place, 6_000, 1_200, 3)
    raw, output = place / "events.jsonl", place / "output"
    raw.write_bytes(material.text([*events.lines[:3_000], *material.BROKEN, *events.lines[3_000:]]))
    arguments = ("run", policy, "--input", raw, "--output", output, "--keys", key_uri)
    doors: set[sockets.Listening] = set()
    found: intruder.Found | None = None
    with processes.started(place, *processes.CLI, *arguments) as process, concurrent.futures.ThreadPoolExecutor() as pool:
        ended = pool.submit(finish, process)
        gateway: set[sockets.Listening] = set()
        while not ended.done():
            now = sockets.listening({process.pid})
            # PyFlink's gateway comes first, from a port that Flink tries out for a moment on every interface, with nothing behind it.
            gateway = gateway or {door for door in now if door.program == "java" and door.private}
            doors |= now if gateway else {door for door in now if door.program != "java"}
            if found is None and len([door for door in now if door.program == "java"]) >= SERVICES:
                found = intruder.intrude(now - gateway, Path(key_uri.removeprefix("file://")))
            time.sleep(0.1)
        finished = processes.Finished(process.returncode, *ended.result())
    return Run(events, raw, output, finished, doors, found)


@pytest.fixture(scope="module")
def several(place: Path, policy: Path, key_uri: str, command: Run) -> dict[str, Any]:
    """The other bounded jobs, one after another in one process."""
    inputs = place / "inputs"
    for name in ("parallel", "few", "broken", "empty"):
        (inputs / name).mkdir(parents=True)
    whole = [*command.events.lines, *material.BROKEN]
    for part in range(4):
        (inputs / "parallel" / f"part-{part}").write_bytes(material.text(whole[part::4]))
    (inputs / "parallel" / "nothing").touch()
    (inputs / "few" / "events").write_bytes(material.text([*few(command.events), LARGE, b"", OVERSIZE]))
    (inputs / "broken" / "events").write_bytes(material.text(material.BROKEN))
    (inputs / "empty" / "events").touch()
    (place / "cells.yaml").write_text(format_inputs.CELLS)
    (place / "cells.csv.gz").write_bytes(
        gzip.compress(b"id,age,note,home.city\r\n" + b"\r\n".join([*format_inputs.cells(), b'x,"1']) + b"\r\n")
    )
    (place / "records.yaml").write_text(format_inputs.RECORDS)
    with (place / "records.avro").open("wb") as out:
        fastavro.writer(out, format_inputs.RECORD, format_inputs.people(), codec="deflate")
    (place / "marked.yaml").write_text(format_inputs.MARKED)
    (place / "marked.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join(format_inputs.UNUSUAL) + b"\n")
    (place / "swept.yaml").write_text(format_inputs.SWEPT)
    planted, _ = plant(fhir(300, 11), 11)
    (place / "swept.jsonl").write_bytes(b"\n".join([*planted, *format_inputs.UNUSUAL]) + b"\n")
    with receiving() as receiver:
        finished = processes.run(place, Path(__file__).with_name("several_runs.py"), policy, key_uri, place, **receiver.environment)
    assert finished.code == 0, finished.err[-3000:]
    return {**json.loads(finished.out.splitlines()[-1]), "lineage": receiver.events}


SERVICES = 8
"""Fewer sockets than Flink, py4j and Beam's services for workers have together, and more than they have before a worker is started."""

LARGE = (
    b'{"customerId":"CUST7777781","order":-9,"age":40,"zip":"94110","purchaseAmount":1,"timestamp":"2024-03-15T10:00:00Z","notes":"%s"}'
    % (b"x" * 900_000)
)
"""A good record of nearly a megabyte, the most that a record may have."""
OVERSIZE = LARGE.replace(b"x", b"xxxxxx")


def few(events: material.Events) -> list[bytes]:
    """The records of three people, fewer than k."""
    people = sorted({event["customerId"] for event in events.truth.values()})[:3]
    return [line for line, event in zip(events.lines, events.truth.values(), strict=True) if event["customerId"] in people]


def test_a_run_succeeds_and_its_accounts_add_up(command):
    """The command exits 0, and for every segment input = released + suppressed + quarantined, to the record."""
    assert command.finished.code == 0, command.finished.err[-3000:]
    summary = json.loads((command.output / "summary.json").read_bytes())
    assert summary["input"] == 6_000 + len(material.BROKEN)
    assert summary["quarantined"] == len(material.BROKEN) == count_lines(command.output / "quarantine")
    assert list(summary["segments"]) == list(material.VIEWS)
    for name, account in summary["segments"].items():
        assert account["released"] + account["suppressed"] == 6_000
        assert account["rows"] == count_lines(command.output / name)


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="this installation brings no machine code")
def test_a_small_file_is_one_batch(command):
    """No clock cuts off a batch while Java is cold: too few records would be shuffled in it."""
    assert sum(b'"event":"protect"' in line for line in lines(command.output / "audit")) == 1


def test_no_process_of_a_run_compiles(command, several, place):
    """The machine code of the installation is all that the command and the workers of jobs with every kind of segment need."""
    assert command.finished.code == 0
    assert several["parallel"]["summary"]
    assert [path.name for path in (place / "kernels").rglob("*")] == []
    assert "kernels are compiled here" not in "".join(path.read_text() for path in (place / "log").iterdir())


def test_a_run_listens_on_loopback_only(command):
    """Of all that the Java virtual machine and the Python processes of a run listen on, nothing is reached from another machine."""
    assert len([door for door in command.doors if door.program == "java"]) >= SERVICES
    assert [door for door in command.doors if not door.private] == []
    chosen = [door.port for door in command.doors if door.program == "java" and door.port < 32_000]
    assert len(chosen) == 1, "the endpoint's port is chosen where the system gives none to others before Java listens there"
    assert command.found is not None and command.found.foreign == set()


def test_a_run_takes_no_orders_and_hands_out_no_files(command):
    """No service sends the key ring when it is asked for it by path, and Flink's endpoint answers nobody without the run's certificate."""
    assert command.found is not None and not command.found.stolen
    assert len(command.found.artifacts) >= 4 and set(command.found.artifacts) == {"UNIMPLEMENTED"}
    assert set(command.found.requests.values()) <= {301}  # to the endpoint's TLS


def test_every_good_record_is_in_every_masked_view_once(command):
    """No record is lost or doubled, and none of the broken ones gets through."""
    for view in ("analytics", "development"):
        assert Counter(record["order"] for record in material.records(command.output / view)) == dict.fromkeys(range(6_000), 1)


def test_k_people_share_every_released_class(command):
    """Recomputed from the raw events: labels are true, and at least k people stand behind each combination of them."""
    released = material.records(command.output / "partners")
    assert len(released) > 5_900
    assert max(Counter(record["order"] for record in released).values()) == 1
    for record in released:
        raw = command.events.truth[record["order"]]
        assert material.covers(record["age"], raw["age"]) and material.covers(record["zip"], raw["zip"])
        assert (record["diagnosis"], record["purchaseAmount"]) == (raw["diagnosis"], raw["purchaseAmount"])
    assert material.small_classes(released, command.events.truth) == []


def test_aggregates_are_near_the_truth_and_noisy(command):
    """Published counts are those of the bounded contributions, give or take the noise, which is there."""
    truth: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for event in command.events.truth.values():
        truth[event["timestamp"][:16] + ":00Z", event["zip"][0] + "****"][event["customerId"]] += 1
    rows = material.records(command.output / "dashboard")
    assert len(rows) > 10
    exact = {group: (sum(min(n, material.RECORDS_PER_PERSON) for n in people.values()), len(people)) for group, people in truth.items()}
    differences = []
    for row in rows:
        orders, customers = exact[row["window_start"], row["zip"]]
        differences += [row["orders"] - orders, row["customers"] - customers]
        assert row["epsilon"] == 10.0
    assert max(map(abs, differences)) < 60
    assert any(differences)


def test_rows_pass_protect_once_for_all_sinks(command):
    """Though four views, the audit and the quarantine hang on it, Protect sees each line of the input once, in one unbroken chain."""
    audit = list(lines(command.output / "audit"))
    events = [event for event in map(json.loads, audit) if event["event"] == "protect"]
    assert sum(event["records"] for event in events) == 6_000 + len(material.BROKEN)
    assert len({event["chain"] for event in events}) == 1
    assert sorted(event["number"] for event in events) == list(range(len(events)))
    assert broken_links(audit) == []


def test_no_output_or_log_holds_a_clear_value(command):
    """Views, audit, quarantine and Flink's logs hold none of the personal values of the input."""
    known = material.secrets(command.events.truth.values())
    assert len(known) > 3_000
    assert list((command.output.parent / "log").iterdir())
    for directory in (command.output, command.output.parent / "log"):
        assert material.leaked(directory, known) == set()
    assert not any(value.decode() in command.finished.out + command.finished.err for value in known)


def test_parallelism_changes_neither_masked_records_nor_k(command, several):
    """Four files and two instances of each step give the same masked records, equal pseudonyms included, and keep k people together."""
    output = command.output.parent / "outputs" / "parallel"
    assert several["parallel"]["summary"]["input"] == 6_000 + len(material.BROKEN)
    for view in ("analytics", "development"):
        assert Counter(lines(output / view)) == Counter(lines(command.output / view))
    assert material.small_classes(material.records(output / "partners"), command.events.truth) == []
    chains = Counter(event["chain"] for event in map(json.loads, lines(output / "audit")) if event["event"] == "protect")
    assert len(chains) <= 2  # Flink hands files to whichever instance asks first
    assert broken_links(lines(output / "audit")) == []


def test_fewer_people_than_k_are_all_suppressed(command, several):
    """At the end of a short input what forms no group of k people is suppressed, a record of 5 MB is quarantined, and the job ends."""
    good = len(few(command.events)) + 1
    summary = several["few"]["summary"]
    assert (summary["input"], summary["reasons"]) == (good + 2, {"oversize": 1, "malformed": 1})
    assert summary["segments"]["partners"] == {"released": 0, "suppressed": good, "rows": 0, "late": 0}
    assert summary["segments"]["analytics"]["rows"] == good
    assert summary["segments"]["dashboard"]["released"] + summary["segments"]["dashboard"]["suppressed"] == good


def test_a_file_of_broken_lines_only_goes_to_the_quarantine(several):
    """Every line, the empty one too, is quarantined, each for its own reason."""
    summary = several["broken"]["summary"]
    assert (summary["input"], summary["quarantined"]) == (len(material.BROKEN),) * 2
    assert all(account == {"released": 0, "suppressed": 0, "rows": 0, "late": 0} for account in summary["segments"].values())
    assert len(summary["reasons"]) >= 4


def test_an_empty_file_is_an_empty_run(several):
    """Nothing in, nothing out, and the job ends."""
    summary = several["empty"]["summary"]
    assert (summary["input"], summary["quarantined"], summary["reasons"]) == (0, 0, {})


def test_a_file_that_is_copied_for_flink_keeps_its_bytes(several, place, key_uri):
    """Behind a byte order mark, a carriage return within a record is blank space, and what is refused is sealed as it was."""
    output = place / "outputs" / "marked"
    assert json.loads((output / "summary.json").read_bytes())["reasons"] == {"malformed": 1}
    assert [{"a": 1, "b": 2}] == [json.loads(line) for line in lines(output / "masked")]
    [entry] = lines(output / "quarantine")
    assert format_inputs.UNUSUAL[1] == QuarantineReader(open_ring(key_uri)).payload(Entry.decode(entry))


def test_a_sweep_leaves_nothing_planted(several, place):
    """A job that sweeps undeclared members shows nothing of the data planted in them, and every record that can be read."""
    planted, values = plant(fhir(300, 11), 11)
    summary = json.loads((place / "outputs" / "swept" / "summary.json").read_bytes())
    assert (summary["input"], summary["reasons"]) == (302, {"malformed": 1})
    view = list(lines(place / "outputs" / "swept" / "support"))
    assert len(planted) + 1 == len(view) and b"<EMAIL>" in b"".join(view)
    shown = "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in view)
    assert [value for value in values if value in shown or value in shown.replace("\\", "")] == []
    report = verify(PolicySource.read(place / "swept.yaml"), place / "swept.jsonl", place / "outputs" / "swept" / "support")
    assert ["held"] == [promise.verdict for promise in report.promises]


def test_avro_in_and_avro_out(several, place):
    """An object container file becomes one with the schema of the view, and a view of groups, which is JSON."""
    output = place / "outputs" / "records"
    summary = json.loads((output / "summary.json").read_bytes())
    assert (summary["input"], summary["reasons"]) == (300, {})
    found: list[Any] = []
    for file in data_files(output / "masked"):
        with file.open("rb") as stream:
            reader = fastavro.reader(stream)
            assert ["null", "string"] == reader.writer_schema["fields"][1]["type"]
            found += reader
    assert [person["notes"] for person in format_inputs.people()] == [person["notes"] for person in found]
    tens = [person["age"] // 10 * 10 for person in format_inputs.people()]
    assert [f"{max(18, ten)}-{ten + 9}" for ten in tens] == [person["age"] for person in found]  # the domain begins with 18
    assert len({person["id"] for person in found}) == 60 and not {f"P{n}" for n in range(60)} & {person["id"] for person in found}
    assert all(set(json.loads(line)) == {"age"} for line in lines(output / "groups"))


def test_csv_in_and_csv_out(several, place):
    """Compressed CSV becomes views of CSV with a header in each file; cells keep line breaks, and what follows an open quote is refused."""
    output = place / "outputs" / "cells"
    summary = json.loads((output / "summary.json").read_bytes())
    assert (summary["input"], summary["reasons"]) == (301, {"malformed": 1})
    assert {"released": 300, "suppressed": 0, "rows": 300, "late": 0} == summary["segments"]["masked"]
    rows = [list(csv.reader(file.open(newline=""), strict=True)) for file in data_files(output / "masked")]
    assert {("id", "age", "note")} == {tuple(part[0]) for part in rows}
    raw = [next(csv.reader(io.StringIO(record.decode(), newline=""))) for record in format_inputs.cells()]
    assert sorted(row[1:3] for row in raw) == sorted(row[1:] for part in rows for row in part[1:])
    people = {row[0] for part in rows for row in part[1:]}
    assert 60 == len(people) and not people & {row[0] for row in raw}
    report = verify(PolicySource.read(place / "cells.yaml"), place / "cells.csv.gz", output / "groups")
    assert {"held"} == {promise.verdict for promise in report.promises}
    assert 300 == report.counts["released"] + report.counts["suppressed"]


def test_runs_tell_their_lineage(several):
    """Every job sends START and, at its end, COMPLETE; the one that fails FAIL, without its words; a run names files and masked fields."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for event in several["lineage"]:
        runs.setdefault(event["run"]["runId"], []).append(event)
    ended = Counter((events[0]["eventType"], events[-1]["eventType"]) for events in runs.values())
    assert ended == {("START", "COMPLETE"): len(runs) - 1, ("START", "FAIL"): 1} and len(runs) == 9
    cells = next(events[0] for events in runs.values() if events[0]["job"]["name"] == "cells")
    assert cells["inputs"][0]["namespace"] == "file" and cells["inputs"][0]["name"].endswith("/cells.csv.gz")
    masked = next(one for one in cells["outputs"] if one["name"].endswith("/outputs/cells/masked"))
    shown = masked["facets"]["columnLineage"]["fields"]
    assert {name: field["inputFields"][0]["transformations"][0]["masking"] for name, field in shown.items()} == {
        "id": True,
        "age": False,
        "note": False,
    }
    assert "NO_SUCH_KEYS" not in json.dumps(several["lineage"])


def test_a_worker_without_keys_fails_the_job_with_its_reason(several):
    """The error of a worker comes back as one line that says what to do, and the job does not hang."""
    assert "error" in several["lost keys"]
    assert "env://FLINK_MASKING_NO_SUCH_KEYS: the variable is not set. Hint:" in several["lost keys"]["error"]
    assert "\n" not in several["lost keys"]["error"]


@pytest.mark.parametrize("name", ["policy", "masked"])
def test_a_plan_evaluates_protect_once(several, name):
    """The plan holds one vectorised Python calculation, whatever the number of sinks; only stateful segments leave the Table API."""
    operators, _ = several["plans"][name]
    assert sum(operator.startswith("PythonCalc") for operator in operators) == 1
    assert ("TableToDataStream" in operators) == (name == "policy")
    assert sum(operator.startswith("end: Writer") for operator in operators) >= 4


def test_the_stream_that_all_views_go_through_is_of_internal_rows(several):
    """A record is not converted to an external row and back on its way to the sinks; only packets are."""
    _, streams = several["plans"]["policy"]
    assert streams.count("BinaryRowData") == 1 and streams.count(None) == len(streams) - 1


def test_a_damaged_input_ends_the_command_with_a_message(place, policy, key_uri):
    """A compressed file that ends in the middle is refused before Flink starts: exit 1, a short message with the cause, no output."""
    broken = place / "events.gz"
    broken.write_bytes(gzip.compress(random.Random(3).randbytes(100_000))[:50_000])
    output = place / "failed"
    finished = processes.run(place, *processes.CLI, "run", policy, "--input", broken, "--output", output, "--keys", key_uri)
    assert finished.code == 1
    assert "its compressed data is damaged or cut off" in finished.err and len(finished.err) < 600
    assert "Traceback" not in finished.err
    assert not output.exists()
