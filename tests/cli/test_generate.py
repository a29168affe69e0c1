"""flink-masking generate, and the events that it makes."""

import csv
import json
import re
import signal
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
from waiting import CLIENT_S, until

from flink_masking.errors import InputError
from flink_masking.files.opened import opened
from flink_masking.generate import write_events

ALWAYS = {"customerId", "email", "contacts", "birthDate", "age", "zip", "diagnosis", "purchaseAmount", "timestamp"}
NESTED = ALWAYS | {"name", "ssn", "card", "notes"}
FLAT = ["customerId", "email", "ssn", "card", "age", "zip", "purchaseAmount", "timestamp"]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """20,000 nested events about 2,000 people."""
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    write_events(path, 20_000, 2_000, 11)
    return path.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def events(lines: list[str]) -> list[dict]:
    """The same, parsed."""
    return [json.loads(line) for line in lines]


def luhn(number: str) -> bool:
    """Whether the check digit of a card number is right, digit by digit as the standard says it."""
    digits = [int(c) for c in reversed(number.replace("-", ""))]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0


def test_events_have_the_members_of_the_example(events):
    """Every event has the required members, some lack optional ones, none has others."""
    assert len(events) == 20_000
    assert all(set(event) >= ALWAYS and set(event) <= NESTED for event in events)
    assert {name for event in events for name in event} == NESTED
    assert any("ssn" not in event for event in events) and any(event["email"] is None for event in events)
    assert {len(event["contacts"]) for event in events} == {0, 1, 2}


def test_a_person_stays_one_person(events):
    """All events of a customer carry the same name, card, birth date and zip, and people come back several times."""
    seen: dict[str, tuple] = {}
    for event in events:
        facts = tuple(json.dumps(event.get(name)) for name in ("name", "email", "ssn", "card", "contacts", "birthDate", "age", "zip"))
        assert seen.setdefault(event["customerId"], facts) == facts
    assert 1_500 < len(seen) <= 2_000


def test_values_have_the_form_of_the_real_thing(events):
    """Cards pass the Luhn check, ages fit the birth date, domains and phones are reserved, amounts stay in bounds."""
    for event in events:
        if "card" in event:
            assert re.fullmatch(r"\d{4}(-\d{4}){3}", event["card"]["number"]) and luhn(event["card"]["number"])
        if "ssn" in event:
            assert re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}", event["ssn"])
        if event["email"]:
            assert re.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)", event["email"])
        assert all(re.fullmatch(r"\+1\d{3}55501\d\d", contact["phone"]) for contact in event["contacts"])
        born, today = date.fromisoformat(event["birthDate"]), date(2024, 3, 15)
        assert event["age"] == today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        assert 18 <= event["age"] <= 95 and re.fullmatch(r"\d{5}", event["zip"]) and 0 < event["purchaseAmount"] < 1000


def test_names_are_not_all_ascii(lines):
    """Names hold characters beyond ASCII, written as UTF-8."""
    assert any(not line.isascii() for line in lines)


def test_amounts_are_written_with_two_decimals(lines):
    """Amounts keep their trailing zeros."""
    assert all(re.search(r'"purchaseAmount":\d+\.\d\d,', line) for line in lines)
    assert any(re.search(r'"purchaseAmount":\d+\.\d0,', line) for line in lines)


def test_event_time_goes_on_with_a_jitter(events):
    """Events are in order up to three seconds, span several minutes, and are not in perfect order."""
    times = [datetime.fromisoformat(event["timestamp"]).timestamp() for event in events]
    latest = [max(times[:1])]
    for moment in times[1:]:
        latest.append(max(latest[-1], moment))
    behind = [high - moment for high, moment in zip(latest, times, strict=True)]
    assert 0 < max(behind) <= 3
    assert times[-1] - times[0] > 120
    assert all(event["timestamp"].endswith("Z") for event in events[:10])


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    """Same arguments, same bytes; another seed, other bytes."""
    first, again, other = (tmp_path / name for name in ("a", "b", "c"))
    for path, seed in ((first, 3), (again, 3), (other, 4)):
        assert write_events(path, 500, 50, seed) == path.stat().st_size
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()


def test_flat_events_are_about_two_hundred_bytes(tmp_path):
    """The flat shape has eight plain members and about 200 bytes."""
    path = tmp_path / "flat"
    size = write_events(path, 3_000, 1_000, 1, "flat")
    assert all(list(json.loads(line)) == FLAT for line in path.read_text().splitlines())
    assert 190 <= size / 3_000 <= 210


def test_csv_has_the_values_of_json(tmp_path):
    """Flat events as CSV have a header and the values of the same events as JSON."""
    write_events(tmp_path / "x.jsonl", 300, 40, 7, "flat")
    write_events(tmp_path / "x.csv", 300, 40, 7, "flat", format="csv")
    with (tmp_path / "x.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, strict=True))
    records = [json.loads(line, parse_float=str, parse_int=str) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert records == rows


def test_nested_events_are_no_csv(cli, tmp_path):
    """Arrays and objects have no place in CSV: refused with the shape that has one, and the default shape follows the format."""
    done = cli("generate", "--events", 3, "--shape", "nested", "--format", "csv", "--output", tmp_path / "x")
    assert (done.code, list(tmp_path.iterdir())) == (1, [])
    assert "Hint: --shape flat" in done.err
    assert cli("generate", "--events", 3, "--format", "csv", "--output", tmp_path / "x").code == 0
    assert FLAT == (tmp_path / "x").read_text().splitlines()[0].split(",")


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz", "e.json.zst", "e.csv", "e.csv.gz", "e.csv.zst"])
def test_the_name_says_format_and_compression(cli, tmp_path, name):
    """What a name promises is written, the same bytes for the same seed, and `preview` reads it."""
    path, policy = tmp_path / name, tmp_path / "policy.yaml"
    form = "csv" if ".csv" in name else "json"
    assert cli("generate", "--events", 30, "--shape", "flat", "--output", path).code == 0
    written = path.read_bytes()
    assert written[:2] == {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5"}.get(path.suffix, written[:2])
    with opened(path) as stream:
        assert 30 + (form == "csv") == len(stream.read().splitlines())
    assert cli("generate", "--events", 30, "--shape", "flat", "--output", path, "--overwrite").code == 0
    assert written == path.read_bytes()
    policy.write_text(
        f"version: 1\nstream: s\nformat: {form}\nunknown_fields: drop\nfields: {{customerId: {{class: identifier}}}}\n"
        "segments: {one: {view: masked, rules: {customerId: keep}}}\n"
    )
    shown = cli("preview", policy, path, "--limit", 30)
    assert (shown.code, shown.out.count("CUST"), shown.out.count("quarantine")) == (0, 30, 0)


def test_progress_is_told(tmp_path):
    """The callback hears of growing numbers and at last of all events."""
    heard: list[int] = []
    write_events(tmp_path / "x", 120_000, 10, 0, "flat", heard.append)
    assert heard == sorted(heard) and len(heard) > 1 and heard[-1] == 120_000


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"events": 0}, "events"),
        ({"people": 0}, "people"),
        ({"people": 10**9}, "people"),
        ({"seed": -1}, "seed"),
        ({"shape": "round"}, "shape"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, wrong, word):
    """Arguments that make no sense are an InputError that names them, and leave no file."""
    path = tmp_path / "x"
    with pytest.raises(InputError, match=word):
        write_events(**{"path": path, "events": 10, "people": 2, "seed": 0, **wrong})
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_no_part_of_a_file(tmp_path):
    """Events are written whole or not at all."""

    def fail(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_events(tmp_path / "x", 10, 2, 0, "flat", fail)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_what_was_asked(cli, tmp_path):
    """generate writes the number of events asked for and reports on stderr only."""
    path = tmp_path / "events.jsonl"
    done = cli("generate", "--events", 120, "--people", 7, "--seed", 5, "--output", path)
    assert (done.code, done.out) == (0, "")
    assert "120 events about 7 people" in done.err
    assert len({json.loads(line)["customerId"] for line in path.read_text().splitlines()}) <= 7
    assert len(path.read_text().splitlines()) == 120


def test_what_was_written_is_json(cli, tmp_path):
    """With --json, stdout tells file, records and bytes, of payloads the places, and of records like a sample the words that were kept."""
    path, gold, like = tmp_path / "events.jsonl", tmp_path / "gold.jsonl", tmp_path / "like.jsonl"
    facts = {"records": 20}
    done = cli("generate", "--events", 20, "--shape", "payloads", "--gold", gold, "--output", path, "--json")
    assert json.loads(done.out) == {"output": str(path), **facts, "bytes": path.stat().st_size, "gold": str(gold)}
    done = cli("generate", "--events", 20, "--like", path, "--output", like, "--json")
    assert json.loads(done.out).items() >= {"output": str(like), **facts, "bytes": like.stat().st_size}.items()


def test_the_command_replaces_nothing_unasked(cli, tmp_path):
    """A file that is there stays, unless --overwrite is given."""
    path = tmp_path / "events.jsonl"
    path.write_text("precious")
    done = cli("generate", "--events", 3, "--output", path)
    assert (done.code, path.read_text()) == (1, "precious")
    assert "--overwrite" in done.err
    assert cli("generate", "--events", 3, "--output", path, "--overwrite").code == 0
    assert len(Path(path).read_text().splitlines()) == 3


def test_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path):
    """An interrupted command ends with 130, in one line without a traceback, and takes its unfinished file along."""
    command = [sys.executable, "-P", "-c", "from flink_masking.cli import main; main()", "generate", "--events", "500000000"]
    # A shell that starts the tests in the background has them ignore interrupts, and children inherit that.
    running = subprocess.Popen(
        [*command, "--people", "10", "--output", tmp_path / "x"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    until("the file is there", lambda: bool(list(tmp_path.iterdir())), pause=0.05)
    running.send_signal(signal.SIGINT)
    try:
        _, said = running.communicate(timeout=CLIENT_S)
    finally:
        running.kill()
    assert (running.returncode, list(tmp_path.iterdir())) == (130, [])
    assert len(said.splitlines()) <= 1


@pytest.mark.parametrize("name", ["x.avro", "x.protobuf"])
def test_records_with_schemas_are_not_made(cli, tmp_path, name):
    """Formats whose records have a schema are refused, by the file's name and by --format, and no file is written."""
    by_name = cli("generate", "--events", 3, "--output", tmp_path / name)
    assert by_name.code == 1 and "are not made here. Hint" in by_name.err.replace("\n", " ")
    by_option = cli("generate", "--events", 3, "--format", name.removeprefix("x."), "--output", tmp_path / "x")
    assert by_option.code == 2 and "use json or csv" in by_option.err
    assert list(tmp_path.iterdir()) == []
